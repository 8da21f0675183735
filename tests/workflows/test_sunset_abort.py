"""A sunset that is aborted: what was done is undone, the latest first, and the product is back."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta

import pytest
from parting import Leaving, gate, no_return, task
from tracker import Tracker

from client.engine import Engine
from phasegate.ids import sunset_id


@pytest.fixture
def leaving(hasty: Engine, request: pytest.FixtureRequest) -> Leaving:
    name = request.node.name.removeprefix("test_").lower()
    return Leaving(hasty, re.sub(r"[^a-z0-9]+", "-", name).strip("-")[:50])


def call(tracker: Tracker, name: str, *more: str) -> str:
    """A task that calls /NAME, and what undoes it."""
    lines = "".join(f"      {line}\n" for line in more)
    return (
        f"    - id: {name}\n      title: Do {name}\n      kind: http\n"
        f'      url: "{tracker.url}/{name}"\n'
        f'      undo: {{kind: http, url: "{tracker.url}/{name}", method: DELETE}}\n{lines}'
    )


async def test_what_was_done_is_undone_in_the_reverse_order_of_its_doing(
    leaving: Leaving, tracker: Tracker
) -> None:
    await leaving.leave(
        call(tracker, "first"),
        task("id: word, kind: notice, title: The notice, after: [first], text: We leave"),
        call(tracker, "second", "after: [word]"),
        task(
            "id: price, kind: manual, title: Price list, by: eng, after: [second], "
            "undo: {kind: manual}"
        ),
        task("id: kept, kind: manual, title: Kept, after: [price]"),
        task("id: z, kind: manual, title: Z, after: [kept]"),
        gate("sales"),
    )
    await leaving.task_waits("price")
    await leaving.confirmed("price", "bo")
    await leaving.task_waits("kept")
    await leaving.confirmed("kept")
    await leaving.task_waits("z")
    assert (await leaving.abort("lea")).text.endswith("is being undone")
    undoing = await leaving.task_is("price", "undoing")
    assert (undoing.undo, undoing.undo_state, undoing.waits_for) == (
        "manual",
        "waiting",
        ["bo", "cy"],
    )
    assert "being aborted already, by lea" in (await leaving.abort()).text
    assert await leaving.refused(leaving.abort("eve")) == "not-aborter"
    assert await leaving.refused(leaving.replan()) == "aborting"
    assert await leaving.refused(leaving.confirmed("z")) == "not-waiting"
    await leaving.confirmed("price", "cy", note="it is on the list again")
    await leaving.becomes(status="active", phase="market")
    ways = [(method, path) for method, path, _ in tracker.calls]
    assert ways == [
        ("POST", "/first"),
        ("POST", "/second"),
        ("DELETE", "/second"),
        ("DELETE", "/first"),
    ]
    keys = [key.removeprefix(sunset_id(leaving.key)) for *_, key in tracker.calls]
    assert keys == ["/1/first", "/1/second", "/1/second/undo", "/1/first/undo"]
    undone = [event["task"] for event in await leaving.told("sunset.task-undone", 4)]
    assert undone == ["price", "second", "word", "first"]
    (withdrawn,) = await leaving.told("sunset.withdrawn")
    assert withdrawn["text"] == "The notice is withdrawn: the market has come back"
    (aborted,) = await leaving.told("sunset.aborted")
    assert aborted["text"].endswith("not undone: Kept")
    assert (aborted["actor"], leaving.story().count("sunset.abort-begun")) == ("lea", 1)


async def test_before_anything_was_done_there_is_nothing_to_undo(leaving: Leaving) -> None:
    await leaving.leave(task("id: z, kind: wait, title: Z, at: 30 days"))
    await leaving.sunset_is("sunsetting")
    await leaving.abort()
    await leaving.becomes(status="active", phase="market")
    assert "sunset.task-undone" not in leaving.story()


async def test_an_open_gate_is_stopped_and_a_second_sunset_counts_on(
    leaving: Leaving, tracker: Tracker
) -> None:
    await leaving.leave(call(tracker, "first"), gate("sales"), no_return())
    await leaving.gate_opens("sales")
    await leaving.abort()
    await leaving.becomes(status="active", phase="market", gate=None)
    await leaving.told("gate.abandoned")  # a gate that is stopped tells the sunset first
    await leaving.submit("retire")
    await leaving.gate_opens("retire", 2)
    await leaving.vote("retire", "ana", "go")
    await leaving.gate_opens("sales", 2)
    view = await leaving.sunset()
    assert view is not None
    assert view.number == 2
    keys = [key.removeprefix(sunset_id(leaving.key)) for *_, key in tracker.calls]
    assert keys == ["/1/first", "/1/first/undo", "/2/first"]
    await leaving.vote("sales", "bo", "go")
    await leaving.passes("off")
    await leaving.becomes(status="retired")


async def test_a_gate_that_waits_for_its_owner_is_left(leaving: Leaving) -> None:
    await leaving.leave(gate("sales"))
    await leaving.gate_opens("sales")
    for who in ("bo", "cy"):
        await leaving.vote("sales", who, "recycle")
    await leaving.told("sunset.stopped")
    await leaving.abort()
    await leaving.becomes(status="active", phase="market")


async def test_what_is_being_done_comes_to_its_end_first(
    leaving: Leaving, tracker: Tracker
) -> None:
    tracker.answers.clear()
    await leaving.leave(call(tracker, "first"))
    await tracker.asked(1)
    await leaving.abort()
    assert (await leaving.states())["first"] == "running"
    tracker.answers.set()
    await leaving.becomes(status="active")
    assert [method for method, *_ in tracker.calls] == ["POST", "DELETE"]


async def test_what_is_stuck_is_given_up_and_undone_too(leaving: Leaving, tracker: Tracker) -> None:
    tracker.status = 503
    await leaving.leave(call(tracker, "first"))
    await leaving.task_is("first", "stuck")
    await leaving.abort()
    await leaving.task_is("first", "undoing")
    tracker.status = 200
    await leaving.becomes(status="active")
    assert tracker.calls[-1][0] == "DELETE"


async def test_after_the_point_of_no_return_there_is_no_way_back(leaving: Leaving) -> None:
    await leaving.leave(no_return(), task("id: z, kind: manual, title: Z"))
    await leaving.gate_opens("off")
    await leaving.vote("off", "bo", "go")
    await leaving.task_waits("z")
    assert await leaving.refused(leaving.abort()) == "point-of-no-return"
    await leaving.confirmed("z")
    await leaving.becomes(status="retired")


async def outdated(leaving: Leaving) -> None:
    """A sunset whose plan was right when it was made, and is not any more when it begins."""
    await leaving.enter(
        task("id: keys, kind: manual, title: Keys"),
        task("id: soon, kind: manual, title: Soon, at: 1 day"),
    )
    shortly = datetime.now(UTC) + timedelta(seconds=6)
    await leaving.plan(dates={"soon": shortly})
    await leaving.submit("retire")
    await leaving.gate_opens("retire")
    await past(shortly)
    await leaving.vote("retire", "ana", "go")


async def past(instant: datetime) -> None:
    await asyncio.sleep((instant - datetime.now(UTC)).total_seconds() + 0.1)


async def test_a_plan_that_breaks_a_rule_by_now_waits_for_another(leaving: Leaving) -> None:
    await outdated(leaving)
    view = await leaving.sunset_is("waiting-for-plan")
    assert "soon cannot be on" in view.needs_plan
    assert view.waiting_for.startswith("olga to plan it anew: soon cannot be on")
    product = await leaving.product()
    assert "phasegate sunset plan" in product.waiting_for
    assert set((await leaving.states()).values()) == {"planned"}, "nothing begins by it"
    assert await leaving.refused(leaving.confirmed("keys")) == "not-waiting"
    (told,) = await leaving.told("sunset.waiting-for-plan")
    assert told["why"] == view.needs_plan
    await leaving.replan(dates={"soon": datetime.now(UTC) + timedelta(days=2)})
    await leaving.task_waits("keys")


async def test_a_sunset_that_waits_for_a_plan_may_be_aborted(leaving: Leaving) -> None:
    await outdated(leaving)
    await leaving.sunset_is("waiting-for-plan")
    await leaving.abort()
    await leaving.becomes(status="active", phase="market")


async def test_a_notice_whose_day_has_passed_is_given_as_early_as_can_be(leaving: Leaving) -> None:
    await leaving.enter(
        task("id: brief, kind: manual, title: Brief, at: -10 days"),
        task("id: note, kind: notice, title: The notice"),
    )
    shortly = datetime.now(UTC) + timedelta(seconds=6)
    planned = shortly + timedelta(days=10)
    await leaving.plan(notice=planned)
    await leaving.submit("retire")
    await leaving.gate_opens("retire")
    await past(shortly)
    await leaving.vote("retire", "ana", "go")
    view = await leaving.sunset_is("sunsetting")
    assert view.notice_at > planned
    assert view.moved
