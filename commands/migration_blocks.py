"""A migration as people read it: what it means for each product, or what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from client.migrations import MigrationRow
from commands.output import Block, dense


def row_blocks(rows: Sequence[MigrationRow]) -> Iterable[Block]:
    """One line for each product, then what changes for it."""
    yield dense(
        ("product", "state", "phase", "open round", "void votes", "why", "hint"),
        [
            (
                row.product,
                row.state,
                _arrow(row),
                _round(row),
                [f"{who}: {vote}" for who, vote in row.voided.items()],
                row.why,
                row.hint,
            )
            for row in rows
        ],
    )
    yield dense(
        ("product", "what changes"),
        [(row.product, text) for row in rows for text in (*_notes(row), *row.left_waiting)],
        "What changes",
    )


def _notes(row: MigrationRow) -> Sequence[str]:
    plan = row.plan
    return [*plan.notes, *(f"not certain: {text}" for text in plan.uncertain)] if plan else []


def _arrow(row: MigrationRow) -> str:
    plan = row.plan
    if plan is None or plan.phase is None:
        return ""
    return plan.phase if plan.to_phase in (None, plan.phase) else f"{plan.phase} → {plan.to_phase}"


def _round(row: MigrationRow) -> str:
    plan = row.plan
    if plan is None or not plan.gate:
        return ""
    fate = "open" if row.state == "impossible" and plan.fate == "stopped" else plan.fate
    return f"{plan.gate}, round {plan.round}: {fate}"
