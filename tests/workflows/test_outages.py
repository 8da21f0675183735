"""Receivers that are down, gone or not set up for long: nothing waits for ever or unseen."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from receiver import SECRET, Receiver, receiving
from stage import Stage
from temporalio.api.enums.v1 import EventType

from activities.waking import PAGE, PAGES
from client.checkup import Check
from client.deliveries_health import examine_deliveries
from client.engine import Engine
from client.settings import Settings
from integrations.document import Integrations
from ledger import Delivery, Ledger
from ledger.dead_letters import Late
from phasegate.delivery import COURIER_SWEEP, courier_id
from phasegate.events import Announcement
from worker import build_worker

CRM = "subscriber/crm"

House = Callable[[Integrations], AbstractAsyncContextManager[Stage]]


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setenv("CRM_KEY", SECRET)
    with receiving() as found:
        yield found


@pytest.fixture
def house(engine: Engine, tmp_path: Path, request: pytest.FixtureRequest) -> House:
    """A ledger and a worker of the test's own; a second one has the same ledger."""
    name = request.node.name.removeprefix("test_").replace("_", "-")[:40]

    @asynccontextmanager
    async def opened(integrations: Integrations) -> AsyncIterator[Stage]:
        settings = Settings(tmp_path, f"sqlite:///{tmp_path}/ledger.db", name, "http://x")
        own = Engine(engine.client, Ledger(settings.ledger_url), settings)
        async with build_worker(own.client, settings, integrations=integrations):
            yield Stage(own, name)
        own.ledger.close()

    return opened


def subscribed(receiver: Receiver, **more: object) -> Integrations:
    crm = {"url": receiver.url, "secret": {"env": "CRM_KEY"}, "start": "beginning", **more}
    return Integrations.model_validate({"subscribers": {"crm": crm}})


def happen(stage: Stage, count: int, type: str = "gate.vote") -> None:
    """So much is written to the record at once, and nobody is woken."""
    ledger, now = stage.engine.ledger, datetime.now(UTC)
    start = ledger.head(stage.key).seq
    more = {"type": type, "product": stage.key, "source": "s", "at": now, "text": "t"}
    ids = [f"{stage.key}#{n}" for n in range(start + 1, start + count + 1)]
    ledger.append(stage.key, [Announcement(id=id, **more) for id in ids])


async def sweep(stage: Stage) -> str:
    """What the schedule does every few minutes."""
    handle = await stage.engine.client.start_workflow(
        COURIER_SWEEP,
        id=f"sweep-{time.monotonic_ns()}",
        task_queue=stage.engine.settings.task_queue,
    )
    return str(await handle.result())


async def given_up(stage: Stage, count: int, receiver: str = CRM) -> list[Delivery]:
    async def there() -> list[Delivery] | None:
        found = stage.engine.ledger.dead_letters.of(stage.key, receiver)
        return found if len(found) >= count else None

    return await stage.until(there, f"{count} dead letters of {receiver}")


async def taken(stage: Stage, receiver: Receiver, count: int) -> None:
    async def there() -> bool | None:
        return True if len(receiver.taken) >= count else None

    await stage.until(there, f"{count} events are taken")


async def test_what_happened_together_is_given_up_together(
    house: House, receiver: Receiver
) -> None:
    receiver.answer = lambda request: (503, {})
    async with house(subscribed(receiver, give_up="3 seconds")) as stage:
        happen(stage, 3)
        await sweep(stage)
        dead = await given_up(stage, 3)
        assert [d.seq for d in dead] == [1, 2, 3]
        tries = Counter(request.id for request in receiver.requests)
        first, *later = (tries[f"{stage.key}#{n}"] for n in (1, 2, 3))
        assert first > 1 >= max(later), "they have not their 3 s after each other"


async def test_what_is_tried_again_has_its_days_anew(house: House, receiver: Receiver) -> None:
    receiver.answer = lambda request: (503, {})
    async with house(subscribed(receiver, give_up="5 seconds")) as stage:
        happen(stage, 1)
        await sweep(stage)
        dead = await given_up(stage, 1)
        before = len(receiver.requests)
        # By its old days it would be given up after the first of these tries.
        receiver.answer = lambda _: (200 if len(receiver.requests) > before + 1 else 503, {})
        stage.engine.ledger.dead_letters.retry(dead, datetime.now(UTC))
        await stage.until(lambda: _started(stage), "the courier is started again")
        await taken(stage, receiver, 1)


async def _started(stage: Stage) -> bool | None:
    """The one before may be about to end yet."""
    return True if await sweep(stage) == "1 couriers started" else None


async def test_a_receiver_that_was_gone_gets_its_backlog_at_its_new_address(
    house: House, receiver: Receiver
) -> None:
    receiver.answer = lambda request: (410, {})
    async with house(subscribed(receiver)) as stage:
        happen(stage, 2)
        await sweep(stage)

        async def gone() -> bool | None:
            return True if stage.engine.ledger.receivers.away() else None

        await stage.until(gone, "it says that it is gone")
        assert await sweep(stage) == "0 couriers started"
    receiver.url += "/elsewhere"
    receiver.answer = lambda request: (200, {})
    async with house(subscribed(receiver)) as stage:
        await stage.until(lambda: _started(stage), "its courier is started")
        await taken(stage, receiver, 2)
        assert stage.engine.ledger.receivers.away() == {}  # as doctor and events list have it


async def test_one_sweep_finds_what_matters_behind_much_that_does_not(
    house: House, receiver: Receiver
) -> None:
    async with house(subscribed(receiver, events=["gate.*"])) as stage:
        happen(stage, 250, "product.held")
        happen(stage, 1)
        assert await sweep(stage) == "1 couriers started"
        await taken(stage, receiver, 1)


async def test_what_is_too_much_for_a_sweep_is_left_to_a_courier(
    house: House, receiver: Receiver
) -> None:
    async with house(subscribed(receiver, events=["gate.*"])) as stage:
        happen(stage, PAGE * PAGES, "product.held")
        happen(stage, 1)
        assert await sweep(stage) == "1 couriers started"
        await taken(stage, receiver, 1)


async def test_a_receiver_without_its_secret_is_seen_and_given_up_like_one_that_is_down(
    house: House, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CRM_KEY")
    async with house(subscribed(receiver, give_up="8 seconds")) as stage:
        happen(stage, 1)
        await sweep(stage)

        async def said() -> tuple[Check, list[Late]] | None:
            """Both at once: after its 8 seconds it is late no more, but given up."""
            late = stage.engine.ledger.dead_letters.late(stage.key)
            found = examine_deliveries(stage.engine.settings)
            return (found, late) if late and f"{CRM} takes nothing since" in found.what else None

        found, (late,) = await stage.until(said, "doctor says it")
        assert f"{CRM} takes nothing since" in found.what
        assert found.mend == f"phasegate events list {stage.key} --dead"
        assert "the secret $CRM_KEY cannot be read" in late.why
        (dead,) = await given_up(stage, 1)
        assert "the secret $CRM_KEY cannot be read" in dead.why
        assert "1 dead letters" in examine_deliveries(stage.engine.settings).what
        monkeypatch.setenv("CRM_KEY", SECRET)
        happen(stage, 1)
        await stage.until(lambda: _started(stage), "its courier is started again")
        await taken(stage, receiver, 1)


async def test_waiting_for_a_receiver_that_is_down_adds_nothing_to_the_history(
    house: House, receiver: Receiver
) -> None:
    """What the first five attempts do not add, those of three days add neither: they are the
    server's own retries of one activity, and no command of a workflow."""
    receiver.answer = lambda request: (503, {})
    async with house(subscribed(receiver)) as stage:
        happen(stage, 2)
        await sweep(stage)
        courier = stage.engine.workflow(courier_id(CRM, stage.key))

        async def tried() -> bool | None:
            pending = (await courier.describe()).raw_description.pending_activities
            return True if pending and pending[0].attempt >= 5 else None

        await stage.until(tried, "five attempts")
        assert await sweep(stage) == "0 couriers started"
        assert [event.event_type for event in (await courier.fetch_history()).events] == [
            EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED,
            EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED,
            EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED,
            EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED,
            EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
        ]
        receiver.answer = lambda request: (200, {})
        await taken(stage, receiver, 2)
