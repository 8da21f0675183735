"""Expressions over what other systems say end, and take no more than their share."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from integrations import judging
from integrations.judging import figure, judge
from phasegate.expressions import evaluate

ITEMS = {"body": {"items": [{"state": "open"}, {"state": "done"}], "ü": "ä+ü"}}


def nested(levels: int) -> object:
    return [nested(levels - 1)] if levels else 1


def test_the_same_verdict_wherever_it_is_judged() -> None:
    for expression in (
        "body.items.exists(i, i.state == 'open')",
        "body.items.all(i, i.state == 'open')",
        "body['ü'] == 'ä' + '+ü'",
        "body.items.map(i, i.state)",
        "body.nothing.all(i, true)",
        "size(body.items) == 2",
        "body.items +",
    ):
        assert judge(expression, ITEMS) == evaluate(expression, ITEMS)
    assert figure("body.items.map(i, i.state).size()", ITEMS) == 2
    assert figure("body.items[0].state + '!'", ITEMS) == "open!"
    assert figure("body.items.map(i, i)", ITEMS) is None


def test_steps_are_counted() -> None:
    many = {"body": list(range(1000))}
    truth = judge("body.all(x, body.all(y, body.all(z, x + y + z >= 0)))", many)
    assert "Iteration budget exceeded" in truth.problem


def test_one_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    assert judge("body.all(x, x > 0)", {"body": [1]})
    monkeypatch.setattr(judging, "SECONDS", 0.2)
    # Few steps, and a million texts in each.
    slow = {"body": [["x" * 20] * 50_000] * 2, "steps": list(range(9000))}
    truth = judge("steps.all(s, body[0] == body[1])", slow)
    assert truth.problem == "takes more than 0 seconds"
    assert figure("steps.filter(s, body[0] == body[1]).size()", slow) is None
    monkeypatch.undo()
    assert judge("body.all(x, x > 0)", {"body": [1]})  # by a new one


def test_one_that_takes_too_much_memory_is_ended() -> None:
    doubled = "[body]" + ".map(a, a + a)" * 14 + ".size() == 1"
    assert not judge(doubled, {"body": "x" * 1_000_000})
    assert judge("body.all(x, x > 0)", {"body": [1]})


def test_data_without_bottom_is_not_looked_at() -> None:
    assert judge("size(body) == 1", {"body": nested(60)})
    for judged in (judge, evaluate):
        problem = judged("size(body) == 1", {"body": nested(900)}).problem
        assert problem == "is asked of what is nested too deep"
    assert figure("size(body)", {"body": nested(900)}) is None


def test_it_ends_with_whoever_asks() -> None:
    program = (
        "from integrations import judging\n"
        "assert judging.judge('body.all(x, x > 0)', {'body': [1]})\n"
        "print(judging._process._running.pid, flush=True)\n"
        "import os; os.kill(os.getpid(), 9)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=180, check=False
    )
    end = time.monotonic() + 90
    while time.monotonic() < end:
        with subprocess.Popen(["ps", "-p", done.stdout.strip()], stdout=subprocess.PIPE) as ps:
            ps.communicate()
        if ps.returncode:
            return
        time.sleep(0.05)
    pytest.fail("it still runs")
