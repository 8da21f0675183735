"""Spans of time as policies write them: `90 days`, `12 months`, `-30 days`, `PT1.5S`."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

_UNITS = {
    "second": timedelta(seconds=1),
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
}
_WORDS = re.compile(r"^(-?)(\d+(?:\.\d+)?) (second|minute|hour|day|week|month|year)s?$")
_ISO = re.compile(
    r"^(-?)P(?=[\dT])(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?"
    r"(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d{1,6})?)S)?)?$"
)
_LONGEST = timedelta(days=365_243)
_HELP = "a span such as '90 days', '12 months', '-30 days', '2 hours' or ISO 8601 'P1Y', 'PT90S'"


class TooLong(ValueError):
    """Well written, and longer than any span may be."""


@dataclass(frozen=True)
class Span:
    """A signed span: whole calendar months, and an exact length of time.

    Months are kept apart, because `12 months` after 29 February is a matter of the calendar
    (the last day of a shorter month, as in ISO 8601 and RFC 5545 practice), not of seconds.
    """

    months: int = 0
    exact: timedelta = timedelta(0)

    @classmethod
    def parse(cls, text: str) -> Span:
        """Read a span. Raises ValueError with the accepted forms, TooLong beyond 1000 years."""
        text = " ".join(text.split())
        try:
            span = cls._read(text)
            if abs(span.approximate) <= _LONGEST:
                return span
        except OverflowError:
            pass  # longer than Python's timedelta can be: the same answer
        raise TooLong(f"{text[:40]!r} is too long: a span has 1000 years at most")

    @classmethod
    def _read(cls, text: str) -> Span:
        if match := _WORDS.match(text):
            sign, number, unit = match.groups()
            factor = -1 if sign else 1
            if unit in ("month", "year"):
                if "." in number:
                    raise ValueError(f"{text!r} is not whole: months and years are calendar spans")
                return cls(months=factor * int(number) * (12 if unit == "year" else 1))
            return cls(exact=factor * float(number) * _UNITS[unit])
        if match := _ISO.match(text):
            sign, years, months, weeks, days, hours, minutes, seconds = match.groups()
            factor = -1 if sign else 1
            exact = timedelta(
                weeks=int(weeks or 0),
                days=int(days or 0),
                hours=int(hours or 0),
                minutes=int(minutes or 0),
                seconds=float(seconds or 0),
            )
            return cls(factor * (int(years or 0) * 12 + int(months or 0)), factor * exact)
        raise ValueError(f"{text!r} is not {_HELP}")

    def after(self, instant: datetime) -> datetime:
        """The instant this span after `instant` (before it, for a negative span)."""
        if self.months:
            year, month = divmod(instant.year * 12 + instant.month - 1 + self.months, 12)
            last = monthrange(year, month + 1)[1]
            instant = instant.replace(year=year, month=month + 1, day=min(instant.day, last))
        return instant + self.exact

    def before(self, instant: datetime) -> datetime:
        """The instant this span before `instant`."""
        return Span(-self.months, -self.exact).after(instant)

    @property
    def approximate(self) -> timedelta:
        """A length to compare spans by, with a month taken as a twelfth of 365.2425 days."""
        return self.exact + self.months * timedelta(days=365.2425 / 12)

    def __str__(self) -> str:
        negative = self.months < 0 or self.exact < timedelta(0)
        months, exact = abs(self.months), abs(self.exact)
        text = "-P" if negative else "P"
        if months:
            text += f"{months}M"
        if exact.days:
            text += f"{exact.days}D"
        rest = exact.seconds + exact.microseconds / 1_000_000
        if rest or text in ("P", "-P"):
            text += f"T{rest:f}".rstrip("0").rstrip(".") + "S" if rest else "T0S"
        return text

    @property
    def words(self) -> str:
        """How a person would say it: `12 months`, `90 days`, `1.5 seconds`."""
        if self.months and not self.exact:
            count, unit = self.months, "month"
            if count % 12 == 0:
                count, unit = count // 12, "year"
            return f"{count} {unit}" + ("" if abs(count) == 1 else "s")
        if not self.months:
            for unit in ("day", "hour", "minute"):
                count, rest = divmod(abs(self.exact), _UNITS[unit])
                if count and not rest:
                    sign = "-" if self.exact < timedelta(0) else ""
                    return f"{sign}{count} {unit}" + ("" if count == 1 else "s")
            return f"{self.exact.total_seconds():.6f}".rstrip("0").rstrip(".") + " seconds"
        return str(self)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        def read(value: object) -> Span:
            if isinstance(value, Span):
                return value
            if isinstance(value, str):
                return cls.parse(value)
            raise ValueError(f"{value!r} is not {_HELP}")

        return core_schema.no_info_plain_validator_function(
            read, serialization=core_schema.plain_serializer_function_ser_schema(str)
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"type": "string", "description": _HELP, "examples": ["90 days", "12 months"]}
