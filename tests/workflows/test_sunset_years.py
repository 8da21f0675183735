# ruff: noqa: E501 - one line a task reads better
"""Two sunsets of one product with a year's notice each, on the time-skipping server.

The first is aborted half-way, the second carried through. 10,000 customers have to be settled, and
what cannot be undone is ordered of a system that writes down every call.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import tracker
from parting import DIRECTORY, Leaving
from replaying import replay
from temporalio.testing import WorkflowEnvironment
from time_skipping import pass_until, shown, skipping_time
from tracker import Tracker

from client import products
from client.asking import ask, new_request_id
from client.customers import digest_of_bytes
from client.engine import Engine
from phasegate.customer_file import read_csv
from phasegate.ids import product_id, sunset_id
from phasegate.requests import CustomersRequest, SubmitRequest
from phasegate.sunset_views import SunsetView, TaskView
from phasegate.views import ProductView

pytestmark = pytest.mark.slow

CUSTOMERS = 10_000
DAY = timedelta(days=1)

POLICY = """
policy: leaving
version: "1"
title: Leave
phases:
  - id: market
    title: Market
    in_market: true
    gate: {id: retire, title: "G6: retire", opens: submit, requires: [{group: product}]}
sunset:
  abort_by: legal
  tasks:
    - {id: briefing, kind: notice, title: Briefing, at: -30 days}
    - {id: notice, kind: notice, title: Public notice}
    - {id: letters, kind: mail, title: Notice to customers, to: all, subject: "{name} ends", text: "On {end_of_life}.", notifies: true}
    - {id: beta, kind: http, title: Beta closed, at: 30 days, url: "URL/beta/{product}", method: DELETE, undo: {kind: http, url: "URL/beta/{product}"}}
    - {id: ready, kind: gate, title: "G7: ready", at: 5 months, gate: {id: ready, title: "G7: ready", requires: [{group: eng}], clocks: {respond: 20 days, resolve: 60 days}}}
    - {id: end-of-sales, kind: date, title: End of sales, at: 6 months, marks: end-of-sales, remind: [90 days, 60 days, 30 days, 7 days, 0 days]}
    - {id: sign-ups, kind: http, title: No sign-ups, after: [end-of-sales], url: "URL/sign-ups/{product}", method: DELETE, undo: {kind: http, url: "URL/sign-ups/{product}"}}
    - {id: price-list, kind: manual, title: Off the price list, after: [end-of-sales], by: eng, undo: {kind: notice, text: Back on the price list}}
    - {id: read-only, kind: http, title: Read-only, at: -30 days, relative_to: end-of-life, url: "URL/read-only/{product}", undo: {kind: http, url: "URL/read-only/{product}", method: DELETE}}
    - {id: end-of-life, kind: date, title: End of life, at: 12 months, marks: end-of-life, remind: [90 days, 60 days, 30 days, 7 days, 0 days]}
    - id: off
      kind: gate
      title: "G8: switch it off"
      relative_to: end-of-life
      point_of_no_return: true
      gate:
        id: "off"
        title: "G8: switch it off"
        requires: [{group: eng}]
        criteria: [{id: settled, text: Every customer is settled, milestone: customers-settled}]
        clocks: {respond: 20 days, resolve: 60 days}
    - {id: archive, kind: archive, title: Source archived, relative_to: end-of-life, source: "{product}"}
    - {id: shutdown, kind: http, title: Shut down, after: [archive], relative_to: end-of-life, effect: irreversible, url: "URL/shutdown/{product}"}
    - {id: secrets, kind: http, title: Secrets revoked, after: [shutdown], relative_to: end-of-life, effect: irreversible, url: "URL/secrets/{product}", method: DELETE}
    - {id: data, kind: http, title: Data deleted, at: 30 days, relative_to: end-of-life, effect: deletion, url: "URL/data/{product}", method: DELETE, proof: {count: body.count, digest: body.digest}}
    - {id: farewell, kind: notice, title: Retired, after: [data]}
"""

DESTRUCTIVE = {
    ("POST", "/shutdown/kettle"): "shutdown",
    ("DELETE", "/secrets/kettle"): "secrets",
    ("DELETE", "/data/kettle"): "data",
}


@pytest.fixture
async def skipping(tmp_path: Path) -> AsyncIterator[tuple[Engine, WorkflowEnvironment]]:
    async with skipping_time(tmp_path) as engine_and_server:
        yield engine_and_server


@pytest.fixture
def receiver() -> Iterator[Tracker]:
    with tracker.serving() as found:
        found.body = {"count": CUSTOMERS, "digest": "sha256:beef"}
        yield found


def csv(settled: str, but: int = 0) -> bytes:
    """All customers, of whom the first `but` are not settled."""
    lines = [f"id,name,{settled}"] + [
        f"c{n},Customer {n},{'yes' if n >= but else ''}" for n in range(CUSTOMERS)
    ]
    return "\n".join(lines).encode()


class Years(Leaving):
    """The product, and a clock that can be put on."""

    env: WorkflowEnvironment

    async def now(self) -> datetime:
        return await self.env.get_current_time()

    async def product(self) -> ProductView:
        return await shown(self.engine, product_id(self.key), ProductView)

    async def sunset(self) -> SunsetView | None:
        return await shown(self.engine, sunset_id(self.key), SunsetView)

    async def take(self, data: bytes, sunset: int = 0) -> None:
        """What `customer import` does, without describing the product."""
        rows, now = read_csv(data, "customers.csv", await self.now()), await self.now()
        digest = digest_of_bytes(data)
        put = self.engine.ledger.customers.put(self.key, sunset or 1, rows, now, "olga", digest)
        assert put.new + put.changed >= 1
        told = sunset_id(self.key) if sunset else product_id(self.key)
        request = CustomersRequest(actor="olga", digest=digest, request_id=new_request_id())
        await ask(self.engine.workflow(told), "customers", request)

    async def start_sunset(self, round_number: int) -> SunsetView:
        request = SubmitRequest(actor="olga", gate="retire", request_id=new_request_id())
        await products.request(self.engine, self.key, "submit", request)
        await self.gate_opens("retire", round_number)
        await self.vote("retire", "ana", "go")
        return await self.until(lambda: self.sunset_number(round_number), "the sunset begins")

    async def sunset_number(self, number: int) -> SunsetView | None:
        try:
            view = await self.sunset()
        except Exception:  # it is just being started
            return None
        return view if view is not None and view.number == number else None

    async def in_phase(self, phase: str | None, status: str = "active") -> ProductView | None:
        view = await self.product()
        return view if (view.phase, view.status) == (phase, status) else None

    async def passes_round(self, name: str, number: int) -> None:
        await self.gate_opens(name, number)
        await self.vote(name, "bo", "go")

    async def at(self, task: str, state: str) -> TaskView | None:
        view = await self.sunset()
        assert view is not None
        found = next(t for t in view.tasks if t.id == task)
        return found if found.state == state else None

    async def until_day_of(self, task: str, state: str = "done") -> TaskView:
        """Let time pass until the day of the task, and wait until it is that far.

        Not longer: this server's time jumps from timer to timer, and stands where there is none.
        """
        view = await self.sunset()
        assert view is not None
        day = next(t for t in view.tasks if t.id == task).at
        await pass_until(self.env, day)
        return await self.until(lambda: self.at(task, state), f"{task} is {state}")


async def test_a_sunset_is_aborted_half_way_and_a_second_one_carried_through(
    skipping: tuple[Engine, WorkflowEnvironment], receiver: Tracker
) -> None:
    engine, env = skipping
    stage = Years(engine, "kettle")
    stage.env = env
    source = engine.settings.data_dir / "archive-source" / stage.key
    source.mkdir(parents=True)
    (source / "README").write_text("what we leave behind")
    await stage.start(
        POLICY.replace("URL", receiver.url),
        DIRECTORY.replace("KEY", "leaving"),
        "key: kettle\nname: Kettle\nowner: olga\ntier: 2\nteam: [tim]",
    )
    await stage.until(lambda: stage.in_phase("market"), "it is sold")
    await stage.take(csv("notified"))

    # The first: half a year in, it is aborted.
    await stage.start_sunset(1)
    await stage.until_day_of("ready", "waiting")
    assert receiver.calls == [("DELETE", "/beta/kettle", f"{sunset_id('kettle')}/1/beta")]
    await stage.passes_round("ready", 1)
    await stage.until_day_of("sign-ups")
    await stage.until_day_of("price-list", "waiting")
    await stage.confirmed("price-list", "bo")
    await stage.until_day_of("price-list")
    await stage.abort("lea")
    await stage.until(lambda: stage.in_phase("market", "active"), "it is back")
    assert [call[:2] for call in receiver.calls] == [
        ("DELETE", "/beta/kettle"),
        ("DELETE", "/sign-ups/kettle"),
        ("POST", "/sign-ups/kettle"),
        ("POST", "/beta/kettle"),
    ], "undone in reverse order"
    for word in ("sunset.aborted", "product.back-in-market"):
        await stage.told(word)

    # The second: carried through, with a customer left over at the last gate.
    receiver.calls.clear()
    sunset = await stage.start_sunset(2)
    await stage.until_day_of("ready", "waiting")
    await stage.passes_round("ready", 2)
    await stage.until_day_of("price-list", "waiting")
    await stage.confirmed("price-list", "bo")
    await stage.take(csv("migrated", but=1), sunset=2)
    await stage.until_day_of("off", "waiting")
    await stage.gate_opens("off")
    await stage.vote("off", "bo", "go")
    assert not DESTRUCTIVE.keys() & {call[:2] for call in receiver.calls}, "one customer is open"
    assert (await stage.gate("off")).outcome is None
    await stage.take(csv("exported"), sunset=2)
    await stage.until_day_of("data")
    await stage.until(lambda: stage.in_phase(None, "retired"), "it has left the market")
    await stage.told("product.retired")

    made = Counter(call for call in receiver.calls if call[:2] in DESTRUCTIVE)
    assert made == {
        (*call, f"{sunset_id('kettle')}/2/{task}"): 1 for call, task in DESTRUCTIVE.items()
    }
    view = await stage.sunset()
    assert view is not None
    days = {task.id: task for task in view.tasks}
    assert 365 <= (days["end-of-life"].at - sunset.notice_at).days <= 366
    decided = next(
        e.announcement.at
        for e in engine.ledger.events(stage.key, types=("gate.decided",))
        if e.announcement.data["gate"] == "off"
    )
    for task in ("shutdown", "secrets", "data"):
        done = days[task].done_at
        assert done is not None
        assert done >= decided
    assert days["data"].proof["count"] == CUSTOMERS
    ahead = [
        round((days[e.announcement.data["task"]].at - e.announcement.at) / DAY)
        for e in engine.ledger.events(stage.key, types=("sunset.reminder",))
        if e.announcement.at >= sunset.notice_at
    ]
    assert sorted(ahead, reverse=True) == [90, 90, 60, 60, 30, 30, 7, 7, 0, 0]
    assert engine.ledger.verify(stage.key) == len(stage.story())
    await several_runs(stage)


async def several_runs(stage: Years) -> None:
    """The sunset went on in fresh histories, each of which replays, and none is long."""
    runs, handle = 0, stage.engine.workflow(sunset_id(stage.key))
    run_id = (await handle.fetch_history()).run_id
    while run_id:
        run = stage.engine.client.get_workflow_handle(handle.id, run_id=run_id)
        await replay(run)
        events = (await run.fetch_history()).events
        assert len(events) < 400
        run_id = events[0].workflow_execution_started_event_attributes.continued_execution_run_id
        runs += 1
    assert runs >= 3
