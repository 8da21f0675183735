"""What the engine answered, printed."""

from __future__ import annotations

from typing import Any

from commands.options import Format
from commands.output import Fields, emit, note
from phasegate.requests import Receipt


def emit_receipt(receipt: Receipt, form: Format, **more: Any) -> None:
    """Print a receipt; `more` says what it is about."""
    document = {"schema_version": 1, **more, **receipt.model_dump(mode="json")}
    shown = [
        ("taken", receipt.text),
        ("for", more.get("on_behalf_of")),
        ("status", receipt.status),
        ("outcome", receipt.outcome),
    ]
    emit(document, lambda: [Fields(shown)], form)


def tell_evidence(receipt: Receipt) -> None:
    """Say what it counted on, to somebody who named no evidence."""
    note(f"on evidence {receipt.revision}")
