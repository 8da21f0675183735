"""Every refusal in the source is in the table, says what to do, and the page has the table."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from phasegate.refusals import REFUSALS, table

ROOT = Path(__file__).parents[2]
KINDS = {"Rejected": "rejected", "Flaw": "rejected", "Forbidden": "forbidden"}


def raised() -> Iterator[tuple[str, ast.Call]]:
    """Where each refusal is made: file and line, and the call."""
    for folder in ("phasegate", "workflows", "client"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                named = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
                if named and node.func.id in KINDS:
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", node


def test_the_table_has_every_refusal_and_no_other() -> None:
    found = set()
    for place, call in raised():
        code = call.args[0]
        assert isinstance(code, ast.Constant), f"{place}: a code is written where it is raised"
        assert isinstance(call.func, ast.Name)
        found.add((code.value, KINDS[call.func.id]))
    assert found == {(code, entry.kind) for code, entry in REFUSALS.items()}


def test_every_refusal_says_what_why_and_what_to_do() -> None:
    short = [place for place, call in raised() if len(call.args) + len(call.keywords) < 4]
    assert short == []


def test_the_page_has_the_table() -> None:
    page = (ROOT / "docs" / "refusals.md").read_text("utf-8")
    assert table() in page, "write it anew: python -m phasegate.refusals"
