"""How a product's workflows are addressed, by the engine and by everybody else."""

from __future__ import annotations

MAIN_QUEUE = "phasegate"
"""The task queue of products and all that belongs to them, unless PHASEGATE_TASK_QUEUE is set."""


def product_id(key: str) -> str:
    return f"product/{key}"


def gate_id(key: str, gate: str) -> str:
    return f"product/{key}/gate/{gate}"


def sunset_id(key: str) -> str:
    return f"product/{key}/sunset"
