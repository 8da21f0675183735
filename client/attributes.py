"""Reading search attributes of listed workflows."""

from __future__ import annotations

from datetime import datetime

from temporalio.common import TypedSearchAttributes

from workflows.bookkeeping import ATTRIBUTE_KEYS as KEYS

__all__ = ["KEYS", "quoted", "read", "read_due"]


def read(found: TypedSearchAttributes, name: str) -> str | None:
    """A keyword attribute, or None."""
    value = found.get(KEYS[name])
    return str(value) if value is not None else None


def read_due(found: TypedSearchAttributes) -> datetime | None:
    value = found.get(KEYS["PhasegateDue"])
    return value if isinstance(value, datetime) else None


def quoted(value: str) -> str:
    """A string literal of the visibility query language."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
