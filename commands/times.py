"""Instants as people write them on a command line."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from client.usage import UsageError
from phasegate.requests import PlannedDue
from phasegate.span import TooLong
from phasegate.within import BusinessDays, read_length

_DUE = TypeAdapter(PlannedDue)
_FORMS = "a day as 2027-03-01, an instant as 2027-03-01T09:00:00Z, or a span as '10 days'"


def day_of(at: datetime | None) -> str:
    """The day of an instant, in UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%d") if at else ""


def instant_of(
    text: str, option: str, *, day: Literal["starts", "ends"] = "ends", now: datetime | None = None
) -> datetime:
    """A day (in UTC: its end, or its start where something begins), an instant, or a span from
    now. Raises UsageError."""
    text = text.strip()
    if day == "starts" and (begins := _day(text)):
        return begins
    try:
        return _DUE.validate_python(text)
    except ValidationError as error:
        why = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
        if text[:4].isdigit() and text[4:5] == "-":  # meant as a date
            raise _wrong(text, option, why) from None
    try:
        length = read_length(text)
    except TooLong as error:
        raise _wrong(text, option, str(error)) from None
    except ValueError:
        raise _wrong(text, option, f"needs {_FORMS}") from None
    if isinstance(length, BusinessDays):
        why = "business days need somebody's calendar, and this is one instant for everybody"
        raise _wrong(text, option, f"{why}; needs {_FORMS}")
    now = now or datetime.now(UTC)
    try:
        instant = length.after(now)
    except (OverflowError, ValueError):
        raise _wrong(text, option, "is beyond the years there are") from None
    if instant <= now:
        raise _wrong(text, option, "is not ahead of now")
    return instant


def ahead_of(text: str, option: str, now: datetime) -> datetime:
    """An instant that is still to come, or the day that it is now. Raises UsageError."""
    at = instant_of(text, option, now=now)
    if at < now:
        why = "it has passed: the record tells what was known then"
        raise UsageError(f"{option} {text} cannot be used", why, f"{option} 2099-01-01")
    return at


def _day(text: str) -> datetime | None:
    try:
        return datetime.combine(date.fromisoformat(text), time(), UTC) if len(text) == 10 else None
    except ValueError:
        return None


def _wrong(text: str, option: str, why: str) -> UsageError:
    return UsageError(f"{option} {text!r} cannot be used", why, f"{option} 2027-03-01")
