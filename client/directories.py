"""The directory: publish it, and say what changed between two of them."""

from __future__ import annotations

from datetime import UTC, datetime

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


class GroupChange(Wire):
    group: str
    change: str
    added: list[str]
    removed: list[str]


class DirectoryDiff(Wire):
    schema_version: int = 1
    old: str
    new: str
    people_added: list[str]
    people_removed: list[str]
    people_changed: list[str]
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
    """Who came, who left, and which groups changed."""
    was, now = old.people, new.people
    groups = []
    for group in sorted({*old.groups, *new.groups}):
        before, after = set(old.members(group)), set(new.members(group))
        change = "changed"
        if group not in old.groups:
            change = "added"
        elif group not in new.groups:
            change = "removed"
        if before != after or change != "changed":
            added, removed = sorted(after - before), sorted(before - after)
            groups.append(GroupChange(group=group, change=change, added=added, removed=removed))
    return DirectoryDiff(
        old=names[0],
        new=names[1],
        people_added=sorted(now.keys() - was.keys()),
        people_removed=sorted(was.keys() - now.keys()),
        people_changed=sorted(p for p in was.keys() & now.keys() if was[p] != now[p]),
        groups=groups,
    )
