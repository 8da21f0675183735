"""Logs in confidential mode: nothing passes that is not known to be harmless."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from client.logs import configure_logs
from phasegate.pseudonyms import PLAIN, Names, use

CANARY = "canary"


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What is logged at DEBUG; the logs of the test run are as before afterwards."""
    root, before = logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers[:], root.level
    monkeypatch.setenv("PHASEGATE_KEYS", "a ring that is not even readable")
    use(Names(b"k" * 32))
    out = io.StringIO()
    configure_logs(json=True, level="DEBUG", to=out)
    yield out
    use(PLAIN)
    structlog.configure(**before)
    root.handlers[:] = handlers
    root.setLevel(level)


def said(out: io.StringIO) -> list[dict[str, Any]]:
    assert CANARY not in out.getvalue()
    return [json.loads(line) for line in out.getvalue().splitlines()]


def ours(module: str = "activities.announcements") -> Any:
    return structlog.stdlib.get_logger(module)


def fail() -> None:
    raise ValueError(CANARY)


def test_our_own_lines_keep_their_words_and_what_is_harmless(lines: io.StringIO) -> None:
    more = {"text": CANARY, "why": CANARY, CANARY: 1, "product": "heron", "seq": 3}
    ours().info("announced", actor=f"olga.{CANARY}", receiver=f"mail/{CANARY}", **more)
    (line,) = said(lines)
    assert line["event"] == "announced"
    assert (line["product"], line["seq"]) == ("heron", 3)
    assert line["actor"].startswith("~")
    assert line["receiver"].startswith("mail/~")


def test_every_line_of_a_worker_with_a_build_has_it(lines: io.StringIO) -> None:
    configure_logs(json=True, to=lines, build="phasegate 2026.12.1")
    ours().info("announced", product="heron")
    logging.getLogger("temporalio.worker").warning("a message of others")
    assert [line["build"] for line in said(lines)] == ["phasegate 2026.12.1"] * 2


def test_an_error_is_its_type_and_its_place(lines: io.StringIO) -> None:
    try:
        fail()
    except ValueError as error:
        ours().warning("an act failed", exc_info=error)
        ours().warning("an act failed", exc_info=True)
        logging.getLogger("asyncio").exception("a task failed: %s", CANARY)
    for line in said(lines):
        assert line["error"] == "ValueError"
        assert line["where"][-1].startswith("tests/unit/test_discretion.py:")


def test_of_a_message_of_others_only_the_origin_is_left(lines: io.StringIO) -> None:
    about = {"workflow_id": "product/heron", "attempt": 2, "input": CANARY}
    logging.getLogger("temporalio.activity").warning(
        "Completing activity with %s", CANARY, extra={"temporal_activity": about, "x": CANARY}
    )
    logging.getLogger(f"acme.{'x' * 5}").debug(CANARY)
    structlog.stdlib.get_logger("acme").info(CANARY, product=[CANARY, {"a": CANARY}])
    first, second, third = said(lines)
    assert first["event"] == "a message of temporalio.activity"
    assert (first["workflow_id"], first["attempt"]) == ("product/heron", 2)
    assert "test_discretion.py" in first["at"]
    assert second["level"] == "debug"
    assert "product" not in third


def test_who_sends_an_event_chooses_its_type(lines: io.StringIO) -> None:
    ours("serving").info("event taken", source="ci", type=CANARY, id=CANARY)
    (line,) = said(lines)
    assert (line["event"], line["source"]) == ("event taken", "ci")
