"""The two kinds of model phasegate knows, and the names and instants they share."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from hashlib import sha256
from json import dumps
from math import isfinite
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    StringConstraints,
)

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
"""A name of ours (product key, phase, gate, group): lower case, digits, dashes, 63 at most."""

PersonId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}$")]
"""A person as the directory names them: a login, a handle or a mail address, 64 at most."""

Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=4000)]
"""Free text from a person. Bounded, because it is kept in workflow histories for years."""


FigureName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
"""What a number or fact is called: an identifier of CEL, so that expressions can ask for it."""

LONGEST_FIGURE = 500
"""Characters of a fact. What is longer is a document: evidence links to it."""


def _figure(value: object) -> object:
    """Refused here in one sentence; each member of the union would have its own."""
    if isinstance(value, str):
        if len(value) > LONGEST_FIGURE:
            raise ValueError(f"is too long: {LONGEST_FIGURE} characters at most; link to the rest")
    elif not isinstance(value, bool | int | float):
        raise ValueError("needs a number, text, or true or false")
    elif isinstance(value, float) and not isfinite(value):
        raise ValueError("needs a finite number: JSON has no word for others")
    return value


Figure = Annotated[
    bool | int | float | Annotated[str, StringConstraints(max_length=LONGEST_FIGURE)],
    BeforeValidator(_figure),
]
"""A number or fact that expressions judge."""


class Document(BaseModel):
    """What people write in files: closed (an unknown field is an error) and immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Wire(BaseModel):
    """What travels and is kept: workflow state, requests, reports.

    Histories outlive releases, so an unknown field from a newer writer is ignored, and a field
    added later needs a default.
    """

    model_config = ConfigDict(extra="ignore")


def _utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("needs a time zone, as in 2026-11-23T09:00:00Z")
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("is too near the edge of the calendar") from None


def _due(value: object) -> object:
    """A plain date is due when that day ends (UTC)."""
    return _at(value, time(23, 59, 59))


def _beginning(value: object) -> object:
    """A plain date begins when that day begins (UTC)."""
    return _at(value, time(0))


def _at(value: object, hour: time) -> object:
    """A plain date becomes that hour of it, UTC.

    Text is read here and not by pydantic, which in strict mode takes no text for an instant, and
    in lax mode takes `20261123` for a second in 1970.
    """
    if isinstance(value, str):
        try:
            value = date.fromisoformat(value) if len(value) == 10 else datetime.fromisoformat(value)
        except ValueError:
            return value
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime.combine(value, hour, tzinfo=UTC)
    return value


Instant = Annotated[datetime, AfterValidator(_utc)]
"""An absolute instant, always in UTC."""

Due = Annotated[datetime, BeforeValidator(_due), AfterValidator(_utc)]
"""An instant by which something is due; a plain date means the end of that day, UTC."""

Beginning = Annotated[datetime, BeforeValidator(_beginning), AfterValidator(_utc)]
"""An instant at which something begins; a plain date means the beginning of that day, UTC."""


def canonical(data: Any) -> bytes:
    """The one byte form of a JSON value, for digests (sorted keys, no blanks, UTF-8, no NaN)."""
    text = dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode()


def digest_of(model: BaseModel) -> str:
    """The `sha256:` digest of a model's canonical JSON."""
    return "sha256:" + sha256(canonical(model.model_dump(mode="json"))).hexdigest()
