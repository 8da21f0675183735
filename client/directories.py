"""The directory: publish it, and say what changed between two of them."""

from __future__ import annotations

from datetime import UTC, datetime

from client.differences import FieldChange, field_changes
from ledger import Ledger
from phasegate.base import Wire
from phasegate.directory import Directory


class Published(Wire):
    schema_version: int = 1
    name: str
    digest: str
    n: int
    changed: bool
    published_at: datetime
    published_by: str
    notified: bool = False
    gates_heard: int = 0
    gates_silent: list[str] = []


class PersonChange(Wire):
    person: str
    changes: list[FieldChange]


class GroupChange(Wire):
    group: str
    change: str
    added: list[str]
    removed: list[str]
    changes: list[FieldChange] = []


class DirectoryDiff(Wire):
    schema_version: int = 1
    old: str
    new: str
    people_added: list[str]
    people_removed: list[str]
    people_changed: list[str]
    people_changes: list[PersonChange] = []
    groups: list[GroupChange]


def publish(ledger: Ledger, directory: Directory, by: str) -> Published:
    """Make a directory the current one of its name. The same one again changes nothing."""
    documents, name = ledger.documents, directory.directory
    before = documents.current("directory", name)
    digest = documents.publish("directory", name, directory, datetime.now(UTC), by)
    current = documents.current("directory", name)
    assert current is not None, "what was just published has a publication"
    return Published(
        name=name,
        digest=digest,
        n=current.n,
        changed=before is None or before.n != current.n,
        published_at=current.published_at,
        published_by=current.published_by,
    )


def diff(old: Directory, new: Directory, *, names: tuple[str, str]) -> DirectoryDiff:
    """Who came, who left, what is new about those who stayed, and which groups changed."""
    was, now = old.people, new.people
    changed = [
        PersonChange(person=person, changes=changes)
        for person in sorted(was.keys() & now.keys())
        if (changes := field_changes(was[person], now[person]))
    ]
    return DirectoryDiff(
        old=names[0],
        new=names[1],
        people_added=sorted(now.keys() - was.keys()),
        people_removed=sorted(was.keys() - now.keys()),
        people_changed=[change.person for change in changed],
        people_changes=changed,
        groups=_groups(old, new),
    )


def _groups(old: Directory, new: Directory) -> list[GroupChange]:
    found = []
    for group in sorted({*old.groups, *new.groups}):
        before, after = set(old.members(group)), set(new.members(group))
        was, now = old.groups.get(group), new.groups.get(group)
        word = "added" if was is None else "removed" if now is None else "changed"
        changes = field_changes(was, now) if was and now else []
        changes = [change for change in changes if change.field != "members"]
        if before != after or changes or word != "changed":
            found.append(
                GroupChange(
                    group=group,
                    change=word,
                    added=sorted(after - before),
                    removed=sorted(before - after),
                    changes=changes,
                )
            )
    return found
