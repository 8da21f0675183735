"""Updates from other Temporal clients that are no requests: told what, why and what to do."""

from __future__ import annotations

from typing import Any

import pytest
from stage import Stage
from temporalio.api.common.v1 import Payload
from temporalio.client import WorkflowUpdateFailedError
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from phasegate.ids import gate_id, product_id, sunset_id

VOTE = {"approver": "ana", "vote": "go", "request_id": "r"}
HOLD = {"actor": "olga", "request_id": "r"}


async def refusal(stage: Stage, workflow_id: str, update: str, *args: Any) -> dict[str, Any]:
    """How an Update that a foreign client sends is refused."""
    handle = stage.engine.workflow(workflow_id)
    with pytest.raises(WorkflowUpdateFailedError) as caught:
        await handle.execute_update(update, args=list(args))
    error = caught.value.cause
    assert isinstance(error, ApplicationError)
    details: dict[str, Any] = error.details[0]
    assert details["what"]
    assert details["why"]
    assert details["hint"].startswith("phasegate ")
    return {"code": error.type, **details}


def raw(encoding: str, data: bytes) -> RawValue:
    return RawValue(Payload(metadata={"encoding": encoding.encode()}, data=data))


MALFORMED: list[tuple[str, tuple[Any, ...], str]] = [
    ("vote", ({"approver": "ana", "vote": "go"},), "request_id: Field required"),
    ("vote", ({**VOTE, "vote": "perhaps"},), "vote: Input should be"),
    ("vote", ({**VOTE, "approver": 7},), "approver: Input should be a valid string"),
    ("vote", ({**VOTE, "vote": "conditional-go"},), "a conditional-go needs at least one"),
    ("vote", ("go",), "VoteRequest: Input should be"),
    ("vote", (None,), "it is no JSON object"),
    ("vote", (), "0 inputs came, and it takes one"),
    ("vote", (VOTE, "go"), "2 inputs came, and it takes one"),
    ("vote", (raw("json/plain", b"{"),), "VoteRequest: Invalid JSON"),
    ("vote", (raw("foreign", b"go"),), "it cannot be read"),
    ("withdraw", ({"actor": "ana"},), "request_id: Field required"),
    ("look_again", ([],), "LookAgainRequest: Input should be"),
]


async def test_a_malformed_update_is_refused_with_a_code_and_leaves_nothing(stage: Stage) -> None:
    await stage.start()
    await stage.becomes(phase="build")
    await stage.submit()
    await stage.gate_opens("launch")
    gate, product = gate_id(stage.key, "launch"), product_id(stage.key)
    before = await stage.at_rest(gate)
    for update, args, why in MALFORMED:
        told = await refusal(stage, gate, update, *args)
        assert (told["code"], told["forbidden"]) == ("malformed", False), (args, told)
        assert why in told["why"], (args, told)
    told = await refusal(stage, gate, "vote", {})
    assert "one JSON object with approver, vote, request_id" in told["hint"]
    told = await refusal(stage, product, "hold", {**HOLD, "actor": "nobody at all"})
    assert (told["code"], told["what"]) == ("malformed", "a malformed OwnerRequest")
    assert (await refusal(stage, product, "hold"))["what"] == "a malformed hold"
    assert await stage.added(before, gate) == [], "nothing enters the history"
    assert (await stage.gate("launch")).refused == []
    await stage.votes("launch", "go", "ana", "bo", "cy")
    await stage.becomes(phase="market")
    await stage.submit()
    await stage.gate_opens("retire")
    await stage.vote("retire", "ana", "go")
    await stage.task_waits("keys")
    told = await refusal(stage, sunset_id(stage.key), "confirm", {"actor": "bo"})
    assert "request_id, task, note" in told["hint"]
