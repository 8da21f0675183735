"""A directory, and what changed of one, as people read it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from client.differences import FieldChange
from client.directories import DirectoryDiff
from commands.output import Block, Fields, Grid, dense
from phasegate.base import digest_of
from phasegate.directory import WORKING_DAYS, Directory, Key, Person
from phasegate.ssh_keys import public_key, shown


def directory_blocks(directory: Directory) -> Iterable[Block]:
    """People, their absences, groups."""
    yield Fields(
        [
            ("directory", directory.directory),
            ("people", len(directory.people)),
            ("digest", digest_of(directory)),
        ]
    )
    yield dense(
        ("group", "title", "size", "votes at tiers", "may also", "members"),
        [
            (
                group,
                about.title,
                len(about.members),
                about.approve,
                [_permission(p, tiers) for p, tiers in about.permissions.items()],
                directory.members(group),
            )
            for group, about in sorted(directory.groups.items())
        ],
        "Groups",
    )
    yield dense(
        ("person", "name", "mail", "manager", "deputy", "calendar", "groups"),
        [
            (
                person,
                about.name,
                about.email,
                about.manager,
                about.deputy,
                _calendar(about),
                directory.groups_of(person),
            )
            for person, about in sorted(directory.people.items())
        ],
        "People",
    )
    away = [
        (person, absence.start, absence.end, absence.delegate)
        for person, about in directory.people.items()
        for absence in about.absences
    ]
    rows = sorted(away, key=lambda row: (row[1], row[0]))
    yield dense(("away", "from", "to", "who acts for them"), rows, "Absences")
    yield dense(
        ("person", "key", "type", "from", "until", "revoked", "note"),
        [
            row
            for person, about in sorted(directory.people.items())
            for row in _keys(person, about.keys)
        ],
        "Keys",
    )


def _keys(person: str, keys: Iterable[Key]) -> Iterable[tuple[object, ...]]:
    for key in keys:
        try:
            read = public_key(key.key)
            seen = (read.fingerprint, read.type)
        except ValueError as error:
            seen = ("unreadable", str(error))
        yield (person, *seen, key.valid_from, key.valid_until, key.revoked, key.note)


def _permission(permission: str, tiers: Iterable[int]) -> str:
    numbers = " ".join(map(str, tiers))
    return f"{permission} (tier {numbers})" if numbers else f"{permission} (at no tier)"


def _calendar(about: Person) -> list[str]:
    """What differs from Monday to Friday in UTC without holidays."""
    place = "-".join(part for part in (about.country, about.subdivision) if part)
    zone = about.time_zone if about.time_zone != "UTC" else ""
    week = "" if about.working_days == WORKING_DAYS else " ".join(about.working_days)
    return [part for part in (place, zone, week) if part]


def diff_blocks(change: DirectoryDiff) -> Iterable[Block]:
    """People, then groups."""
    people: list[tuple[str, ...]] = [
        ("added", person, "", "", "") for person in change.people_added
    ]
    people += [("removed", person, "", "", "") for person in change.people_removed]
    people += [
        ("changed", told.person, *_told(field))
        for told in change.people_changes
        for field in told.changes
    ]
    yield dense(("change", "person", "what", "was", "is"), people, "People")
    moved = [g for g in change.groups if g.added or g.removed or g.change != "changed"]
    rows = [(g.change, g.group, g.added, g.removed) for g in moved]
    yield Grid(("change", "group", "joined", "left"), rows, "Groups")
    yield Grid(
        ("group", "what", "was", "is"),
        [(g.group, *_told(field)) for g in change.groups for field in g.changes],
        "What groups may do",
    )


def _told(change: FieldChange) -> tuple[str, str, str]:
    return change.field.replace("_", " "), _said(change.old), _said(change.new)


def _said(value: Any) -> str:
    """A value of a directory file in words."""
    match value:
        case None | "":
            return "none"
        case {"start": start, "end": end}:
            return f"{start} to {end}" + (f" ({value['delegate']})" if value["delegate"] else "")
        case {"key": str()}:
            return shown(Key.model_validate(value))
        case Mapping():
            return ", ".join(_permission(name, tiers) for name, tiers in value.items()) or "none"
        case list():
            return ", ".join(map(_said, value)) or "none"
    return str(value)
