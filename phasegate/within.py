"""How long somebody has: a span of time, or a number of business days."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from phasegate.span import Span, TooLong

MOST_BUSINESS_DAYS = 1000
_BUSINESS = re.compile(r"^(\d{1,9}) (?:business|working) days?$")


@dataclass(frozen=True)
class BusinessDays:
    """So many working days of whoever has to answer: their week, their country's holidays.

    The day it starts on is not counted, and the last one counts to its end (as in Regulation
    (EEC, Euratom) No 1182/71, article 3).
    """

    count: int

    @property
    def approximate(self) -> timedelta:
        """A length to compare by: seven days for five."""
        return timedelta(days=self.count * 7 / 5)

    @property
    def words(self) -> str:
        return f"{self.count} business day" + ("" if self.count == 1 else "s")

    def __str__(self) -> str:
        return self.words


Length = Span | BusinessDays


def read_length(value: object) -> Length:
    """A span or business days, from text. Raises ValueError with the accepted forms."""
    if isinstance(value, Span | BusinessDays):
        return value
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no span such as '5 business days' or '90 days'")
    if match := _BUSINESS.match(" ".join(value.split())):
        count = int(match[1])
        if not 1 <= count <= MOST_BUSINESS_DAYS:
            raise ValueError(f"{value!r}: business days count from 1 to {MOST_BUSINESS_DAYS}")
        return BusinessDays(count)
    try:
        return Span.parse(value)
    except TooLong:
        raise
    except ValueError as error:
        raise ValueError(f"{error}; or '5 business days'") from None


class _Schema:
    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            read_length, serialization=core_schema.plain_serializer_function_ser_schema(str)
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {
            "type": "string",
            "description": "a span of time, or business days of whoever has to answer",
            "examples": ["5 business days", "90 days", "PT2H"],
        }


Within = Annotated[Length, _Schema]
"""A span or business days, as a policy writes them."""
