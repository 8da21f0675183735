"""Which words of the record are about somebody, and what stands in their place.

Of a person: who they are (id, display name, mail addresses) becomes a pseudonym, so that votes can
still be counted; what they wrote is taken out. Of a customer the same. Numbers, instants and the
engine's own words stay. Texts in which others write of them in yet other words are not found.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from phasegate.events import Announcement
from phasegate.redacted import GONE
from phasegate.seals import Place, texts

Kind = Literal["person", "customer"]

KEPT = frozenset(
    {
        "assurance",
        "channel",
        "code",
        "condition",
        "criterion",
        "definition_digest",
        "digest",
        "directory",
        "directory_digest",
        "due",
        "follows",
        "gate",
        "group",
        "groups",
        "kind",
        "link",
        "milestone",
        "origin",
        "outcome",
        "phase",
        "policy",
        "policy_digest",
        "pseudonym",
        "respond_due",
        "resolve_due",
        "revision",
        "run",
        "schema_version",
        "source",
        "state",
        "status",
        "step",
        "task",
        "type",
        "vote",
        "workflow_id",
    }
)
"""Fields whose values name no person, though a group or a gate may be called like one."""

BY_GROUP = frozenset({"reviewers", "approvers", "groups"})
"""Fields whose value is keyed by groups, or by gates and groups."""

SEATS = frozenset({"seats", "people"})
"""Fields with the groups that a person sits in: person → groups."""

AUTHORS = ("actor", "by", "approver", "confirmed_by")
"""Fields that say who wrote what stands beside them."""

WRITTEN = frozenset({"comment", "note", "reason", "what", "why", "text", "hint"})
"""Fields with words that somebody wrote."""

FINGERPRINT = "SHA256:"
"""How the fingerprint of a key begins: whose it is, other places tell."""

OURS = frozenset(
    {
        "gate.vote",
        "gate.advice",
        "gate.decided",
        "gate.opened",
        "gate.seats",
        "gate.step",
        "gate.dates",
        "gate.refused",
        "product.refused",
        "sunset.refused",
        "product.started",
        "product.evidence",
    }
)
"""Types whose sentence is the engine's own. In others it may hold a note, and goes as a whole."""

NESTED = frozenset({"view", "lifecycle", "product", "grounds"})
"""Data that has authors of its own: who said the event did not write what stands in there."""

SHORTEST = 12
"""Characters of what somebody wrote that is found in the middle of other texts, too."""


@dataclass(frozen=True)
class Subject:
    """Who is taken out, and what else they are called: display names, mail addresses."""

    kind: Kind
    id: str
    names: tuple[str, ...]
    pseudonym: str

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Their id (as it is written), and their names (in any case), as words."""
        names = sorted({name for name in self.names if name.strip()}, key=len, reverse=True)
        spaced = (r"\s+".join(map(re.escape, name.split())) for name in names)
        listed = [f"(?i:{name})" for name in spaced]
        own = re.escape(self.id)
        if self.kind == "customer" and self.id.isdecimal():  # any number might be meant
            own = rf"(?<=customer ){own}|^{own}(?= \()|^{own}$"
        return re.compile(rf"(?<!\w)(?<!\w[.@+-])(?:{'|'.join((*listed, own))})(?!\w)(?![.@+-]\w)")

    def hidden(self, text: str) -> str:
        """A text with the pseudonym in the place of each of their names."""
        return self.pattern.sub(self.pseudonym, text)

    def named_in(self, text: str) -> bool:
        return self.pattern.search(text) is not None


@dataclass(frozen=True)
class Entry:
    """An entry to look at: its type, and its texts."""

    event: Announcement
    places: list[Place]

    @classmethod
    def of(cls, event: Announcement, body: str) -> Entry:
        """Raises ValueError for a body that is none."""
        return cls(event, texts(body))


def words_of(subject: Subject, entries: Iterable[Entry]) -> set[str]:
    """What the subject wrote, in all these entries."""
    return {
        place.text
        for entry in entries
        for place in entry.places
        if _theirs(subject, entry, place) and place.text.strip() and place.text != GONE
    }


def instead(subject: Subject, entry: Entry, words: Iterable[str]) -> Mapping[int, str]:
    """What stands in the place of which texts of an entry, by number; empty: it is not about them.

    `words` is what they wrote anywhere in the stream: it is repeated in views and sentences.
    """
    known = set(words)
    long = sorted((one for one in known if len(one) >= SHORTEST), key=len, reverse=True)
    found: dict[int, str] = {}
    for place in entry.places:
        new = _replaced(subject, entry, place, known, long)
        if new != place.text:
            found[place.number] = new
    return found


def _replaced(
    subject: Subject, entry: Entry, place: Place, known: set[str], long: list[str]
) -> str:
    if place.is_name:
        called_like = len(place.path) < 3 or BY_GROUP & set(place.path[:-1])
        return place.text if called_like else subject.hidden(place.text)
    if (_field(place) in KEPT or _is_group(place)) and not _theirs(subject, entry, place):
        return place.text
    if place.text in known and _field(place) in (*WRITTEN, "conditions", "key"):
        return GONE
    if place.text.strip() and _theirs(subject, entry, place):
        return GONE
    text = place.text
    for one in long if _field(place) in WRITTEN else ():  # and no title that says the same
        text = text.replace(one, GONE)
    if subject.kind == "customer" and entry.event.type == "sunset.customers":
        head, mark, note = text.partition(": ")
        if note and subject.named_in(head):
            text = f"{head}{mark}{GONE}"
    return subject.hidden(text)


def _field(place: Place) -> str:
    """The name of the field whose value it is, also within a list."""
    return next((part for part in reversed(place.path) if isinstance(part, str)), "")


def _is_group(place: Place) -> bool:
    return len(place.path) > 3 and place.path[-3] in SEATS and isinstance(place.path[-1], int)


def _theirs(subject: Subject, entry: Entry, place: Place) -> bool:
    """Whether the subject wrote it, or signed with it."""
    if place.is_name or subject.kind != "person":
        return False
    path, field = place.path, _field(place)
    if path == ("text",):
        return entry.event.actor == subject.id and entry.event.type not in OURS
    signed = "signed" in path and field not in ("directory", "at")
    signed = signed or field == "request_id" or place.text.startswith(FINGERPRINT)
    if path[0] != "data" or not (signed or field in WRITTEN or field == "conditions"):
        return False
    return _author(entry.event, path) == subject.id


def _author(event: Announcement, path: tuple[str | int, ...]) -> str | None:
    """Who wrote what stands there: whom the nearest object around it names as its author."""
    around: Any = event.data
    within: list[tuple[str | int, dict[str, Any]]] = []
    for part in path[1:-1]:
        around = around[part]
        if isinstance(around, dict):
            within.append((part, around))
    for called, found in reversed(within):
        named = [found.get(author) for author in AUTHORS]
        if path[-1] == "note":  # of a condition: whoever closed it wrote it, and not its text
            named.append(found.get("closed_by"))
        if author := next((one for one in named if isinstance(one, str) and one), None):
            return author
        if called in NESTED:
            return None
    return event.actor or event.data.get("by")
