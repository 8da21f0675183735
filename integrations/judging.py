"""Expressions over what other systems say: judged within bounds of time and memory.

The library counts the steps of an expression, but not what a step costs, and nothing else of the
process runs meanwhile. So whatever may cost more than a moment is judged by a process of its own,
which can be ended.
"""

from __future__ import annotations

import atexit
import json
import os
import re
import selectors
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from phasegate.base import Figure
from phasegate.expressions import Truth, evaluate, figure_of

SECONDS = 5.0
STARTING = 60.0
SHORT = 200

_PROGRAM = Path(__file__).with_name("judge_process.py")
_COSTLY = re.compile(r"\+|\.\s*(?!(?:size|contains|startsWith|endsWith|matches)\s*\()\w+\s*\(")
"""Sums of texts and lists, and calls on a value but those that look through it once."""


def judge(expression: str, variables: Mapping[str, Any]) -> Truth:
    """Whether an expression is true of data (JSON); not met where it takes too much.

    Blocks; call it in a thread.
    """
    if not _costly(expression):
        return evaluate(expression, variables)
    answer = _process.ask(expression, variables, figure=False)
    return Truth(False, answer) if isinstance(answer, str) else Truth(answer[0], answer[1])


def figure(expression: str, variables: Mapping[str, Any]) -> Figure | None:
    """The number or fact that an expression gives; None where it gives none, or takes too much.

    Blocks; call it in a thread.
    """
    if not _costly(expression):
        return figure_of(expression, variables)
    found: Figure | None = _process.ask(expression, variables, figure=True, lost=None)
    return found


def _costly(expression: str) -> bool:
    return len(expression) > SHORT or _COSTLY.search(expression) is not None


class _Ended(Exception):
    """The process gave no answer. Its text says why, for people."""


class _Process:
    """One process for all; whoever comes while it judges waits for SECONDS at most."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._running: subprocess.Popen[bytes] | None = None

    def ask(
        self, expression: str, variables: Mapping[str, Any], *, figure: bool, lost: Any = ""
    ) -> Any:
        asked = {"expression": expression, "variables": variables, "figure": figure}
        line = json.dumps(asked).encode() + b"\n"
        with self._turn:
            try:
                return json.loads(self._answer(line))
            except (_Ended, OSError) as error:
                self.end()
                why = str(error) if isinstance(error, _Ended) else f"cannot be evaluated: {error}"
                return lost if lost is None else why

    def end(self) -> None:
        """Kill it, if it runs."""
        if self._running is not None:
            with self._running as process:
                process.kill()
            self._running = None

    def _answer(self, line: bytes) -> bytes:
        process = self._running or self._start()
        assert process.stdin is not None
        process.stdin.write(line)
        process.stdin.flush()
        return self._line(process, SECONDS)

    def _start(self) -> subprocess.Popen[bytes]:
        # Nothing of our environment, which has secrets in it; -P: not the folder of the program.
        self._running = process = subprocess.Popen(
            [sys.executable, "-P", str(_PROGRAM)],
            env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # a Ctrl-C is ours to hear
        )
        self._line(process, STARTING)
        return process

    def _line(self, process: subprocess.Popen[bytes], seconds: float) -> bytes:
        assert process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            if not selector.select(seconds):
                raise _Ended(f"takes more than {seconds:.0f} seconds")
        line = process.stdout.readline()
        if not line.endswith(b"\n"):
            raise _Ended("takes too much memory")
        return line


_process = _Process()
atexit.register(_process.end)
