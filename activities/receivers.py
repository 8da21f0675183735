"""Who is told by this installation: the receivers that its integrations file names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from activities.channels import Channel
from activities.chat import Channel as ChatChannel
from activities.endpoint import Endpoint
from activities.mailing import Postbox
from integrations import Integrations
from ledger import Ledger
from phasegate import delivery


class Receivers:
    """The ways out, by the name couriers know them by."""

    def __init__(self, ledger: Ledger, integrations: Integrations) -> None:
        self._channels = dict(_channels(ledger, integrations))
        self.mail, self.digest = integrations.mail, integrations.digest
        archives = {
            delivery.subscriber(name)
            for name, subscriber in integrations.subscribers.items()
            if subscriber.start == "beginning"
        }
        self.wanted: Mapping[str, bool] = {name: name in archives for name in self._channels}
        """Receiver → whether it wants what happened before it was known, too."""

    def __bool__(self) -> bool:
        """Whether anybody is told anything."""
        return bool(self._channels)

    def channel(self, receiver: str) -> Channel | None:
        return self._channels.get(receiver)

    @property
    def patterns(self) -> Mapping[str, tuple[str, ...]]:
        """Receiver → the types it wants."""
        return {name: channel.events for name, channel in self._channels.items()}


def _channels(ledger: Ledger, integrations: Integrations) -> Iterator[tuple[str, Channel]]:
    for name, subscriber in integrations.subscribers.items():
        yield delivery.subscriber(name), Endpoint(subscriber)
    if integrations.mail:
        yield delivery.MAIL, Postbox(ledger, integrations.mail)
    for name, chat in integrations.chat.items():
        yield delivery.channel(name), ChatChannel(ledger, name, chat)
