"""Who is told by this installation: the receivers that its integrations file names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from activities.channels import Channel
from activities.endpoint import Endpoint
from integrations import Integrations
from phasegate import delivery


class Receivers:
    """The ways out, by the name couriers know them by."""

    def __init__(self, integrations: Integrations) -> None:
        self._channels = dict(_channels(integrations))
        self.wanted: Mapping[str, bool] = {
            delivery.subscriber(name): subscriber.start == "beginning"
            for name, subscriber in integrations.subscribers.items()
        }
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


def _channels(integrations: Integrations) -> Iterator[tuple[str, Channel]]:
    for name, subscriber in integrations.subscribers.items():
        yield delivery.subscriber(name), Endpoint(subscriber)
