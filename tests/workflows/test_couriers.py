"""What happens reaches those who subscribed: all of it, in order, each event once."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cloudevents.core.formats.json import JSONFormat
from receiver import SECRET, Receiver, Request, receiving
from stage import WAIT, Stage
from temporalio.client import WorkflowExecutionStatus

from activities import Receivers, Waker, couriers
from activities.announcements import AnnouncementActivities
from activities.waking import start_courier
from client.connection import connect
from client.dev_server import dev_server, free_port
from client.engine import Engine
from client.schedules import SWEEP, keep_schedules
from client.settings import Settings
from integrations.document import Integrations
from ledger import Ledger
from phasegate.delivery import COURIER_SWEEP, CourierOrder, courier_id
from phasegate.events import Announcement
from phasegate.ports import AnnounceRequest
from worker import build_worker

CRM = "subscriber/crm"


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setenv("CRM_KEY", SECRET)
    with receiving() as found:
        yield found


def subscribed(receiver: Receiver, **more: object) -> Integrations:
    crm = {"url": receiver.url, "secret": {"env": "CRM_KEY"}, **more}
    return Integrations.model_validate({"subscribers": {"crm": crm}})


@pytest.fixture
def house(
    engine: Engine, tmp_path: Path, request: pytest.FixtureRequest
) -> Callable[[Integrations], object]:
    """A ledger and a worker of the test's own, on the server that all share."""
    name = request.node.name.removeprefix("test_").replace("_", "-")[:40]

    @asynccontextmanager
    async def opened(integrations: Integrations, *, key: str = "") -> AsyncIterator[Stage]:
        settings = Settings(tmp_path, f"sqlite:///{tmp_path}/ledger.db", name, "http://x")
        own = Engine(engine.client, Ledger(settings.ledger_url), settings)
        async with build_worker(own.client, settings, integrations=integrations):
            yield Stage(own, key or name)
        own.ledger.close()

    return opened


async def until(done: Callable[[], bool], what: str, seconds: float = WAIT) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        await asyncio.sleep(0.05)


def all_there(stage: Stage, receiver: Receiver) -> Callable[[], bool]:
    def done() -> bool:
        story = stage.story()
        return bool(story) and [t.removeprefix("phasegate.") for t in receiver.types] == story

    return done


async def swept(stage: Stage, done: Callable[[], bool], what: str) -> None:
    """Sweep until it is so. A courier that a late wake has started is left alone by a sweep, and
    may have looked already."""

    async def is_so() -> bool | None:
        await sweep(stage)
        return done() or None

    await stage.until(is_so, what)


async def ended(stage: Stage, receiver: str = CRM) -> None:
    """Wait until the courier of this product has nothing left, and is gone."""
    handle = stage.engine.workflow(courier_id(receiver, stage.key))

    async def closed() -> bool | None:
        status = (await handle.describe()).status
        return True if status == WorkflowExecutionStatus.COMPLETED else None

    await stage.until(closed, "the courier ends")


async def test_every_transition_arrives_as_a_signed_cloud_event(
    house: Callable[..., AsyncIterator[Stage]], receiver: Receiver
) -> None:
    async with house(subscribed(receiver)) as stage:
        await stage.start()
        await stage.becomes(phase="build")
        await stage.report("done")
        await stage.gate_opens("launch")
        await stage.votes("launch", "go", "ana", "bo", "cy")
        await stage.becomes(phase="market")
        await stage.written()
        await until(all_there(stage, receiver), "the whole story")
        await ended(stage)
        entries = stage.engine.ledger.events(stage.key)
        assert receiver.ids == [entry.announcement.id for entry in entries]
        assert len(receiver.requests) == len(entries)
        decided = next(r for r in receiver.taken if r.event["type"] == "phasegate.gate.decided")
        event = JSONFormat().read(None, json.dumps(decided.event))
        said = next(e for e in entries if e.announcement.type == "gate.decided")
        assert event.get_id() == said.announcement.id == decided.headers["webhook-id"]
        assert event.get_source() == f"product/{stage.key}/gate/launch/1"
        assert event.get_subject() == stage.key
        assert event.get_time() == said.announcement.at
        assert event.get_extension("sequence") == f"{said.seq:010}"
        assert decided.headers["Content-Type"] == "application/cloudevents+json"
        assert decided.event["data"]["details"]["outcome"] == "go"


async def test_a_receiver_that_fails_for_a_while_gets_every_event_once_it_is_back(
    house: Callable[..., AsyncIterator[Stage]], receiver: Receiver
) -> None:
    answers = iter([503, 500, 404, 302])
    receiver.answer = lambda request: (next(answers, 204), {"Location": receiver.url})
    async with house(subscribed(receiver)) as stage:
        await stage.start()
        await stage.becomes(phase="build")
        await stage.report("done")
        await stage.gate_opens("launch")
        await until(lambda: len(receiver.requests) >= 3, "some failures")
        courier = stage.engine.workflow(courier_id(CRM, stage.key))
        waiting = len((await courier.fetch_history()).events)
        await stage.votes("launch", "go", "ana", "bo", "cy")
        await stage.becomes(phase="market")
        await until(all_there(stage, receiver), "the whole story")
        assert len(receiver.ids) == len(set(receiver.ids))
        assert [r.id for r in receiver.requests[:5]] == [receiver.ids[0]] * 5
        assert waiting < 60  # wakes come in; the waiting itself adds nothing
        assert stage.engine.ledger.dead_letters.of(stage.key) == []


async def test_retry_after_is_honoured(
    house: Callable[..., AsyncIterator[Stage]], receiver: Receiver
) -> None:
    times: list[float] = []

    def busy(request: Request) -> tuple[int, dict[str, str]]:
        times.append(time.monotonic())
        return (429, {"Retry-After": "4"}) if len(times) == 1 else (200, {})

    receiver.answer = busy
    async with house(subscribed(receiver)) as stage:
        await stage.start()
        await until(all_there(stage, receiver), "all of it")
        assert times[1] - times[0] >= 4


async def test_what_is_given_up_is_a_dead_letter_and_what_comes_later_goes_on(
    house: Callable[..., AsyncIterator[Stage]], receiver: Receiver
) -> None:
    def picky(request: Request) -> tuple[int, dict[str, str]]:
        return (400 if request.event["type"] == "phasegate.product.started" else 200), {}

    receiver.answer = picky
    async with house(subscribed(receiver, give_up="2 seconds")) as stage:
        await stage.start()
        await until(lambda: "phasegate.product.phase-entered" in receiver.types, "the next one")
        await ended(stage)
        (dead,) = stage.engine.ledger.dead_letters.of(stage.key)
        assert (dead.receiver, dead.state, dead.seq) == (CRM, "dead", 1)
        assert dead.why.endswith("answered 400")
        receiver.answer = lambda request: (200, {})
        stage.engine.ledger.dead_letters.retry([dead], datetime.now(UTC))
        await swept(stage, lambda: "phasegate.product.started" in receiver.types, "the dead letter")
        await ended(stage)
        assert stage.engine.ledger.dead_letters.of(stage.key) == []
        assert len(receiver.taken) == len(stage.story())


async def test_receivers_that_hang_hold_up_no_lifecycle_and_no_other_receiver(
    house: Callable[..., AsyncIterator[Stage]], receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("activities.endpoint.SECONDS", 2 * WAIT)  # nobody gives up meanwhile
    free = threading.Event()
    hanging: list[str] = []

    def hangs(request: Request) -> tuple[int, dict[str, str]]:
        hanging.append(request.event["subject"])
        free.wait(2 * WAIT)
        return 200, {}

    with receiving() as stuck:
        stuck.answer = hangs
        both = {
            name: {"url": found.url, "secret": {"env": "CRM_KEY"}}
            for name, found in (("crm", receiver), ("stuck", stuck))
        }
        async with house(Integrations.model_validate({"subscribers": both})) as stage:
            client, queue = stage.engine.client, stage.engine.settings.task_queue
            ledger = stage.engine.ledger
            ledger.receivers.enroll({CRM: False, "subscriber/stuck": False}, datetime.now(UTC))
            keys = [f"{stage.key[:30]}-{n}" for n in range(120)]
            for key in keys:
                ledger.append(key, [event(key, 1)])
                await start_courier(
                    client, queue, CourierOrder(receiver="subscriber/stuck", product=key)
                )
            await until(lambda: len(hanging) >= couriers.AT_ONCE, "it hangs")
            await stage.start()
            await stage.becomes(phase="build")
            await until(all_there(stage, receiver), "the other one is told")
            assert not free.is_set(), "and the stuck one is stuck still"
            assert len(hanging) == couriers.AT_ONCE
            free.set()
            # Each asks again for its turn within half a minute, and may find none then.
            await until(lambda: len(stuck.taken) >= len(keys), "all of it, after all", 2 * WAIT)


async def test_gone_is_gone(house: Callable[..., AsyncIterator[Stage]], receiver: Receiver) -> None:
    receiver.answer = lambda request: (410, {})
    async with house(subscribed(receiver)) as stage:
        await stage.start()
        await stage.becomes(phase="build")
        await until(lambda: len(receiver.requests) == 1, "one request")
        await stage.report("done")
        await stage.gate_opens("launch")
        await sweep(stage)
        await ended(stage)
        assert len(receiver.requests) == 1
        assert list(stage.engine.ledger.receivers.away()) == [CRM]
        receiver.answer = lambda request: (200, {})
        assert stage.engine.ledger.receivers.welcome(CRM)
        await swept(stage, all_there(stage, receiver), "all of it, after all")


async def test_only_what_was_asked_for_is_sent(
    house: Callable[..., AsyncIterator[Stage]], receiver: Receiver
) -> None:
    async with house(subscribed(receiver, events=["gate.decided", "milestone.*"])) as stage:
        await stage.start()
        await stage.becomes(phase="build")
        await stage.report("done")
        await stage.gate_opens("launch")
        await stage.votes("launch", "go", "ana", "bo", "cy")
        await stage.becomes(phase="market")
        await until(lambda: len(receiver.taken) == 2, "two events")
        await ended(stage)
        assert receiver.types == ["phasegate.milestone.met", "phasegate.gate.decided"]


async def sweep(stage: Stage) -> str:
    """What the schedule does every few minutes."""
    handle = await stage.engine.client.start_workflow(
        COURIER_SWEEP,
        id=f"sweep-{time.monotonic_ns()}",
        task_queue=stage.engine.settings.task_queue,
    )
    return str(await handle.result())


def event(product: str, n: int, type: str = "gate.vote") -> Announcement:
    now = datetime.now(UTC)
    return Announcement(
        id=f"{product}#{n}", type=type, product=product, source="s", at=now, text=f"part {n}"
    )


async def test_a_wake_that_was_lost_is_made_up_for_by_the_sweep(
    house: Callable[..., AsyncIterator[Stage]], receiver: Receiver
) -> None:
    """As after a worker that died between the ledger and the wake: written, and nobody knows."""
    async with house(subscribed(receiver, events=["gate.*"])) as stage:
        ledger = stage.engine.ledger
        ledger.receivers.enroll({CRM: False}, datetime.now(UTC))
        for n in range(3):
            ledger.append(f"{stage.key}-{n}", [event(f"{stage.key}-{n}", 1)])
        ledger.append(f"{stage.key}-quiet", [event(f"{stage.key}-quiet", 1, "product.held")])
        assert await sweep(stage) == "3 couriers started"
        await until(lambda: len(receiver.taken) == 3, "what was lost")
        for n in range(3):
            await ended(Stage(stage.engine, f"{stage.key}-{n}"))
        assert await sweep(stage) == "0 couriers started"
        assert ledger.deliveries.behind(CRM) == []  # also of what concerns it not


async def test_the_sweep_leaves_alone_whoever_waits_for_a_receiver(
    house: Callable[..., AsyncIterator[Stage]], receiver: Receiver
) -> None:
    receiver.answer = lambda request: (503, {})
    async with house(subscribed(receiver)) as stage:
        stage.engine.ledger.receivers.enroll({CRM: False}, datetime.now(UTC))
        stage.engine.ledger.append(stage.key, [event(stage.key, 1)])
        assert await sweep(stage) == "1 couriers started"
        await until(lambda: len(receiver.requests) >= 2, "it is being retried")
        courier = stage.engine.workflow(courier_id(CRM, stage.key))
        before = len((await courier.fetch_history()).events)
        assert await sweep(stage) == "0 couriers started"
        assert len((await courier.fetch_history()).events) == before
        receiver.answer = lambda request: (200, {})
        await ended(stage)


async def test_a_new_subscriber_is_told_from_then_on_or_from_the_beginning(
    house: Callable[..., AsyncIterator[Stage]], receiver: Receiver
) -> None:
    async with house(Integrations()) as stage:
        await stage.start()
        await stage.becomes(phase="build")
        await stage.written()
    for name, start in (("late", "now"), ("archive", "beginning")):
        crm = {"url": receiver.url, "secret": {"env": "CRM_KEY"}, "start": start}
        receiver.taken.clear()
        async with house(Integrations.model_validate({"subscribers": {name: crm}})) as stage:
            if start == "now":  # known from whatever comes first, be it a sweep
                assert await sweep(stage) == "0 couriers started"
            after = len(stage.story())
            await stage.owner("hold", reason="a pause")
            await stage.owner("resume")
            await until(lambda: len(stage.story()) == after + 2, "two more")  # noqa: B023
            news = stage.story()[after:] if start == "now" else stage.story()
            await until(lambda: len(receiver.taken) >= len(news), "what it wants")  # noqa: B023
            assert [t.removeprefix("phasegate.") for t in receiver.types] == news


async def test_whoever_is_in_the_file_no_more_is_told_nothing(
    house: Callable[..., AsyncIterator[Stage]], receiver: Receiver
) -> None:
    async with house(subscribed(receiver)) as stage:
        stage.engine.ledger.append(stage.key, [event(stage.key, 1)])
        order = CourierOrder(receiver="subscriber/former", product=stage.key)
        queue = stage.engine.settings.task_queue
        await start_courier(stage.engine.client, queue, order)
        said = await stage.engine.workflow(courier_id(order.receiver, stage.key)).result()
        assert "no such receiver" in said
        assert receiver.requests == []


async def test_announcing_does_not_wait_for_temporal(receiver: Receiver, tmp_path: Path) -> None:
    """The server dies: what is announced is in the ledger at once, and nothing is raised."""
    ledger = Ledger(f"sqlite:///{tmp_path}/ledger.db")
    async with dev_server(database=None, port=free_port(), ui_port=None) as server:
        client = await connect(server.address)
        receivers = Receivers(ledger, subscribed(receiver), "nowhere")
        waker = Waker(client, receivers)
        announcing = AnnouncementActivities(ledger, receivers, waker.wake)
        server.process.kill()
        await server.process.wait()
        begun = time.monotonic()
        for n in range(1, 21):
            request = AnnounceRequest(product="lamp", events=[event("lamp", n)])
            head = await asyncio.to_thread(announcing.announce, request)
        assert head.seq == 20
        assert time.monotonic() - begun < 20, "it waits for a connection once only, if at all"
        assert len(waker._tasks) <= 20  # bounded: what waits to be sent stands for what follows
        await asyncio.wait_for(asyncio.gather(*waker._tasks), 30)
    ledger.close()


async def test_without_receivers_nothing_of_this_runs(
    house: Callable[..., AsyncIterator[Stage]], engine: Engine
) -> None:
    async with house(Integrations()) as stage:
        await stage.start()
        await stage.becomes(phase="build")
        await keep_schedules(engine.client, stage.engine.settings.task_queue, Integrations())
        await asyncio.sleep(1.5)  # for what should not be there
        query = f"PhasegateProduct = '{stage.key}' AND WorkflowType != 'ProductLifecycle'"
        assert [e.id async for e in engine.client.list_workflows(query)] == []

        async def none_kept() -> bool | None:  # one that was removed is listed for a moment yet
            return None if [s.id async for s in await engine.client.list_schedules()] else True

        await stage.until(none_kept, "there is no schedule")
        assert stage.engine.ledger.deliveries.behind(CRM) != []  # nothing was counted, either


async def test_the_schedule_is_kept_once_and_removed_with_the_last_receiver(
    engine: Engine, receiver: Receiver
) -> None:
    for queue in ("first", "second"):
        await keep_schedules(engine.client, queue, subscribed(receiver))
    handle = engine.client.get_schedule_handle(SWEEP)
    found = (await handle.describe()).schedule
    assert found.action.task_queue == "second"  # type: ignore[union-attr]
    assert [i.every for i in found.spec.intervals] == [timedelta(minutes=5)]
    await handle.pause(note="for a while")
    await keep_schedules(engine.client, "second", subscribed(receiver))
    assert (await handle.describe()).schedule.state.paused  # what somebody paused stays so
    await keep_schedules(engine.client, "second", Integrations())
    await keep_schedules(engine.client, "second", Integrations())
    with pytest.raises(Exception, match="not found"):
        await handle.describe()
