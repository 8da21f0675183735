"""A sunset on its way: what runs side by side, what waits for what, and what is told."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from parting import DIRECTORY, Leaving, gate, no_return, task
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from tracker import Tracker

from client import directories
from client.engine import Engine
from client.settings import Settings
from ledger import Ledger
from phasegate.ids import sunset_id
from phasegate.reading import read_directory
from worker import build_worker


@pytest.fixture
def leaving(engine: Engine, request: pytest.FixtureRequest) -> Leaving:
    name = request.node.name.removeprefix("test_").lower()
    return Leaving(engine, re.sub(r"[^a-z0-9]+", "-", name).strip("-")[:50])


async def test_tasks_run_side_by_side_and_a_gate_brings_them_together(leaving: Leaving) -> None:
    await leaving.leave(
        task("id: keys, kind: manual, title: Keys, by: eng"),
        task("id: price, kind: manual, title: Price list, by: product"),
        task("id: after-keys, kind: manual, title: After the keys, after: [keys]"),
        gate("sales"),
        task("id: last, kind: manual, title: Last"),
    )
    await leaving.task_waits("keys")
    await leaving.task_waits("price")
    assert (await leaving.states())["after-keys"] == "planned", "what it comes after is not done"
    await leaving.confirmed("keys", "bo")
    await leaving.task_waits("after-keys")
    await leaving.confirmed("after-keys")
    states = await leaving.states()
    assert (states["sales"], states["last"]) == ("planned", "planned"), "the price list is not done"
    await leaving.confirmed("price", "ana")
    await leaving.gate_opens("sales")
    assert (await leaving.states())["last"] == "planned", "the gate has not passed"
    await leaving.passes("sales", "cy")
    await leaving.task_waits("last")
    await leaving.confirmed("last")
    await leaving.becomes(status="retired")


async def test_a_day_that_comes_wakes_one_timer(leaving: Leaving) -> None:
    days = [task(f"id: d{n}, kind: wait, title: Day {n}, at: PT2S") for n in range(12)]
    await leaving.leave(*days, task("id: z, kind: manual, title: Z, at: PT2S"))
    await leaving.task_waits("z")
    history = await leaving.history(sunset_id(leaving.key))
    started = [e for e in history.events if e.HasField("timer_started_event_attributes")]
    assert len(started) == 1
    await leaving.confirmed("z")
    await leaving.becomes(status="retired")


async def test_the_people_of_a_task_are_told_and_reminded_of_its_deadline(leaving: Leaving) -> None:
    await leaving.leave(
        task("id: keys, kind: manual, title: Revoke the keys, by: eng, due: PT1S"),
        task("id: mine, kind: manual, title: Mine"),
    )
    begun = {event["task"]: event["people"] for event in await leaving.told("sunset.task-begun", 2)}
    assert begun == {"keys": ["bo", "cy"], "mine": ["olga"]}
    (overdue,) = await leaving.told("sunset.task-overdue")
    assert (overdue["task"], overdue["people"]) == ("keys", ["bo", "cy"])
    view = await leaving.task("keys")
    assert (view.overdue, view.waits_for) == (True, ["bo", "cy"])
    await leaving.confirmed("keys", "cy")
    assert not (await leaving.task("keys")).overdue
    await leaving.confirmed("mine")
    await leaving.becomes(status="retired")
    assert leaving.story().count("sunset.task-overdue") == 1, "told once"


async def test_a_proof_is_asked_for_and_kept_with_who_confirmed(leaving: Leaving) -> None:
    await leaving.leave(
        task("id: backup, kind: manual, title: Last backup, by: eng, proof: [digest, count]")
    )
    await leaving.task_waits("backup")
    assert await leaving.refused(leaving.confirmed("backup", "bo")) == "proof-missing"
    proof = {"digest": "sha256:1", "count": 7}
    await leaving.confirmed("backup", "bo", proof=proof)
    (done,) = await leaving.told("sunset.task-done")
    assert (done["by"], done["digest"], done["proof"]) == ("bo", "sha256:1", proof)
    await leaving.becomes(status="retired")


async def test_who_may_not_and_what_makes_no_sense_is_refused(leaving: Leaving) -> None:
    await leaving.leave(
        task("id: keys, kind: manual, title: Keys, by: eng"),
        task("id: later, kind: manual, title: Later, at: 1 day"),
        task("id: day, kind: wait, title: A day, at: 2 days"),
    )
    await leaving.task_waits("keys")
    no = leaving.refused
    assert await no(leaving.confirmed("keys", "ana")) == "not-confirmer"
    assert await no(leaving.confirmed("later")) == "not-waiting"
    assert await no(leaving.confirmed("day")) == "not-manual"
    assert await no(leaving.confirmed("nothing")) == "unknown-task"
    assert await no(leaving.confirmed("keys", "bo", outcome="not-done")) == "not-unknown"
    assert await no(leaving.submit("keys")) == "no-gate"
    assert await no(leaving.abort("bo")) == "not-aborter"
    assert await no(leaving.hold("smith", "olga")) == "not-legal-holder"
    assert await no(leaving.hold("smith", lift=True)) == "no-such-hold"
    assert await no(leaving.replan("ana")) == "not-owner"
    assert await no(leaving.replan(skip={"nothing": "no"})) == "unknown-task"
    assert await no(leaving.ask("customers", "eve")) == "not-owner"
    recorded = [event["code"] for event in await leaving.told("sunset.refused", 5)]
    assert sorted(recorded) == sorted(
        ["not-confirmer", "not-aborter", "not-legal-holder", "not-owner", "not-owner"]
    )
    states = await leaving.states()
    assert states == {"keys": "waiting", "later": "planned", "day": "planned"}


async def test_who_has_left_a_group_neither_lifts_a_hold_nor_aborts(leaving: Leaving) -> None:
    await leaving.leave(task("id: keys, kind: manual, title: Keys, by: eng"))
    await leaving.task_waits("keys")
    await leaving.hold("smith", "lea")
    text = DIRECTORY.replace("KEY", leaving.key).replace("members: [lea]", "members: [eve]")
    directories.publish(leaving.engine.ledger, read_directory(text, "directory"), "ops")
    assert await leaving.refused(leaving.abort("lea")) == "not-aborter"
    assert await leaving.refused(leaving.hold("smith", "lea", lift=True)) == "not-legal-holder"
    await leaving.hold("smith", "eve", lift=True)


async def test_a_dead_ledger_refuses_whom_nobody_knows_and_takes_a_hold(
    engine: Engine, tmp_path: Path
) -> None:
    blocked, aside = tmp_path / "state", tmp_path / "aside"
    settings = Settings(tmp_path, f"sqlite:///{blocked}/ledger.db", "dead-members", "http://x")
    own = Engine(engine.client, Ledger(settings.ledger_url), settings)
    leaving = Leaving(own, "dead-members")
    async with build_worker(own.client, settings):
        await leaving.leave(task("id: keys, kind: manual, title: Keys"))
        await leaving.task_waits("keys")
        await leaving.told("sunset.task-begun")
        own.ledger.close()
        blocked.rename(aside)
        blocked.write_text("a file where the folder was")
        assert await leaving.refused(leaving.abort("eve")) == "ledger-unavailable"
        await leaving.hold("smith", "lea")
        blocked.unlink()
        aside.rename(blocked)
        assert await leaving.refused(leaving.abort("eve")) == "not-aborter"
        await leaving.hold("smith", "lea", lift=True)
        await leaving.confirmed("keys")
        await leaving.becomes(status="retired")
    own.ledger.close()


async def test_a_retried_request_is_answered_and_not_done_twice(leaving: Leaving) -> None:
    await leaving.leave(task("id: keys, kind: manual, title: Keys"), gate("sales"))
    await leaving.task_waits("keys")
    first = await leaving.confirmed("keys", request_id="one")
    assert await leaving.confirmed("keys", request_id="one") == first
    await leaving.hold("smith", request_id="two")
    assert (await leaving.hold("smith", request_id="two")).text == "legal hold smith is placed"
    await leaving.told("sunset.legal-hold-placed")
    await leaving.told("sunset.task-done")
    assert leaving.story().count("sunset.legal-hold-placed") == 1


async def test_what_is_said_when_nobody_has_to_do_anything(leaving: Leaving) -> None:
    await leaving.leave(task("id: d, kind: wait, title: The day, at: 400 days"))

    async def said() -> str | None:
        text = (await leaving.product()).waiting_for
        return text if "The day on" in text else None

    await leaving.until(said, "the product says what its sunset waits for")
    view = await leaving.sunset()
    assert view is not None
    assert view.waiting_for.startswith("The day on")


async def test_customers_keep_the_point_of_no_return_until_they_are_settled(
    leaving: Leaving,
) -> None:
    await leaving.leave(no_return("off"), task("id: z, kind: manual, title: Z"))
    await leaving.gate_opens("off")
    (criterion,) = (await leaving.gate("off")).criteria
    assert (criterion.id, criterion.state) == ("settled", "met"), "no customer is known"
    await leaving.vote("off", "bo", "go")
    await leaving.task_waits("z")
    view = await leaving.sunset()
    assert view is not None
    assert view.beyond_return
    assert await leaving.refused(leaving.abort()) == "point-of-no-return"
    assert await leaving.refused(leaving.ask("customers")) == "point-of-no-return"
    await leaving.confirmed("z")
    await leaving.becomes(status="retired")


async def test_a_sunset_is_postponed_on_the_way(leaving: Leaving) -> None:
    await leaving.leave(
        task("id: keys, kind: manual, title: Keys"),
        task("id: soon, kind: manual, title: Soon, at: 1 day"),
        task("id: eol, kind: date, title: The end, marks: end-of-life, at: 400 days"),
        task("id: down, kind: manual, title: Down, relative_to: eol"),
    )
    await leaving.task_waits("keys")
    before = await leaving.task("eol")
    assert await leaving.refused(leaving.replan(dates={"eol": "370 days"})) == (
        "public-date-moved-earlier"
    )
    assert await leaving.refused(leaving.replan(skip={"keys": "no"})) == "task-begun"
    assert await leaving.refused(leaving.replan(skip={"eol": "no"})) == "not-skippable"
    shortly = datetime.now(UTC) + timedelta(seconds=8)
    done = await leaving.replan(
        "tim",
        dates={"eol": "500 days", "soon": shortly, "cake": shortly},
        add=[{"id": "cake", "kind": "manual", "title": "Cake", "by": "product"}],
    )
    assert "The end to" in done.text
    await leaving.task_waits("soon")
    await leaving.task_waits("cake")
    after = await leaving.task("eol")
    assert (after.at - before.at).days == 100
    assert (await leaving.task("down")).at == after.at
    (event,) = await leaving.told("sunset.replanned")
    assert (event["actor"], event["tasks"]["eol"]) == ("tim", after.at.isoformat())
    people = {told["task"]: told["people"] for told in await leaving.told("sunset.task-begun", 3)}
    assert people["cake"] == ["ana"], "its group is read when the plan names it"


async def test_acts_are_under_way_at_the_same_time(leaving: Leaving, tracker: Tracker) -> None:
    tracker.answers.clear()
    await leaving.leave(
        *[
            task(f"id: t{n}, kind: http, title: Task {n}, url: '{tracker.url}/t{n}'")
            for n in range(4)
        ]
    )
    await tracker.asked(4)
    assert set((await leaving.states()).values()) == {"running"}
    tracker.answers.set()
    await leaving.becomes(status="retired")
    assert sorted(path for _, path, _ in tracker.calls) == ["/t0", "/t1", "/t2", "/t3"]


async def test_a_plan_within_the_plan_is_done_for_each(leaving: Leaving) -> None:
    await leaving.leave(
        "    - id: regions\n      kind: plan\n      title: Regions\n      each: [eu, us]\n"
        "      by: eng\n      tasks:\n"
        "        - {id: off, kind: manual, title: 'Off in {each}'}\n"
        "        - {id: gone, kind: manual, title: 'Gone in {each}', after: [off]}\n",
        task("id: z, kind: manual, title: Z, after: [regions]"),
    )
    eu = await leaving.task_is("regions--eu--off", "waiting")
    assert (eu.title, eu.waits_for) == ("Off in eu", ["bo", "cy"])
    for region in ("us", "eu"):
        await leaving.confirmed(f"regions--{region}--off", "bo")
        await leaving.task_is(f"regions--{region}--gone", "waiting")
        assert (await leaving.states())["z"] == "planned"
        await leaving.confirmed(f"regions--{region}--gone", "bo")
    await leaving.task_waits("z")
    await leaving.confirmed("z")
    await leaving.becomes(status="retired")


async def test_reminders_of_a_date_go_to_customers_who_are_open_too(leaving: Leaving) -> None:
    leaving.also = "customer_reminder: {subject: 'It ends', text: 'On {end_of_life}', to: open}"
    await leaving.leave(
        task("id: eos, kind: date, title: End of sales, at: PT5S, remind: [PT4S, 0 days]"),
        task("id: z, kind: manual, title: Z, after: [eos]"),
    )
    await leaving.task_waits("z")
    texts = [event["text"] for event in await leaving.told("sunset.reminder", 2)]
    assert texts[0].startswith("End of sales in 4 seconds, on ")
    assert texts[1].startswith("End of sales today, on ")
    assert len(await leaving.told("sunset.customers-reminded", 2)) == 2
    await leaving.confirmed("z")
    await leaving.becomes(status="retired")


async def test_garbage_is_refused_and_the_sunset_goes_on(leaving: Leaving) -> None:
    await leaving.leave(task("id: z, kind: manual, title: Z"))
    await leaving.task_waits("z")
    handle = leaving.engine.workflow(sunset_id(leaving.key))
    for update in ("confirm", "plan_sunset", "abort", "legal_hold", "customers", "submit"):
        for garbage in ({}, {"actor": "olga"}, [1], None, "x", {"actor": 1, "request_id": []}):
            with pytest.raises(WorkflowUpdateFailedError) as failed:
                await handle.execute_update(update, garbage)
            assert isinstance(failed.value.cause, ApplicationError)
            assert failed.value.cause.type == "malformed"
    await handle.signal("abort", {"actor": "olga"})
    await leaving.confirmed("z")
    await leaving.becomes(status="retired")
