"""Workflow ids: how a product's workflows are addressed, by the engine and by everybody else."""

from __future__ import annotations


def product_id(key: str) -> str:
    return f"product/{key}"


def gate_id(key: str, gate: str) -> str:
    return f"product/{key}/gate/{gate}"


def sunset_id(key: str) -> str:
    return f"product/{key}/sunset"
