"""The record of a product's end in the format of OASIS OpenEoX Core 1.0, checked before it leaves.

Source: OpenEoX Core Schema Version 1.0, Committee Specification Draft 01, 13 July 2026,
https://docs.oasis-open.org/openeox/eox-core/v1.0/csd01/eox-core-v1.0-csd01.html. The schema below
is written from its text (sections "Schema Elements" and "Date and Time"), since its licence lets
the document be copied only whole and with its notices.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import SchemaError
from referencing import Registry
from referencing.exceptions import Unresolvable

from phasegate.errors import Rejected
from phasegate.public_sunset import PublicSunset

SCHEMA_ID = "https://docs.oasis-open.org/openeox/eox-core/v1.0/schema/core.json"
"""What a record has as its `$schema`; the schema has one permitted value."""

TO_BE_ANNOUNCED = "tba"
DATES = ("general_availability", "end_of_sales", "end_of_security_support", "end_of_life")

_INSTANT = r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:[0-5]\d(\.\d+)?(Z|[+-]\d{2}:\d{2})"
"""RFC 3339 as OpenEoX narrows it: capital T and Z, a time zone, no leap second."""

_DATE = {
    "oneOf": [
        {"type": "string", "format": "date-time", "pattern": f"^{_INSTANT}$"},
        {"const": TO_BE_ANNOUNCED},
    ]
}
SCHEMA: Mapping[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["$schema", "end_of_life", "end_of_security_support", "last_updated"],
    "properties": {
        "$schema": {"const": SCHEMA_ID},
        **dict.fromkeys(DATES, _DATE),
        "last_updated": {"type": "string", "format": "date-time", "pattern": f"^{_INSTANT}$"},
    },
    "additionalProperties": False,
}
_FORMATS = FormatChecker(formats=())


@_FORMATS.checks("date-time", raises=ValueError)
def _is_an_instant(value: object) -> bool:
    if isinstance(value, str):
        if not re.fullmatch(_INSTANT, value):
            raise ValueError("is no RFC 3339 date-time")
        datetime.fromisoformat(value)
    return True


def record_of(facts: PublicSunset) -> dict[str, str]:
    """The record. Raises Rejected where the dates contradict one another.

    Without an end of life, and after a withdrawal, the dates are still to be announced. Where no
    end of security support is marked it is that of life, as the specification advises. General
    availability is left out where it does not come first.
    """
    life = facts.end_of_life if facts.standing != "withdrawn" else None
    record = {
        "$schema": SCHEMA_ID,
        "end_of_life": _written(life),
        "end_of_security_support": _written(
            life and (facts.marked("end-of-security-support") or life)
        ),
        "last_updated": _written(facts.changed_at),
    }
    if life and (sales := facts.marked("end-of-sales")):
        record["end_of_sales"] = _written(sales)
    dated = [datetime.fromisoformat(v) for n, v in record.items() if n in DATES and v != "tba"]
    available = facts.general_availability
    if available and all(available <= at for at in dated):
        record["general_availability"] = _written(available)
    require_valid(record, facts.product)
    return dict(sorted(record.items()))


def require_valid(
    record: Mapping[str, Any], product: str, schema: Mapping[str, Any] = SCHEMA
) -> None:
    """Raise Rejected unless a record keeps to the schema and passes the mandatory tests."""
    try:
        Draft202012Validator.check_schema(dict(schema))
        # Nothing is fetched, whatever a schema refers to.
        found = Draft202012Validator(dict(schema), format_checker=_FORMATS, registry=Registry())
        faults = sorted(
            f"{fault.json_path}: {fault.message}" for fault in found.iter_errors(record)
        )
    except (SchemaError, Unresolvable, RecursionError) as error:
        raise Rejected(
            "openeox-schema",
            "the OpenEoX schema given is none",
            str(getattr(error, "message", error)),
            f"phasegate sunset export {product} openeox",
        ) from error
    if faults := faults or faults_of(record):
        raise Rejected(
            "openeox-invalid",
            f"the OpenEoX record of {product} would be wrong",
            "; ".join(faults),
            f"phasegate sunset show {product}",
        )


def faults_of(record: Mapping[str, Any]) -> list[str]:
    """What a valid document fails of the mandatory tests: life ends last, availability is first."""
    dates = {n: datetime.fromisoformat(record[n]) for n in DATES if record.get(n, "tba") != "tba"}
    life, available = dates.get("end_of_life"), dates.get("general_availability")
    faults = [
        f"{name} is later than end_of_life" for name, at in dates.items() if life and at > life
    ]
    return faults + [
        f"{name} is earlier than general_availability"
        for name, at in dates.items()
        if available and at < available
    ]


def _written(at: datetime | None) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else TO_BE_ANNOUNCED
