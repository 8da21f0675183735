"""Acts of a sunset that fail, hang, cannot be told of or are frozen: none is repeated blindly."""

from __future__ import annotations

import re

import pytest
from parting import Leaving, no_return, task
from tracker import Tracker

from client.engine import Engine
from phasegate.ids import sunset_id

DESTROY = """
    - id: destroy
      title: Destroy the data
      kind: http
      effect: deletion
      by: eng
      url: "URL/data/{product}"
      method: DELETE
"""


@pytest.fixture
def leaving(hasty: Engine, request: pytest.FixtureRequest) -> Leaving:
    name = request.node.name.removeprefix("test_").lower()
    return Leaving(hasty, re.sub(r"[^a-z0-9]+", "-", name).strip("-")[:50])


def signups(tracker: Tracker, **more: str) -> str:
    fields = {"id": "signups", "title": "No sign-ups", "kind": "http", "by": "eng", **more}
    lines = "".join(f"      {name}: {value}\n" for name, value in fields.items())
    return f'    - url: "{tracker.url}/signups"\n{lines}'


async def test_what_is_stuck_is_told_once_and_goes_on_when_it_is_mended(
    leaving: Leaving, tracker: Tracker
) -> None:
    tracker.status = 503
    await leaving.leave(
        signups(tracker),
        task("id: z, kind: manual, title: Z, after: [signups]"),
        task("id: side, kind: manual, title: Side by side"),
    )
    stuck = await leaving.task_is("signups", "stuck")
    assert stuck.stuck_since is not None
    assert "503" in stuck.why
    await leaving.confirmed("side")
    (told,) = await leaving.told("sunset.task-stuck")
    assert told["people"] == ["bo", "cy"]
    quiet = await leaving.at_rest(sunset_id(leaving.key))
    await tracker.asked(len(tracker.calls) + 2)
    assert len((await leaving.history(sunset_id(leaving.key))).events) == quiet
    tracker.status = 200
    await leaving.task_waits("z")
    assert {key for _, _, key in tracker.calls} == {f"{sunset_id(leaving.key)}/1/signups"}
    await leaving.confirmed("z")
    await leaving.becomes(status="retired")
    assert leaving.story().count("sunset.task-stuck") == 1


async def test_what_is_stuck_may_be_done_by_hand(leaving: Leaving, tracker: Tracker) -> None:
    tracker.status = 503
    await leaving.leave(signups(tracker))
    await leaving.task_is("signups", "stuck")
    assert await leaving.refused(leaving.confirmed("signups", "bo", outcome="not-done")) == (
        "not-unknown"
    )
    await leaving.confirmed("signups", "bo", note="switched off in the console")
    await leaving.becomes(status="retired")
    (done,) = await leaving.told("sunset.task-done")
    assert (done["by"], done["text"]) == ("bo", "No sign-ups: bo: switched off in the console")


async def test_an_unknown_result_is_asked_of_a_person_and_tried_once_more_if_it_was_not_done(
    leaving: Leaving, tracker: Tracker
) -> None:
    tracker.status = 500
    await leaving.leave(no_return(), DESTROY.replace("URL", tracker.url))
    await leaving.passes("off")
    unknown = await leaving.task_is("destroy", "unknown")
    assert unknown.waits_for == ["bo", "cy"]
    assert len(tracker.calls) == 1, "it is not repeated"
    (told,) = await leaving.told("sunset.task-unknown")
    story = leaving.story()
    assert story.index("sunset.task-intended") < story.index("sunset.task-unknown")
    assert told["people"] == ["bo", "cy"]
    assert await leaving.refused(leaving.confirmed("destroy", "eve")) == "not-confirmer"
    tracker.status = 200
    await leaving.confirmed("destroy", "bo", outcome="not-done", note="the bucket is full")
    await leaving.becomes(status="retired")
    assert len(tracker.calls) == 2
    assert len({key for _, _, key in tracker.calls}) == 1
    (settled,) = await leaving.told("sunset.settled")
    assert (settled["outcome"], settled["actor"]) == ("not-done", "bo")
    assert leaving.story().count("sunset.task-intended") == 1


async def test_an_unknown_result_that_a_person_knows_is_not_tried_again(
    leaving: Leaving, tracker: Tracker
) -> None:
    tracker.status = 500
    await leaving.leave(no_return(), DESTROY.replace("URL", tracker.url))
    await leaving.passes("off")
    await leaving.task_is("destroy", "unknown")
    await leaving.confirmed("destroy", "cy", note="the bucket is empty", proof={"count": 9})
    await leaving.becomes(status="retired")
    assert len(tracker.calls) == 1
    (done,) = [e for e in await leaving.told("sunset.task-done", 2) if e["task"] == "destroy"]
    assert (done["by"], done["proof"]) == ("cy", {"count": 9})


async def test_a_legal_hold_freezes_deletions_until_it_is_lifted(
    leaving: Leaving, tracker: Tracker
) -> None:
    await leaving.leave(
        no_return(),
        DESTROY.replace("URL", tracker.url),
        task("id: papers, kind: manual, effect: deletion, title: Shred the papers, by: eng"),
        task("id: other, kind: manual, title: Other"),
    )
    await leaving.gate_opens("off")
    await leaving.hold("smith")
    await leaving.hold("jones")
    assert await leaving.refused(leaving.hold("jones")) == "hold-placed"
    await leaving.vote("off", "bo", "go")
    await leaving.task_is("destroy", "held")
    await leaving.task_is("papers", "held")
    assert await leaving.refused(leaving.confirmed("papers", "bo")) == "legal-hold"
    await leaving.confirmed("other")
    held = await leaving.told("sunset.task-held", 2)
    assert sorted(event["task"] for event in held) == ["destroy", "papers"]
    await leaving.hold("smith", lift=True)
    assert (await leaving.task("destroy")).state == "held", "the other one is still placed"
    assert tracker.calls == []
    await leaving.hold("jones", lift=True)
    await leaving.task_is("papers", "waiting")
    await leaving.hold("late")
    await leaving.task_is("papers", "held")
    await leaving.hold("late", lift=True)
    await leaving.task_is("papers", "waiting")
    await leaving.confirmed("papers", "bo")
    await leaving.becomes(status="retired")
    assert len(tracker.calls) == 1


async def test_a_legal_hold_stops_a_deletion_that_is_only_being_tried(
    leaving: Leaving, tracker: Tracker
) -> None:
    tracker.status = 503
    await leaving.leave(no_return(), DESTROY.replace("URL", tracker.url))
    await leaving.passes("off")
    await tracker.asked(1)
    await leaving.task_is("destroy", "stuck")
    await leaving.hold("smith")
    await leaving.task_is("destroy", "held")
    asked = len(tracker.calls)
    tracker.status = 200
    assert len(tracker.calls) == asked
    await leaving.hold("smith", lift=True)
    await leaving.becomes(status="retired")
    assert len(tracker.calls) == asked + 1


async def test_a_sunset_that_is_cancelled_leaves_what_is_tried(
    leaving: Leaving, tracker: Tracker
) -> None:
    tracker.status = 503
    await leaving.leave(signups(tracker), task("id: z, kind: manual, title: Z"))
    await tracker.asked(1)
    await leaving.engine.workflow(sunset_id(leaving.key)).cancel()
    await leaving.becomes(status="cancelled")
    await leaving.written()
    assert "sunset.cancelled" in leaving.story()
