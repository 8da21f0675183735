"""Committed histories must replay: a change that breaks running lifecycles fails here."""

import json
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from client.plugin import phasegate_plugin
from workflows.gatekeeper import Gatekeeper

HISTORIES = sorted((Path(__file__).parent / "histories").glob("*.json"))


def history(path: Path) -> WorkflowHistory:
    events = json.loads(path.read_text())
    return WorkflowHistory.from_json(workflow_id_of(events), events)


def workflow_id_of(events: dict[str, list[dict[str, dict[str, str]]]]) -> str:
    started = events["events"][0]["workflowExecutionStartedEventAttributes"]
    return started["workflowId"]


def test_there_is_a_history_for_every_path() -> None:
    assert len(HISTORIES) >= 30
    types = {
        json.loads(path.read_text())["events"][0]["workflowExecutionStartedEventAttributes"][
            "workflowType"
        ]["name"]
        for path in HISTORIES
    }
    outwards = {"Courier", "MailCourier", "CourierSweep", "PortfolioDigest"}
    assert types == {"ProductLifecycle", "GateReview", "Sunset"} | outwards


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
async def test_replays(path: Path) -> None:
    await Replayer(workflows=[], plugins=[phasegate_plugin()]).replay_workflow(history(path))


async def test_a_careless_change_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """One more timer before a gate opens is enough to break running lifecycles."""
    original = Gatekeeper.open

    async def careless(self: Gatekeeper, *args: object, **kwargs: object) -> object:
        await workflow.sleep(1)
        return await original(self, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(Gatekeeper, "open", careless)
    path = next(path for path in HISTORIES if path.stem == "product-killed-1")
    with pytest.raises(workflow.NondeterminismError):
        await Replayer(workflows=[], plugins=[phasegate_plugin()]).replay_workflow(history(path))
