"""The record is written from within workflow tasks: it must neither hold them up nor differ."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence

import pytest
from stage import POLICY, Stage

from ledger import Ledger
from ledger.store import Appended
from phasegate.events import Announcement

BRIEF, LONG = 10.0, 60.0
"""Seconds: within the one a vote is answered also on a busy machine, for the other the ledger
hangs."""


@pytest.fixture
def on_write(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Callable[..., None]]]:
    """What is done before this product's announcements are written."""
    calls: list[Callable[..., None]] = []
    original = Ledger.record

    def record(self: Ledger, product: str, batch: Sequence[Announcement]) -> Appended:
        if product == stage.key:
            for call in calls:
                call(batch)
        return original(self, product, batch)

    monkeypatch.setattr(Ledger, "record", record)
    yield calls
    calls.clear()


async def to_launch(stage: Stage, policy: str = POLICY, directory: str = "") -> None:
    await (stage.start(policy, directory) if directory else stage.start(policy))
    await stage.becomes(phase="build")
    await stage.report("done")
    await stage.gate_opens("launch")


async def announced(stage: Stage, type: str, times: int) -> None:
    async def there() -> bool | None:
        return True if stage.story().count(type) >= times else None

    await stage.until(there, f"{times} {type}")
    assert stage.story().count(type) == times


async def test_a_ledger_that_hangs_delays_one_vote_for_a_moment_and_nothing_else(
    stage: Stage, on_write: list[Callable[..., None]]
) -> None:
    await to_launch(stage)
    await announced(stage, "gate.opened", 1)
    mended = threading.Event()
    on_write.append(lambda batch: mended.wait(LONG))
    taken = []
    for voter in ("ana", "bo", "cy"):
        began = time.monotonic()
        await stage.vote("launch", voter, "go")
        taken.append(time.monotonic() - began)
        await asyncio.sleep(0.2)
    assert max(taken) < BRIEF
    await stage.becomes(phase="market")  # the gate cannot end yet, and its product goes on
    assert "gate.vote" not in stage.story()
    mended.set()
    await announced(stage, "gate.vote", 3)
    await announced(stage, "gate.decided", 1)
    await announced(stage, "product.phase-entered", 2)
    await stage.written()
    assert stage.engine.ledger.verify(stage.key) == len(stage.story())


async def test_a_burst_of_votes_is_written_in_few_batches(
    stage: Stage, on_write: list[Callable[..., None]]
) -> None:
    people = [f"p{number:02}" for number in range(30)]
    directory = f"directory: {stage.key}\npeople: {{olga: {{}}, {': {}, '.join(people)}: {{}}}}\n"
    members = ", ".join(people)
    directory += f"groups: {{product: {{members: [{members}]}}, eng: {{members: [{members}]}}}}\n"
    policy = POLICY.replace("policy: two-phases", "policy: burst").replace("need: 2", "need: 29", 1)
    await to_launch(stage, policy, directory)
    sizes: list[int] = []
    over = threading.Event()

    def counted(batch: Sequence[Announcement]) -> None:
        if votes := sum(e.type == "gate.vote" for e in batch):
            sizes.append(votes)
            over.wait(LONG)  # a write takes as long as the others of the burst need to come

    on_write.append(counted)
    for start in range(0, 30, 10):  # the server takes ten updates at a time
        over.clear()
        await asyncio.gather(*(stage.vote("launch", p, "go") for p in people[start : start + 10]))
        over.set()
    await stage.becomes(phase="market")
    await stage.written()
    assert sum(sizes) == 30
    assert len(sizes) <= 15


async def test_a_vote_that_comes_while_the_decision_is_written_changes_nothing(
    stage: Stage, on_write: list[Callable[..., None]]
) -> None:
    await to_launch(stage)
    await stage.votes("launch", "go", "ana", "bo")
    writing, came = threading.Event(), threading.Event()

    def slowly(batch: Sequence[Announcement]) -> None:
        if any(event.type == "gate.decided" for event in batch):
            writing.set()
            came.wait(LONG)

    on_write.append(slowly)
    deciding = asyncio.create_task(stage.vote("launch", "cy", "go"))
    assert await asyncio.to_thread(writing.wait, LONG)
    await stage.signal("launch", "vote", {"approver": "dan", "vote": "go"})
    came.set()
    await deciding
    product = await stage.becomes(phase="market")
    await stage.written()
    view = await stage.gate("launch", 1)
    counted = {vote.approver for vote in view.votes}
    assert counted == {"ana", "bo", "cy"} == set(product.gates[-1].votes)
    assert [text.split()[0] for text in stage.texts("gate.vote")] == ["ana", "bo", "cy"]
    assert stage.engine.ledger.verify(stage.key) == len(stage.story())
