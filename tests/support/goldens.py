"""The committed histories: where they are, and how one is read."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from temporalio.client import WorkflowHistory

from client.keyring import FILE
from phasegate.pseudonyms import PLAIN, use

ROOT = Path(__file__).parents[1] / "replay" / "histories"
NEXT = ROOT / "next"
"""What the code at hand writes. The other folders are what releases wrote: they never change."""

COMMANDS = "commands.txt"
SEALED = "sealed"
"""The folder of histories of confidential mode, with the key ring that opens them."""


def histories(folder: Path = ROOT) -> list[Path]:
    return sorted(path for path in folder.rglob("*.json") if path.name != "ring.json")


def read(path: Path) -> WorkflowHistory:
    events = json.loads(path.read_text("utf-8"))
    started = events["events"][0]["workflowExecutionStartedEventAttributes"]
    return WorkflowHistory.from_json(started["workflowId"], events)


def name_of(path: Path) -> str:
    """RELEASE/NAME, and RELEASE/sealed/NAME."""
    return path.relative_to(ROOT).with_suffix("").as_posix()


@contextmanager
def opened(path: Path) -> Iterator[None]:
    """As a process in confidential mode is, where the history needs it."""
    if path.parent.name != SEALED:
        yield
        return
    before = os.environ.get(FILE)
    ring = path.parent / "ring.json"
    ring.chmod(0o600)  # a checkout does not keep it
    os.environ[FILE] = str(ring)
    try:
        yield
    finally:
        del os.environ[FILE]
        if before is not None:
            os.environ[FILE] = before
        use(PLAIN)
