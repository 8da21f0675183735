"""Which small faults count against the tests, and which are only words."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "mutation.py"
BEFORE = """
def f(x):
    if x["state"] == "hold":
        raise ValueError("it is on hold", f"{x} waits")
"""


def sense(text: str) -> str:
    spec = importlib.util.spec_from_file_location("mutation", SCRIPT)
    assert spec
    assert spec.loader
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return str(script._without_texts(ast.parse(text).body[0]))


@pytest.mark.parametrize(
    ("was", "now", "same"),
    [
        ("it is on hold", "XXit is on holdXX", True),
        (" waits", "XX waitsXX", True),
        ('"state"', '"XXstateXX"', False),
        ('== "hold"', '== "HOLD"', False),
        ("==", "!=", False),
    ],
)
def test_a_sentence_may_say_anything_and_a_key_or_a_state_may_not(
    was: str, now: str, same: bool
) -> None:
    assert was in BEFORE
    assert (sense(BEFORE) == sense(BEFORE.replace(was, now))) is same
