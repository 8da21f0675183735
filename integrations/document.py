"""The integrations file: systems to ask, senders to trust, and receivers to tell.

It belongs to whoever runs phasegate, not to a policy or a product: a policy names a connection,
and what it may be used for and with which secret is decided here.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field, StringConstraints, field_validator, model_validator

from integrations.secret import Secret
from phasegate.base import Document, PersonId, Slug
from phasegate.directory import Weekday
from phasegate.reach import network
from phasegate.span import Span

Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s]+$", max_length=2000)]
Address = Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$", max_length=254)]
Pattern = Annotated[
    str, StringConstraints(pattern=r"^(\*|[a-z]+(-[a-z]+)*\.(\*|[a-z]+(-[a-z]+)*))$")
]
"""An event type such as `gate.decided`, `gate.*` for a family, `*` for all."""


def _ahead(span: Span) -> Span:
    if span.approximate <= Span().approximate:
        raise ValueError("needs a span ahead, such as '3 days'")
    return span


def _network(text: str) -> str:
    network(text)
    return text


Networks = Annotated[
    tuple[Annotated[str, StringConstraints(max_length=60), AfterValidator(_network)], ...],
    Field(max_length=100),
]
"""Addresses and networks such as 127.0.0.1 or 10.0.0.0/8."""

Patience = Annotated[Span, AfterValidator(_ahead)]
"""How long something is tried before it is given up."""


class Connection(Document):
    """A system that checks may ask. Its token is sent to this address and to no other."""

    kind: Literal["http", "github", "gitlab", "jira"] = "http"
    url: Url = Field(description="the address that paths of checks are added to")
    token: Secret | None = None
    user: str | None = Field(None, max_length=200, description="with the token, HTTP Basic")
    header: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9-]{1,100}$",
        description="the header that carries the token, if it is not Authorization: Bearer",
    )

    products: bool = Field(
        False,
        description="products' own milestones may ask through it; else only policies may",
    )
    allow_addresses: Networks = Field(
        (), description="addresses that only this one may lead to, beside those of the file"
    )

    @field_validator("url")
    @classmethod
    def _address_only(cls, url: str) -> str:
        rest = url.partition("://")[2]
        if "@" in rest.partition("/")[0] or re.search(r"[?#\\]", rest):
            raise ValueError("takes host and path only: no user, no secret, no ? and no #")
        return url

    @model_validator(mode="after")
    def _one_way(self) -> Connection:
        if self.user and self.header:
            raise ValueError("takes user or header, not both")
        if (self.user or self.header) and not self.token:
            raise ValueError("user and header need a token")
        return self


class Source(Document):
    """A sender of events, as `phasegate serve` takes them below /events/NAME."""

    kind: Literal["cloudevents", "standard-webhooks", "github", "gitlab"]
    secret: Secret = Field(description="what the sender signs with, or sends as its token")
    previous: Secret | None = Field(None, description="an older one, good while it is rotated")


class Feed(Document):
    """A sender of customers, as `phasegate serve` takes them at /customers/KEY."""

    kind: Literal["bearer", "standard-webhooks"] = "bearer"
    secret: Secret = Field(description="what the sender sends as its token, or signs with")
    previous: Secret | None = Field(None, description="an older one, good while it is rotated")
    who: PersonId = Field(
        description="in whose name it changes customers: the product's owner, or one of its team"
    )

    @property
    def proven_as(self) -> Source:
        """The same proofs as those of events."""
        kind: Literal["cloudevents", "standard-webhooks"] = (
            "cloudevents" if self.kind == "bearer" else "standard-webhooks"
        )
        return Source(kind=kind, secret=self.secret, previous=self.previous)


class Subscriber(Document):
    """A receiver of every transition, as CloudEvents signed by Standard Webhooks."""

    url: Url
    secret: Secret = Field(description="the signing key: whsec_ and base64")
    events: tuple[Pattern, ...] = ("*",)
    start: Literal["now", "beginning"] = Field(
        "now", description="a new one is sent what happens from now on, or the whole record"
    )
    give_up: Patience = Span.parse("3 days")
    allow_addresses: Networks = Field(
        (), description="addresses that only this one may lead to, beside those of the file"
    )


class Mail(Document):
    """The server that mail goes through, and whom it comes from."""

    host: str = Field(min_length=1, max_length=253)
    port: int = Field(587, ge=1, le=65535)
    tls: Literal["starttls", "tls", "none"] = "starttls"
    user: str | None = Field(None, max_length=200)
    password: Secret | None = None
    sender: Address
    gather: Span = Field(
        Span.parse("1 minute"), description="how long several messages to a person become one"
    )
    give_up: Patience = Span.parse("3 days")

    @model_validator(mode="after")
    def _both(self) -> Mail:
        if (self.user is None) is not (self.password is None):
            raise ValueError("needs both user and password, or neither")
        return self


class Chat(Document):
    """A chat channel. Apprise knows the address; as it holds a token, it is a secret."""

    url: Secret = Field(description="an Apprise URL, such as slack://… or mmost://…")
    events: tuple[Pattern, ...] = ("gate.*", "product.*", "milestone.*", "condition.*")
    give_up: Patience = Span.parse("3 days")


class Digest(Document):
    """The weekly letter on the whole portfolio."""

    to: tuple[Address, ...] = Field(min_length=1)
    weekday: Weekday = "mon"
    at: str = Field("07:00", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    time_zone: str = "UTC"

    @field_validator("time_zone")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError("needs a time zone by its IANA name, such as Europe/Berlin")
        return name


class Codec(Document):
    """Lets the Temporal UI show what confidential mode encrypts, through `phasegate serve`."""

    origin: Annotated[
        str, StringConstraints(pattern=r"^https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?$", max_length=300)
    ] = Field(description="of the UI, as its address bar begins: https://temporal.example.org")
    token: Secret = Field(description="what people log in with, or a proxy sends")


class Integrations(Document):
    """One file for an installation; empty if there is none."""

    schema_version: Literal[1] = 1
    connections: dict[Slug, Connection] = {}
    sources: dict[Slug, Source] = {}
    feeds: dict[Slug, Feed] = {}
    subscribers: dict[Slug, Subscriber] = {}
    mail: Mail | None = None
    chat: dict[Slug, Chat] = {}
    digest: Digest | None = None
    codec: Codec | None = None
    allow_addresses: Networks = Field(
        (), description="loopback, link-local, private … addresses that may be called all the same"
    )

    @model_validator(mode="after")
    def _post(self) -> Integrations:
        if self.digest and not self.mail:
            raise ValueError("digest needs mail")
        return self

    def secrets(self) -> list[tuple[str, Secret]]:
        """Every secret that is pointed at, and from where."""
        found: list[tuple[str, Secret | None]] = []
        found += [(f"connections.{name}.token", c.token) for name, c in self.connections.items()]
        for where, senders in (("sources", self.sources), ("feeds", self.feeds)):
            for name, sender in senders.items():
                found.append((f"{where}.{name}.secret", sender.secret))
                found.append((f"{where}.{name}.previous", sender.previous))
        found += [(f"subscribers.{name}.secret", s.secret) for name, s in self.subscribers.items()]
        found += [(f"chat.{name}.url", channel.url) for name, channel in self.chat.items()]
        found.append(("mail.password", self.mail.password if self.mail else None))
        found.append(("codec.token", self.codec.token if self.codec else None))
        return [(where, secret) for where, secret in found if secret is not None]


def matches(patterns: tuple[str, ...], type: str) -> bool:
    """Whether an event type is among these: `gate.*` is every one that begins with `gate.`."""
    return any(p in ("*", type) or (p.endswith(".*") and type.startswith(p[:-1])) for p in patterns)
