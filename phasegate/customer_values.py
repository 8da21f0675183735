"""The values of a customer in a file or feed: what each column takes. Pure."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta

from phasegate.customers import FACTS, Said
from phasegate.wording import shown

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*")
_EMAIL = re.compile(r"[^@\s<>()\[\],;:\\\"]{1,64}@[^@\s<>()\[\],;:\\\"]{1,253}")
_YES, _NO = ("yes", "y", "true", "x"), ("no", "n", "false")
_LONGEST = {"id": 100, "name": 200, "note": 500, "email": 254}
_LAST_YEAR = 2199


def value_of(column: str, text: str, now: datetime) -> str | Said:
    """What a cell says; None where it says nothing. Raises ValueError.

    Facts are not of the future: `now` says when that begins.
    """
    if column in FACTS:
        return _fact(text, now)
    return _contract(text) if column == "contract_until" else _text(column, text)


def _text(name: str, text: str) -> str | None:
    text = " ".join(text.split())
    if len(text) > _LONGEST[name]:
        raise ValueError(f"is too long: {_LONGEST[name]} characters at most")
    if not text.isprintable():
        raise ValueError("has a control character, or one that is not seen")
    if name == "id" and not text:
        raise ValueError("is missing")
    if name == "email" and text and not _EMAIL.fullmatch(text):
        raise ValueError(f"{shown(text)} is no mail address")
    return text or None


def _contract(text: str) -> datetime | None:
    """A day means its end."""
    found = _instant(text.strip(), time(23, 59, 59))
    if found and not 1970 <= found.year <= _LAST_YEAR:
        why = "leave it empty where no end is agreed"
        raise ValueError(f"{found.year} is not between 1970 and {_LAST_YEAR}: {why}")
    return found


def _fact(text: str, now: datetime) -> Said:
    """A day means its beginning. The day after now is let through: it has begun somewhere."""
    text = text.strip()
    if not text or text.lower() in (*_YES, *_NO):
        return None if not text else text.lower() in _YES
    found = _instant(text, time())
    if found and found > now + timedelta(days=1):
        raise ValueError(f"{text} is in the future: say what has happened")
    if found and found.year < 1970:
        raise ValueError(f"{text} is before 1970")
    return found


def _instant(text: str, at: time) -> datetime | None:
    if not text:
        return None
    try:
        if _DAY.fullmatch(text):
            return datetime.combine(date.fromisoformat(text), at, tzinfo=UTC)
        if _INSTANT.fullmatch(text):
            found = datetime.fromisoformat(text)
            if found.tzinfo:
                return found.astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError):
        pass
    raise ValueError(f"{shown(text)} is no date: write it as 2028-05-31")
