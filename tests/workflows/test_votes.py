"""Votes as they arrive at a real gate: taken, refused, repeated, mangled."""

import pytest
from stage import Stage
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowUpdateFailedError

from client.asking import new_request_id
from client.inbox import inbox
from phasegate.ids import gate_id, product_id


@pytest.fixture
async def launch(stage: Stage) -> Stage:
    await stage.start()
    await stage.becomes(phase="build")
    await stage.report("done")
    await stage.gate_opens("launch")
    return stage


async def test_strangers_and_owners_are_refused_and_recorded(launch: Stage) -> None:
    assert await launch.refused(launch.vote("launch", "eve", "go")) == "stranger"
    assert await launch.refused(launch.vote("launch", "olga", "go")) == "self-approval"
    view = await launch.gate("launch")
    assert [(r.actor, r.channel) for r in view.refused] == [("eve", "update"), ("olga", "update")]
    assert view.votes == []


async def test_who_is_no_stakeholder_may_not_move_the_product(launch: Stage) -> None:
    assert await launch.refused(launch.submit(who="eve")) == "gate-open"
    assert await launch.refused(launch.owner("hold", who="bo")) == "not-owner"
    assert await launch.refused(launch.owner("cancel", who="bo")) == "not-owner"
    assert await launch.refused(launch.report("done", "eve")) == "milestone-settled"
    assert await launch.refused(launch.report("nothing")) == "unknown-milestone"


async def test_a_vote_can_be_changed_and_counts_once(launch: Stage) -> None:
    for word in ("go", "kill", "go"):
        await launch.vote("launch", "bo", word)
    view = await launch.gate("launch")
    assert [(v.vote, v.state) for v in view.votes] == [
        ("go", "changed"),
        ("kill", "changed"),
        ("go", "standing"),
    ]
    assert [r.have for r in view.requirements] == [0, 1]


async def test_a_retried_command_is_one_vote(launch: Stage) -> None:
    once = new_request_id()
    first = await launch.vote("launch", "bo", "go", request_id=once)
    again = await launch.vote("launch", "bo", "go", request_id=once)
    assert first == again
    assert len((await launch.gate("launch")).votes) == 1


async def test_late_and_stale_votes_leave_no_trace(launch: Stage) -> None:
    stale = launch.vote("launch", "bo", "go", revision="r000000000000")
    assert await launch.refused(stale) == "stale-revision"
    seen = (await launch.gate("launch")).revision
    await launch.vote("launch", "bo", "go", revision=seen)
    stale = launch.vote("launch", "cy", "go", revision="r0")
    assert await launch.refused(stale) == "stale-revision"
    history = await launch.history(gate_id(launch.key, "launch"))
    kinds = [EventType.Name(event.event_type) for event in history.events]
    assert kinds.count("EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED") == 1
    await launch.votes("launch", "go", "ana", "cy")
    await launch.becomes(phase="market")
    late = await launch.refused(launch.vote("launch", "dan", "kill"))
    assert late == "gate-decided" or "takes no more votes" in late
    view = await launch.gate("launch")
    assert view.outcome == "go"
    assert "dan" not in {vote.approver for vote in view.votes}


async def test_a_signal_of_the_same_name_is_the_same_vote(launch: Stage) -> None:
    await launch.signal("launch", "vote", {"approver": "bo", "vote": "go", "comment": "by hand"})
    await launch.signal("launch", "vote", {"approver": "eve", "vote": "go"})
    await launch.signal("launch", "vote", {"approver": "olga", "vote": "go"})
    view = await launch.gate("launch")
    assert [(v.approver, v.vote, v.comment) for v in view.votes] == [("bo", "go", "by hand")]
    assert [(r.actor, r.channel) for r in view.refused] == [("eve", "signal"), ("olga", "signal")]


@pytest.mark.parametrize(
    "garbage",
    [
        (),
        ("just text",),
        (17,),
        (None,),
        ([1, 2],),
        ({"approver": "bo"},),
        ({"approver": "bo", "vote": "perhaps"},),
        ({"approver": "../../etc", "vote": "go"},),
        ({"approver": "bo", "vote": "go", "comment": "x" * 5000},),
        ({"approver": "bo", "vote": "conditional-go"},),
        ({"approver": "bo", "vote": "go"}, "and another argument"),
    ],
    ids=range(11),
)
async def test_garbage_signals_are_refused_and_the_gate_goes_on(
    launch: Stage, garbage: tuple[object, ...]
) -> None:
    await launch.signal("launch", "vote", *garbage)
    await launch.signal("launch", "no_such_signal", *garbage)
    await launch.signal("launch", "opener_note", *garbage)
    await launch.engine.workflow(product_id(launch.key)).signal("gate_decided", args=list(garbage))
    await launch.votes("launch", "go", "ana", "bo", "cy")
    await launch.becomes(phase="market")
    view = await launch.gate("launch")
    assert view.outcome == "go"
    assert len(view.refused) >= (2 if len(garbage) == 2 else 3)


async def test_a_forged_report_decides_nothing(launch: Stage) -> None:
    forged = {
        "gate": "launch",
        "round": 1,
        "token": "guessed",
        "outcome": "go",
        "why": "trust me",
        "decided_at": "2026-01-01T00:00:00Z",
    }
    await launch.engine.workflow(product_id(launch.key)).signal("gate_decided", forged)
    view = await launch.product()
    assert (view.phase, view.gate) == ("build", "launch")
    await launch.until(
        lambda: _seen(launch, "product.refused"), "the forged report stands in the ledger"
    )


async def _seen(stage: Stage, type: str) -> bool | None:
    return True if type in stage.story() else None


async def test_a_vote_before_the_gate_opens_finds_no_gate(stage: Stage) -> None:
    await stage.start()
    await stage.becomes(phase="build")
    refused = await stage.refused(stage.vote("launch", "bo", "go"))
    assert refused == f"engine: launch of {stage.key} is not open"


async def test_the_inbox_names_what_waits_on_whom(launch: Stage) -> None:
    async def waits(who: str, expected: bool) -> bool | None:
        rows = [row for row in await inbox(launch.engine, who) if row.product == launch.key]
        return True if bool(rows) is expected else None

    for who in ("ana", "bo", "cy", "dan"):
        await launch.until(lambda who=who: waits(who, True), f"{who} is asked")
    await launch.vote("launch", "bo", "abstain")
    await launch.until(lambda: waits("bo", False), "bo has answered")
    await launch.until(lambda: waits("olga", False), "an owner is never asked")
    (row,) = [row for row in await inbox(launch.engine, "cy") if row.product == launch.key]
    assert (row.gate, row.round, row.step, row.group, row.overdue) == ("launch", 1, 1, "eng", False)


async def test_two_hundred_approvers_do_not_break_the_gate(stage: Stage) -> None:
    people = [f"approver.with.a.long.name.{number:03}" for number in range(200)]
    directory = "directory: crowd\npeople: {olga: {}, ana: {}"
    directory += "".join(f", {person}: {{}}" for person in people) + "}\ngroups:\n"
    directory += "  product: {members: [ana]}\n  eng: {members: [" + ", ".join(people) + "]}\n"
    await stage.start(directory=directory)
    await stage.becomes(phase="build")
    await stage.report("done")
    await stage.gate_opens("launch")
    last = people[-1]

    async def asked() -> bool | None:
        rows = await inbox(stage.engine, last)
        return True if any(row.product == stage.key for row in rows) else None

    await stage.until(asked, "the two-hundredth approver is asked")
    await stage.votes("launch", "go", people[0], last)

    async def answered() -> bool | None:
        return None if await asked() else True

    await stage.until(answered, "lists know of the vote a moment later")
    await stage.vote("launch", "ana", "go")
    await stage.becomes(phase="market")


@pytest.mark.parametrize("garbage", [(), ("text",), ({"approver": "bo"},), ({}, {})], ids=range(4))
async def test_garbage_updates_are_refused_at_once(
    launch: Stage, garbage: tuple[object, ...]
) -> None:
    handle = launch.engine.workflow(gate_id(launch.key, "launch"))
    with pytest.raises(WorkflowUpdateFailedError):
        await handle.execute_update("vote", args=list(garbage))
    await launch.votes("launch", "go", "ana", "bo", "cy")
    await launch.becomes(phase="market")
