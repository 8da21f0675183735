"""Who is told by this installation: the receivers that its integrations file names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from activities.channels import Channel
from activities.chat import Channel as ChatChannel
from activities.endpoint import Endpoint
from activities.mailing import Postbox
from integrations.document import Integrations
from integrations.reaching import reach_of
from ledger import Ledger
from phasegate import delivery
from phasegate.ids import MAIN_QUEUE


class Receivers:
    """The ways out, by the name couriers know them by."""

    def __init__(
        self, ledger: Ledger, integrations: Integrations, main_queue: str = MAIN_QUEUE
    ) -> None:
        """`main_queue` is where workflows run: couriers are started there, also by activities that
        are carried out elsewhere."""
        self._ledger, self.main_queue = ledger, main_queue
        self._channels = dict(_channels(ledger, integrations, main_queue))
        self.mail, self.digest = integrations.mail, integrations.digest
        archives = {
            delivery.subscriber(name)
            for name, subscriber in integrations.subscribers.items()
            if subscriber.start == "beginning"
        }
        self._new: Mapping[str, bool] = {name: name in archives for name in self._channels}

    def __bool__(self) -> bool:
        """Whether anybody is told anything."""
        return bool(self._channels)

    def enroll(self) -> None:
        """Know them all from now on, before anything is sent or counted. Raises LedgerError.

        A new one is sent what happens from then on, or the whole record if it asks for that.
        """
        if self._new:
            self._ledger.receivers.enroll(self._new, datetime.now(UTC))
            self._new = {}

    def away(self) -> set[str]:
        """Those that said that they are gone. Who has another address by now is asked again.

        Raises LedgerError.
        """
        known = self._ledger.receivers
        away = set(known.away())
        addresses = {name: self._channels[name].address for name in away & self._channels.keys()}
        return away - set(known.moved(addresses)) if addresses else away

    def channel(self, receiver: str) -> Channel | None:
        return self._channels.get(receiver)

    @property
    def patterns(self) -> Mapping[str, tuple[str, ...]]:
        """Receiver → the types it wants."""
        return {name: channel.events for name, channel in self._channels.items()}


def _channels(
    ledger: Ledger, integrations: Integrations, main_queue: str
) -> Iterator[tuple[str, Channel]]:
    for name, subscriber in integrations.subscribers.items():
        yield delivery.subscriber(name), Endpoint(subscriber, reach_of(integrations, subscriber))
    if integrations.mail:
        yield delivery.MAIL, Postbox(ledger, integrations.mail, main_queue)
    for name, chat in integrations.chat.items():
        yield delivery.channel(name), ChatChannel(ledger, name, chat)
