"""Search attributes: what the Temporal UI and `temporal workflow list` can find lifecycles by.

SQL visibility stores allow 10 Keyword, 3 KeywordList and 3 Datetime attributes in a namespace; we
use 7, 1 and 1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256

from phasegate.facts import ProductFacts
from phasegate.pseudonyms import PLAIN, Names

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


def person_key(person: str, names: Names = PLAIN) -> str:
    return f"person:{names.person(person)}"


def group_key(group: str, names: Names = PLAIN) -> str:
    return f"group:{names.group(group)}"


def acting_key(person: str, names: Names = PLAIN) -> str:
    """Somebody who may vote in another's seat."""
    return f"acting:{names.person(person)}"


def attester_key(person: str, names: Names = PLAIN) -> str:
    """Somebody who may attest a criterion of the gate."""
    return f"attests:{names.person(person)}"


EVERYBODY = "*"
"""Stands for all who had no room in the list: every inbox asks for it, and the memo then decides.
Kept short, since it has to fit where hardly anything does."""


def inbox_keys(
    who: str,
    covered: Iterable[str] = (),
    groups: Iterable[str] = (),
    names: Names = PLAIN,
) -> list[str]:
    """What the inbox of one person asks for: their own keys, those of the people whose absence
    they cover, and the groups of all of these."""
    people = [who, *sorted(set(covered) - {who})]
    own = [person_key(person, names) for person in people]
    acting = [acting_key(person, names) for person in people]
    shared = [group_key(group, names) for group in sorted(set(groups))]
    return [*own, *acting, attester_key(who, names), *shared, EVERYBODY]


def collapses(pending: Iterable[str], acting: Iterable[str], names: Names = PLAIN) -> bool:
    """Whether these are too many to be named one by one, with room for EVERYBODY behind them."""
    return _size([*_named(pending, acting, names), EVERYBODY]) > WAITING_ON_BYTES


def _named(pending: Iterable[str], acting: Iterable[str], names: Names) -> list[str]:
    people = [person_key(person, names) for person in sorted(set(pending))]
    return [*people, *(acting_key(person, names) for person in sorted(set(acting)))]


def waiting_on(
    pending: Mapping[str, Iterable[str]],
    acting: Iterable[str] = (),
    *,
    given: Iterable[str] = (),
    attesters: Iterable[str] = (),
    names: Names = PLAIN,
) -> list[str]:
    """The keyword list for those a gate waits on (person → their groups); for those who may act
    for them by delegation, as deputies or as managers; and for those who may attest.

    People by name while they fit. A large committee collapses to its groups, and the memo then
    says who of them has not voted. Who was given a seat (`given`) is in none of its groups by the
    directory, and so comes first and by name.

    Attesters stay in it when they have attested, so that no attestation costs an upsert: the inbox
    asks the round what it still lacks.
    """
    attest = [attester_key(person, names) for person in sorted(set(attesters))]
    if not collapses(pending, acting, names):
        return _bounded([*_named(pending, acting, names), *attest])
    given = set(given)
    found_by = {
        person: () if person in given else tuple(groups) for person, groups in pending.items()
    }
    alone = [person_key(p, names) for p in sorted(p for p, of in found_by.items() if not of)]
    groups = sorted({group for of in found_by.values() for group in of})
    shared = [group_key(group, names) for group in groups]
    helping = [acting_key(person, names) for person in sorted(set(acting))]
    return _bounded([*alone, *shared, *helping, *attest])


def owed_by(owner: str, team: Iterable[str], names: Names = PLAIN) -> list[str]:
    """The keyword list while the owner owes work. The clocks stand still for exactly these: the
    owner always has room, and the team as far as it fits."""
    return _bounded([person_key(p, names) for p in (owner, *sorted(set(team) - {owner}))])


EVENTS = "event:*"
"""On a product: it waits for more events than had room, so that each asks it."""

_PLAIN = re.compile(r"[A-Za-z0-9._/@:+-]{1,120}")


def event_key(source: str, type: str, subject: str | None, names: Names = PLAIN) -> str:
    """What a product waits for: an event of this type, about this subject if it names one.

    As it is where it is short and plain, and as a digest where it is not.
    """
    words = f"event:{source}/{type}" + (f"/{subject}" if subject else "")
    if names.hidden:
        return f"event:{names.of('event', words)}"
    if _PLAIN.fullmatch(words):
        return words
    digest = sha256(f"{type}\n{subject or ''}".encode()).hexdigest()[:24]
    return f"event:{source}/sha256-{digest}"


def event_keys(source: str, type: str, subject: str | None, names: Names = PLAIN) -> list[str]:
    """What an event asks for: products that wait for it, for any of its type, and for too much."""
    exact = [event_key(source, type, subject, names)] if subject else []
    return [*exact, event_key(source, type, None, names), EVENTS]


def waiting_on_events(keys: Sequence[str]) -> list[str]:
    """The keyword list of a product that waits for these events."""
    return _bounded(keys, EVENTS)


def _bounded(keys: Sequence[str], others: str = EVERYBODY) -> list[str]:
    """As many of these as fit, in their order; and what stands for the others if some do not."""
    if _size(keys) <= WAITING_ON_BYTES:
        return list(keys)
    found: list[str] = []
    room = WAITING_ON_BYTES - _size([others])
    for key in keys:
        if _size([key]) <= room:
            found.append(key)
            room -= _size([key])
    return [*found, others]


def _size(entries: Iterable[str]) -> int:
    return sum(len(entry.encode()) + 3 for entry in entries)


def review_attributes(product: ProductFacts, gate: str, names: Names = PLAIN) -> dict[str, str]:
    """The attributes that a round has from its first moment."""
    return {
        "PhasegateStatus": "open",
        "PhasegateProduct": product.key,
        "PhasegateOwner": names.person(product.owner),
        "PhasegatePolicy": product.policy,
        "PhasegateGate": gate,
    }
