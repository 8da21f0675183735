"""Chat channels: a line an event, by Apprise, which knows the services and their addresses.

Chat services take no idempotency key: a line that had to be sent again is known by the product and
number at its end.
"""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from activities.channels import Answer, Refused, Taken
from activities.known_people import KnownPeople
from integrations.document import Chat
from ledger import Entry, Ledger
from phasegate.errors import PhasegateError
from phasegate.letters import chat_line

SECONDS = 20.0

THREADS = 2
"""Lines sent at the same time to one channel. Threads of its own: one that hangs must not hold
those in which everything else reads the ledger, nor those of another channel."""


class ChatUnusable(PhasegateError):
    """A chat channel cannot be addressed as it is set up."""


class Channel:
    """One chat channel of the integrations file."""

    address = ""

    def __init__(self, ledger: Ledger, name: str, chat: Chat) -> None:
        self._ledger, self._name, self._chat = ledger, name, chat
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix=f"chat-{name}")
        self.events = chat.events
        self.give_up: timedelta = chat.give_up.approximate

    async def send(self, entry: Entry) -> Answer:
        """Send one line. The address is read each time. Raises ChatUnusable, SecretMissing."""
        # In a thread, all of it: Apprise is slow to load, and its services block.
        try:
            async with asyncio.timeout(SECONDS):
                loop = asyncio.get_running_loop()
                return await loop.run_in_executor(self._threads, self._send, entry)
        except TimeoutError:
            return Refused(f"the chat channel {self._name} did not answer in time")

    def _send(self, entry: Entry) -> Answer:
        if self._notify(self._chat.url.reveal(), self._line(entry)):
            return Taken()
        return Refused(f"the chat channel {self._name} did not take the line")

    def _line(self, entry: Entry) -> str:
        name = KnownPeople(self._ledger).standing(entry).name
        return f"{chat_line(entry.announcement, name)} [{entry.announcement.product} {entry.seq}]"

    def _notify(self, url: str, line: str) -> bool:
        try:
            import apprise  # noqa: PLC0415  # an extra, and slow to load
        except ImportError:
            raise ChatUnusable(
                f"the chat channel {self._name} cannot be used",
                "Apprise is not installed",
                "pip install 'phasegate[chat]'",
            ) from None
        # It logs addresses that it does not understand, with what is secret in them.
        logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
        sender = apprise.Apprise()
        if not sender.add(url):
            raise ChatUnusable(
                f"the chat channel {self._name} cannot be used",
                f"Apprise does not understand the address in {self._chat.url}",
                "https://github.com/caronc/apprise/wiki lists the addresses it knows",
            )
        return bool(sender.notify(body=line, body_format=apprise.NotifyFormat.TEXT))
