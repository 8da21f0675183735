"""Logs in confidential mode: what happened where, and nothing of what was said.

What is not known to be harmless is left out: only these keys pass, of errors the type and the
place, and of messages that are not ours, which may quote anything, only where they came from.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from pathlib import Path
from traceback import walk_tb
from types import TracebackType
from typing import Any

import structlog

from client.keyring import is_on
from phasegate.delivery import MAIL
from phasegate.pseudonyms import MARK, in_use

OURS = ("activities", "client", "commands", "demo", "integrations", "ledger", "serving", "worker")
"""Where log lines are written whose words we know: they are constant."""

PASSED = frozenset(
    {
        *("level", "timestamp", "logger", "error", "where", "at", "code", "status", "week"),
        *("product", "gate", "round", "source", "feed", "extension", "kind", "build"),
        *(
            "workflow",
            "workflow_id",
            "workflow_type",
            "run_id",
            "workflow_run_id",
            "task_queue",
            "namespace",
        ),
        *("activity", "activity_type", "activity_id", "attempt", "seq", "events", "rows", "new"),
        *("changed", "moved", "started", "products", "grace_seconds", "url", "sources", "feeds"),
    }
)

PEOPLE = frozenset({"actor", "person", "who"})
"""Whose pseudonym is logged."""

_CONTEXTS = ("temporal_workflow", "temporal_activity")
"""What the SDK says of itself; both are mappings."""

_LONGEST = 200
_ROOT = Path(__file__).parents[1]
_FRAMES = 3

Event = MutableMapping[str, Any]


def discretion() -> list[structlog.typing.Processor]:
    """What log lines go through first: nothing, where confidential mode is off."""
    return [discreet] if is_on() else []


def discreet(logger: Any, method: str, event: Event) -> Event:
    """The same line without anything that may be confidential."""
    record: logging.LogRecord = event["_record"]
    found: Event = {name: event[name] for name in ("_record", "_from_structlog") if name in event}
    ours = event.get("_from_structlog") and record.name.partition(".")[0] in OURS
    found["event"] = event.get("event") if ours else f"a message of {record.name[:_LONGEST]}"
    known = ours and not record.name.startswith("serving")  # where its sender chose the type
    if not ours:
        found["at"] = _place(record.pathname, record.lineno)
    for name, value in _said(event):
        if name in PEOPLE and in_use().hidden and isinstance(value, str) and value:
            found[name] = in_use().person(value)
        elif name in ("receiver", "workflow_id"):
            found[name] = _mailbox(str(value))
        elif (name in PASSED or (name == "type" and known)) and _plain(value):
            found[name] = value
    if error := _error(event.get("exc_info")):
        found["error"] = type(error).__name__
        found["where"] = _where(error.__traceback__)
    return found


def _said(event: Event) -> Iterator[tuple[str, Any]]:
    for name in _CONTEXTS:
        if isinstance(about := event.get(name), Mapping):
            yield from about.items()
    yield from event.items()


def _plain(value: object) -> bool:
    if isinstance(value, (list, tuple)):
        return len(value) <= _LONGEST and all(map(_plain, value))
    return value is None or isinstance(value, (bool, int, float)) or _short(value)


def _short(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST


def _mailbox(name: str) -> str:
    """A receiver or workflow; a courier of mail from before is named after its person."""
    kind, _, person = name.partition("/")
    if kind != MAIL or not person or person.startswith(MARK):
        return name[:_LONGEST]
    return f"{MAIL}/{in_use().person(person) if in_use().hidden else '?'}"


def _error(said: object) -> BaseException | None:
    if isinstance(said, BaseException):
        return said
    if isinstance(said, tuple):
        return said[1] if isinstance(said[1], BaseException) else None
    return sys.exc_info()[1] if said else None


def _where(frames: TracebackType | None) -> list[str]:
    found = [_place(frame.f_code.co_filename, line) for frame, line in walk_tb(frames)]
    return found[-_FRAMES:]


def _place(file: str, line: int) -> str:
    path = Path(file)
    if path.is_relative_to(_ROOT) and "site-packages" not in path.parts:
        path = path.relative_to(_ROOT)
    return f"{'/'.join(path.parts[-3:])}:{line}"
