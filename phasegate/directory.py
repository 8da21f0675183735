"""The directory: people, the groups that give them a say, and who stands in for whom."""

from __future__ import annotations

import re
from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from phasegate.base import Document, PersonId, Slug, Text

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

LONGEST_KEY = 8_000
"""Characters. The longest that OpenSSH makes, RSA of 16,384 bits, has fewer."""

WORKING_DAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri")


def _day(value: object) -> object:
    """Text is read here: pydantic in strict mode takes no text for a date."""
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            return value
    return value


Day = Annotated[date, BeforeValidator(_day)]
"""A day of the calendar, as `2026-12-24`."""


_ATOM = r"[\w!#$%&'*+/=?^`{|}~\u00a1-\U0010ffff-]+"
_LABEL = r"[^\W_](?:[\w-]*[^\W_])?"
_ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*")
_LONGEST_NAME, _LONGEST_ADDRESS = 64, 254


def address_problem(address: str) -> str:
    """Why mail cannot be sent to an address; empty if it can.

    An address is a dot-atom, `@` and a domain (RFC 5322, 3.4.1), also beyond ASCII (RFC 6531).
    Quoted names and addresses of hosts in brackets are refused: nobody has them, and they hide
    mistakes. Lengths are those of RFC 5321, 4.5.3.1.
    """
    form = "use one address such as ana@example.com, and nothing around it"
    if not address.isprintable() or not _ADDRESS.fullmatch(address):
        return f"{address[:80]!r} is no mail address; {form}"
    name = address.partition("@")[0].encode()
    if len(name) > _LONGEST_NAME or len(address.encode()) > _LONGEST_ADDRESS:
        most = f"{_LONGEST_NAME} bytes before the @, {_LONGEST_ADDRESS} in all"
        return f"{address[:80]!r} is too long for a mail address ({most}); {form}"
    return ""


class Permission(StrEnum):
    """What a group may do beyond voting, at the tiers it is given for."""

    waive = "waive"
    override = "override"
    extend = "extend"
    reassign = "reassign"
    migrate = "migrate"


class Absence(Document):
    """Days on which somebody is away, the last one included, and who acts for them."""

    start: Day
    end: Day = Field(description="the last day away")
    delegate: PersonId | None = None

    @model_validator(mode="after")
    def _forwards(self) -> Absence:
        if self.end < self.start:
            raise ValueError(f"ends on {self.end}, before it starts on {self.start}")
        return self


class Key(Document):
    """A public key of somebody's, by which what they sign is known to be theirs.

    `valid_from` and `valid_until` bound when it may be used (first moment to last, UTC). A key that
    is `revoked` counts for nothing from that day on, and votes that stand by it are void.
    """

    key: str = Field(
        max_length=LONGEST_KEY, description="as in a .pub file of OpenSSH: ssh-ed25519 AAAA…"
    )
    valid_from: Day | None = None
    valid_until: Day | None = Field(None, description="the last day")
    revoked: Day | None = Field(None, description="the first day on which it is not trusted")
    note: Text = ""


class Person(Document):
    """Somebody who may have a say, and the calendar they work by."""

    name: Text = ""
    # No pattern: published directories must stay readable. Lint says what is no address.
    email: str = Field("", max_length=320)
    quiet: bool = Field(False, description="no mail about what concerns them; the inbox has it")
    manager: PersonId | None = None
    deputy: PersonId | None = Field(None, description="acts for them when they do not answer")
    country: str | None = Field(None, description="whose holidays they have, as ISO 3166: DE, US")
    subdivision: str | None = Field(None, description="part of the country, as ISO 3166-2: BY, CA")
    time_zone: str = Field("UTC", description="as the IANA names it: Europe/Berlin")
    working_days: tuple[Weekday, ...] = Field(WORKING_DAYS, min_length=1)
    absences: tuple[Absence, ...] = ()
    keys: tuple[Key, ...] = Field((), max_length=20, description="public keys that they sign with")


class Group(Document):
    """People with the same say. Authority grows with the role that a group stands for."""

    title: Text = ""
    members: tuple[PersonId, ...] = ()
    approve: tuple[int, ...] = Field(
        (), description="tiers of products its members may vote on; all if empty"
    )
    permissions: dict[Permission, tuple[int, ...]] = Field(
        {}, description="what its members may do, and at which tiers"
    )


class Directory(Document):
    """People and groups. Published under its name; gates pin the digest they opened with."""

    schema_version: Literal[1] = 1
    directory: Slug = "default"
    people: dict[PersonId, Person] = Field(max_length=20_000)
    groups: dict[Slug, Group] = Field(max_length=2_000)

    def members(self, group: str) -> tuple[str, ...]:
        """The people of a group, sorted, nobody twice; nobody where there is no such group."""
        found = self.groups.get(group)
        return tuple(sorted(set(found.members))) if found else ()

    def voters(self, group: str, tier: int) -> tuple[str, ...]:
        """Those members whose group may vote on products of this tier."""
        return () if self.silent(group, tier) else self.members(group)

    def silent(self, group: str, tier: int) -> bool:
        """Whether there is such a group, and it may not vote on products of this tier."""
        found = self.groups.get(group)
        return found is not None and bool(found.approve) and tier not in found.approve

    def groups_of(self, person: str) -> tuple[str, ...]:
        return tuple(sorted(name for name, group in self.groups.items() if person in group.members))

    def permissions(self, person: str, tier: int) -> tuple[Permission, ...]:
        """What this person may do with products of this tier, sorted."""
        given = {
            permission
            for group in self.groups.values()
            if person in group.members
            for permission, tiers in group.permissions.items()
            if tier in tiers
        }
        return tuple(sorted(given))

    def managers(self, person: str) -> tuple[str, ...]:
        """The chain of managers above somebody, the nearest first; a circle ends it."""
        chain: list[str] = []
        known = self.people.get(person)
        while known and known.manager and known.manager not in (person, *chain):
            chain.append(known.manager)
            known = self.people.get(known.manager)
        return tuple(chain)

    def name_of(self, person: str) -> str:
        """The person's display name, or their id."""
        known = self.people.get(person)
        return known.name if known and known.name else person
