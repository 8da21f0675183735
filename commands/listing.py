"""Lists that are part of a product."""

from __future__ import annotations

from collections.abc import Sequence

from commands.options import Format
from commands.output import Block, emit, note
from phasegate.base import Wire
from phasegate.views import ProductView


def emit_part(rows: Sequence[Wire], view: ProductView, grid: Block, form: Format) -> None:
    """Print one of a product's lists; each row for machines says which product it is of."""
    about = {"schema_version": view.schema_version, "product": view.key}
    documents = [{**about, **row.model_dump(mode="json")} for row in rows]
    emit(documents, lambda: [grid], form)
    if not rows:
        note(f"{view.key} has none yet")
