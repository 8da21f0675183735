"""What releases wrote is read by the code at hand, and nothing of it is lost."""

import json
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from past_states import STATES, releases
from pydantic import BaseModel

from client.remembered import state_left
from phasegate.errors import EngineError
from phasegate.events import Announcement
from phasegate.lifecycle import Lifecycle
from phasegate.retirement import Retirement
from phasegate.review import Round
from phasegate.state_version import NewerState

FILES = sorted(
    path
    for release in releases()
    for path in release.glob("*.json")
    if path.stem != "documents" and not path.stem.startswith("go-on.")
)


def model_of(path: Path) -> type[BaseModel]:
    module, _, name = path.stem.rpartition(".")
    model: type[BaseModel] = getattr(import_module(module), name)
    return model


def missing(before: Any, now: Any, at: str = "") -> list[str]:
    """What was there and is not any more, or is something else; what is added is no loss."""
    if isinstance(before, dict) and isinstance(now, dict):
        gone = [f"{at}.{name}" for name in before if name not in now]
        there = [name for name in before if name in now]
        return gone + [
            m for name in there for m in missing(before[name], now[name], f"{at}.{name}")
        ]
    if isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        pairs = enumerate(zip(before, now, strict=True))
        return [m for n, (was, is_) in pairs for m in missing(was, is_, f"{at}[{n}]")]
    return [] if before == now else [f"{at}: {before!r:.80} is now {now!r:.80}"]


@pytest.mark.parametrize("path", FILES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_is_read_without_loss(path: Path) -> None:
    """By its JSON, as the data converter reads and writes it."""
    model = model_of(path)
    for value in json.loads(path.read_text("utf-8")):
        read = model.model_validate_json(json.dumps(value))
        assert missing(value, json.loads(read.model_dump_json())) == []


def test_a_lost_field_is_seen() -> None:
    assert missing({"a": [{"b": 1, "c": 2}]}, {"a": [{"b": 1}], "d": 3}) == [".a[0].c"]
    assert missing({"a": 1}, {"a": 2}) == [".a: 1 is now 2"]


def test_there_are_states_of_each_kind() -> None:
    kinds = {path.stem.rpartition(".")[2] for path in FILES if path.parent == STATES / "next"}
    assert {"Lifecycle", "ReviewStart", "Retirement", "GateReport", "SunsetReport"} <= kinds


@pytest.mark.parametrize("model", [Lifecycle, Round, Retirement])
def test_a_later_version_is_not_taken_for_ours(model: type[BaseModel]) -> None:
    """The error is none of phasegate's own: those end a workflow."""
    with pytest.raises(NewerState, match=r"version 99.*a newer release wrote it"):
        model.model_validate({"schema_version": 99})


def test_what_a_newer_release_left_in_the_record_is_said_so() -> None:
    """Reviving a killed product reads its state from the ledger."""
    end = Announcement(
        id="1",
        type="product.killed",
        product="kettle",
        source="product/kettle",
        at=datetime(2026, 1, 1, tzinfo=UTC),
        text="",
        data={"lifecycle": {"schema_version": 99}},
    )
    with pytest.raises(EngineError, match="state of kettle cannot be read here"):
        state_left("kettle", end)
