"""Search attributes: what the Temporal UI and `temporal workflow list` can find lifecycles by.

SQL visibility stores allow 10 Keyword, 3 KeywordList and 3 Datetime attributes in a namespace; we
use 7, 1 and 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from phasegate.facts import ProductFacts

ATTRIBUTES: Mapping[str, str] = {
    "PhasegateStatus": "Keyword",
    "PhasegateProduct": "Keyword",
    "PhasegateOwner": "Keyword",
    "PhasegatePolicy": "Keyword",
    "PhasegatePhase": "Keyword",
    "PhasegateGate": "Keyword",
    "PhasegateOutcome": "Keyword",
    "PhasegateWaitingOn": "KeywordList",
    "PhasegateDue": "Datetime",
}

WAITING_ON_BYTES = 1500
"""Over 2,048 bytes a keyword list terminates the workflow (tried on server 1.32); keep below."""


def person_key(person: str) -> str:
    return f"person:{person}"


def group_key(group: str) -> str:
    return f"group:{group}"


def acting_key(person: str) -> str:
    """Somebody who may vote in another's seat."""
    return f"acting:{person}"


def attester_key(person: str) -> str:
    """Somebody who may attest a criterion of the gate."""
    return f"attests:{person}"


def with_attesters(entries: Iterable[str], attesters: Iterable[str]) -> list[str]:
    """The keyword list with those who may attest, as far as they fit behind it.

    They stay in it when they have attested, so that no attestation costs an upsert: the inbox asks
    the round what it still lacks.
    """
    found = list(entries)
    for key in map(attester_key, sorted(set(attesters))):
        if _size([*found, key]) <= WAITING_ON_BYTES:
            found.append(key)
    return found


def collapses(pending: Iterable[str], acting: Iterable[str]) -> bool:
    """Whether these are too many to be named one by one."""
    return _size(_named(pending, acting)) > WAITING_ON_BYTES


def _named(pending: Iterable[str], acting: Iterable[str]) -> list[str]:
    people = map(person_key, sorted(set(pending)))
    return [*people, *map(acting_key, sorted(set(acting)))]


def waiting_on(pending: Mapping[str, Iterable[str]], acting: Iterable[str] = ()) -> list[str]:
    """The keyword list for those a gate waits on (person → their groups), and for those who may
    act for them by delegation, as deputies or as managers.

    People by name while they fit. A large committee collapses to its groups, and the memo then
    says who of them has not voted. What is beyond the limit is left out rather than risk the
    workflow: the groups are named first, then the stand-ins.
    """
    acting = sorted(set(acting))
    if not collapses(pending, acting):
        return _named(pending, acting)
    groups = sorted({group for groups_of in pending.values() for group in groups_of})
    found: list[str] = []
    for key in [*map(group_key, groups), *map(acting_key, acting)]:
        if _size([*found, key]) <= WAITING_ON_BYTES:
            found.append(key)
    return found


def _size(entries: Iterable[str]) -> int:
    return sum(len(entry.encode()) + 3 for entry in entries)


def review_attributes(product: ProductFacts, gate: str) -> dict[str, str]:
    """The attributes that a round has from its first moment."""
    return {
        "PhasegateStatus": "open",
        "PhasegateProduct": product.key,
        "PhasegateOwner": product.owner,
        "PhasegatePolicy": product.policy,
        "PhasegateGate": gate,
    }
