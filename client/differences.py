"""What differs between two versions of what people write in files."""

from __future__ import annotations

from typing import Any

from phasegate.base import Document, Wire


class FieldChange(Wire):
    """A field that is not what it was, as JSON would have it."""

    field: str
    old: Any
    new: Any


def field_changes(old: Document, new: Document) -> list[FieldChange]:
    """The top-level fields in which two documents of a kind differ."""
    was, now = old.model_dump(mode="json"), new.model_dump(mode="json")
    return [
        FieldChange(field=field, old=was[field], new=now[field])
        for field in now
        if was[field] != now[field]
    ]
