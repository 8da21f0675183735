"""What the installation allows to be called beyond public addresses."""

from __future__ import annotations

import os
from collections.abc import Mapping

from integrations.document import Connection, Integrations, Subscriber
from phasegate.errors import PhasegateError
from phasegate.reach import Network, Reach, networks

VARIABLE = "PHASEGATE_ALLOW_ADDRESSES"
FIELD = "allow_addresses"


class ReachUnreadable(PhasegateError):
    """The environment's list of allowed addresses is none."""


def reach_of(
    found: Integrations,
    entry: Connection | Subscriber | None = None,
    env: Mapping[str, str] = os.environ,
) -> Reach:
    """What may be connected to for an entry of the integrations file, or for a policy's own URL.

    Raises ReachUnreadable.
    """
    allowed = networks(found.allow_addresses) + _of_environment(env)
    if entry is None:
        return Reach(inner=False, allowed=allowed)
    return Reach(inner=True, allowed=allowed + networks(entry.allow_addresses))


def _of_environment(env: Mapping[str, str]) -> tuple[Network, ...]:
    text = env.get(VARIABLE, "")
    try:
        return networks(tuple(part for part in text.split(",") if part.strip()))
    except ValueError as error:
        raise ReachUnreadable(
            f"{VARIABLE} cannot be read",
            str(error),
            f"{VARIABLE}=127.0.0.1,10.0.0.0/8 phasegate doctor  # addresses with commas between",
        ) from None
