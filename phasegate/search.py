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


def waiting_on(pending: Mapping[str, Iterable[str]]) -> list[str]:
    """The keyword list for those a gate waits on (person → their groups).

    People by name while they fit; a large committee collapses to its groups, and the inbox then
    asks the gate who of them has voted. Groups are few and short (63 characters at most); those
    beyond the limit are left out rather than risk the workflow.
    """
    people = [person_key(person) for person in sorted(pending)]
    if _size(people) <= WAITING_ON_BYTES:
        return people
    groups: list[str] = []
    for name in sorted({group for groups_of in pending.values() for group in groups_of}):
        if _size([*groups, group_key(name)]) > WAITING_ON_BYTES:
            break
        groups.append(group_key(name))
    return groups


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
