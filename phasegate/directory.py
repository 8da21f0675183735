"""The directory: people and the groups that give them a say."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from phasegate.base import Document, PersonId, Slug, Text


class Person(Document):
    name: Text = ""
    email: str = Field("", max_length=320)
    manager: PersonId | None = None


class Group(Document):
    title: Text = ""
    members: tuple[PersonId, ...] = ()


class Directory(Document):
    """People and groups. Published under its name; gates pin the digest they opened with."""

    schema_version: Literal[1] = 1
    directory: Slug = "default"
    people: dict[PersonId, Person]
    groups: dict[Slug, Group]

    def members(self, group: str) -> tuple[str, ...]:
        """The people of a group, sorted, nobody twice; nobody where there is no such group."""
        found = self.groups.get(group)
        return tuple(sorted(set(found.members))) if found else ()

    def groups_of(self, person: str) -> tuple[str, ...]:
        return tuple(sorted(name for name, group in self.groups.items() if person in group.members))

    def name_of(self, person: str) -> str:
        """The person's display name, or their id."""
        known = self.people.get(person)
        return known.name if known and known.name else person
