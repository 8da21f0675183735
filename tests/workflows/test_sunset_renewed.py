"""A sunset goes on in fresh histories: after gates, public dates, and when one has grown long."""

from __future__ import annotations

from parting import Leaving, gate, no_return, task
from replaying import replay
from tracker import Tracker

from client.engine import Engine
from phasegate.ids import sunset_id


async def runs(stage: Leaving) -> int:
    """How many runs the sunset had. All of them replay."""
    workflow_id, seen = sunset_id(stage.key), 0
    run_id: str | None = (await stage.engine.workflow(workflow_id).describe()).run_id
    while run_id:
        seen += 1
        handle = stage.engine.client.get_workflow_handle(workflow_id, run_id=run_id)
        await replay(handle)
        started = (await handle.fetch_history()).events[0]
        run_id = started.workflow_execution_started_event_attributes.continued_execution_run_id
    return seen


async def test_every_gate_and_public_date_begins_a_fresh_history(engine: Engine) -> None:
    leaving = Leaving(engine, "renewed-by-gates")
    await leaving.leave(
        task("id: keys, kind: manual, title: Keys, by: eng"),
        gate("sales"),
        task("id: eos, kind: date, title: End of sales, at: PT1S"),
        task("id: price, kind: manual, title: Price list, after: [eos]"),
        no_return(),
        task("id: z, kind: manual, title: Z"),
    )
    await leaving.task_waits("keys")
    await leaving.hold("smith", request_id="kept")
    await leaving.confirmed("keys", "bo", request_id="mine")
    await leaving.passes("sales")
    await leaving.task_waits("price")
    assert await runs(leaving) == 3, "one more after the gate, and one after the date"
    again = await leaving.confirmed("keys", "bo", request_id="mine")
    assert again.text == "keys is confirmed", "a retry is answered in a later run, too"
    view = await leaving.sunset()
    assert view is not None
    assert [hold.matter for hold in view.legal_holds] == ["smith"]
    await leaving.confirmed("price")
    await leaving.passes("off")
    await leaving.task_waits("z")
    await leaving.confirmed("z")
    await leaving.becomes(status="retired")
    assert await runs(leaving) == 4
    done = [event["task"] for event in await leaving.told("sunset.task-done", 6)]
    assert sorted(done) == ["eos", "keys", "off", "price", "sales", "z"], "each once"
    begun = [event["task"] for event in await leaving.told("sunset.task-begun", 3)]
    assert begun == ["keys", "price", "z"], "each once"


async def test_what_is_tried_in_vain_goes_on_in_the_next_run_under_the_same_key(
    engine: Engine, tracker: Tracker
) -> None:
    tracker.status = 503
    leaving = Leaving(engine, "renewed-while-trying")
    await leaving.leave(
        f"    - {{id: signups, title: No sign-ups, kind: http, url: '{tracker.url}/s'}}\n",
        task("id: eos, kind: date, title: End of sales, at: PT3S"),
        task("id: keys, kind: manual, title: Keys, after: [eos]"),
    )
    await tracker.asked(1)
    await leaving.task_waits("keys")
    assert await runs(leaving) == 2, "the history of a year does not wait for one endpoint"
    assert (await leaving.states())["signups"] == "running"
    tracker.status = 200
    await leaving.task_is("signups", "done")
    assert len({key for *_, key in tracker.calls}) == 1
    assert len(await leaving.told("sunset.task-begun", 2)) == 2
    await leaving.confirmed("keys")
    await leaving.becomes(status="retired")


async def test_a_whole_sunset_and_its_abort_on_a_server_that_renews_all_the_time(
    eager: Engine, tracker: Tracker
) -> None:
    leaving = Leaving(eager, "renewed-all-the-time")
    calls = [
        f"    - {{id: t{n}, title: Task {n}, kind: http, url: '{tracker.url}/t{n}', "
        f"after: [{'' if n == 0 else f't{n - 1}'}], "
        f"undo: {{kind: http, url: '{tracker.url}/t{n}', method: DELETE}}}}\n"
        for n in range(6)
    ]
    await leaving.leave(
        *calls,
        task("id: price, kind: manual, title: Price list, undo: {kind: manual}"),
        gate("sales"),
        task("id: z, kind: manual, title: Z"),
    )
    await leaving.task_waits("price")
    await leaving.confirmed("price")
    await leaving.passes("sales")
    await leaving.task_waits("z")
    await leaving.abort()
    await leaving.task_is("price", "undoing")
    await leaving.confirmed("price")
    await leaving.becomes(status="active", phase="market")
    # A call that meets a renewal may be made again, under the same key.
    ways = list(dict.fromkeys((method, path) for method, path, _ in tracker.calls))
    there = [("POST", f"/t{n}") for n in range(6)]
    assert ways == there + [("DELETE", f"/t{n}") for n in reversed(range(6))]
    assert await runs(leaving) > 3
    await leaving.decide(2)
    await leaving.task_waits("price")
    await leaving.confirmed("price")
    await leaving.gate_opens("sales", 2)
    await leaving.vote("sales", "bo", "go")
    await leaving.task_waits("z")
    await leaving.confirmed("z")
    await leaving.becomes(status="retired")
    assert await runs(leaving) > 1
