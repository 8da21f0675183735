"""Acts that cannot be undone: at most once, whoever dies, and nobody guesses what came of them."""

from __future__ import annotations

import asyncio
import os
import socket
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from acting import KEY, Acting, order_of

from activities import lasting
from ledger import Ledger
from phasegate.sunset_ports import ActOrder, ActResult

ROOT = Path(__file__).parents[2]
MINUTE = timedelta(minutes=1)


@pytest.fixture
def acting(ledger: Ledger) -> Acting:
    return Acting(ledger)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lasting, "PAUSES", (0.01, 0.02))


def deletion(url: str, **act: Any) -> ActOrder:
    return order_of(
        {"kind": "http", "url": url + "/data", "method": "DELETE", **act}, effect="deletion"
    )


def probed(url: str, expression: str = "status == 404", **act: Any) -> ActOrder:
    probe = {"url": url + "/state", "expression": expression}
    return deletion(url, probe=probe, **act)


def calls(web: Any) -> list[str]:
    """The destructive ones."""
    return [asked.headers["Idempotency-Key"] for asked in web.asked if asked.method == "DELETE"]


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    """It did it, and its answer is lost."""
    handler.connection.shutdown(socket.SHUT_RDWR)


# -- once -----------------------------------------------------------------------------------------


async def test_what_is_done_is_not_done_again(web: Any, acting: Acting) -> None:
    web.answer("/data", 200, b'{"rows": 7}')
    order = deletion(web.url, proof={"rows": "body.rows"})
    first = await acting.done(order)
    assert await acting.done(order) == first
    assert first.data["rows"] == 7
    assert calls(web) == [KEY]


async def test_what_did_not_happen_is_tried_until_it_does(web: Any, acting: Acting) -> None:
    for status in (503, 409, 429):
        web.answer("/data", status)
        await acting.failed(deletion(web.url))
    web.answer("/data", 204)
    await acting.done(deletion(web.url))
    await acting.done(deletion(web.url))
    assert calls(web) == [KEY] * 4


async def test_a_lost_answer_is_never_repeated_by_itself(web: Any, acting: Acting) -> None:
    web.answers["/data"] = hang_up
    first = await acting.carry_out(deletion(web.url))
    assert first.state == "unknown"
    assert "gave no answer" in first.why
    web.answer("/data")
    again = await acting.carry_out(deletion(web.url), after=timedelta(days=3), attempt=9)
    assert (again.state, again.why.count("gave no answer")) == ("unknown", 1)
    assert calls(web) == [KEY]


async def test_an_exception_within_is_unknown(
    web: Any, acting: Acting, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(order: ActOrder) -> None:
        raise RuntimeError("a bug, with s3cr3t")

    monkeypatch.setattr(acting.acts._carriers["http"], "carry_out", broken)
    result = await acting.carry_out(deletion(web.url))
    assert result.state == "unknown"
    assert "RuntimeError" in result.why
    assert "s3cr3t" not in result.why


# -- what people find out -------------------------------------------------------------------------


async def test_somebody_says_that_it_was_done(web: Any, acting: Acting) -> None:
    web.answers["/data"] = hang_up
    await acting.carry_out(deletion(web.url))
    acting.settle(done=True, proof={"rows": 7, "digest": "sha256:ab"})
    acting.settle(done=False, by="bo")  # that it was done stands
    proof = await acting.done(deletion(web.url))
    assert (proof.text, proof.by, proof.digest) == ("seen", "ada", "sha256:ab")
    assert proof.data == {"rows": 7, "digest": "sha256:ab"}
    assert calls(web) == [KEY]


async def test_somebody_says_that_it_was_not_done(web: Any, acting: Acting) -> None:
    web.answers["/data"] = hang_up
    await acting.carry_out(deletion(web.url))
    acting.settle(done=False)
    acting.settle(done=False)
    assert (await acting.carry_out(deletion(web.url), timedelta(hours=2))).state == "unknown"
    # A verdict on the first attempt that comes late says nothing of the second one.
    acting.settle(done=False, after=timedelta(hours=1))
    assert (await acting.carry_out(deletion(web.url), timedelta(hours=3))).state == "unknown"
    assert calls(web) == [KEY] * 2


async def test_a_verdict_counts_where_a_backup_has_no_intent(web: Any, acting: Acting) -> None:
    acting.settle(done=True)
    assert (await acting.done(deletion(web.url))).by == "ada"
    acting.settle(done=False, key="other")
    assert calls(web) == []


# -- probes ---------------------------------------------------------------------------------------


async def lost(web: Any, acting: Acting, order: ActOrder) -> None:
    """The first attempt: its answer is lost, and it is too early to believe that it failed."""
    web.answers["/data"] = hang_up
    error = await acting.failed(order)
    assert error.type == "act-probed"
    assert error.next_retry_delay == MINUTE
    assert calls(web) == [KEY]


async def test_a_probe_finds_that_it_was_done(web: Any, acting: Acting) -> None:
    order = probed(web.url)
    web.answer("/state", 200)
    await lost(web, acting, order)
    web.answer("/state", 404)
    proof = await acting.done(order, after=timedelta(seconds=20))  # as soon as it says so
    assert "its answer was lost" in proof.text
    assert "status == 404 is true" in proof.text
    assert await acting.done(order) == proof
    assert calls(web) == [KEY]


async def test_a_probe_finds_that_it_was_not_done(web: Any, acting: Acting) -> None:
    order = probed(web.url, "body.gone == true")
    web.answer("/state", 200, b'{"gone": false}')
    await lost(web, acting, order)
    error = await acting.failed(order, after=timedelta(seconds=59))
    assert error.next_retry_delay == timedelta(seconds=1)
    assert calls(web) == [KEY]
    error = await acting.failed(order, after=MINUTE)
    assert "not done, says the probe" in error.message
    web.answer("/data", 200)
    await acting.done(order, after=MINUTE + timedelta(seconds=1))
    assert calls(web) == [KEY, KEY]


@pytest.mark.parametrize("status", [301, 401, 403, 429, 500, 502, 503])
async def test_a_probe_that_is_not_answered_says_nothing(
    web: Any, acting: Acting, status: int
) -> None:
    order = probed(web.url)
    web.answer("/state", status, Location="/elsewhere")
    await lost(web, acting, order)
    error = await acting.failed(order, after=2 * MINUTE, attempt=4)
    assert error.type == "act-probed"
    result = await acting.carry_out(order, after=15 * MINUTE)
    assert result.state == "unknown"
    assert "the probe cannot be asked" in result.why
    assert calls(web) == [KEY]


@pytest.mark.parametrize("expression", ["body.gone", "body.gone +", "body.nothing.at_all == 1"])
async def test_a_probe_that_is_not_clear_asks_a_person(
    web: Any, acting: Acting, expression: str
) -> None:
    order = probed(web.url, expression)
    web.answer("/state", 200, b'{"gone": "maybe, s3cr3t"}')
    await lost(web, acting, order)
    result = await acting.carry_out(order, after=MINUTE)
    assert result.state == "unknown"
    assert "the probe says nothing clear" in result.why
    assert "s3cr3t" not in result.why
    assert calls(web) == [KEY]


# -- killed, cancelled, together ------------------------------------------------------------------


async def killed(ledger: Ledger, order: ActOrder, when: Callable[[], bool]) -> None:
    """A worker with this act, killed at a moment."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(ROOT / "tests" / "support" / "actor.py")),
        *(str(ledger.database), order.model_dump_json()),
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests' / 'support'}"},
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        while not when():
            assert process.returncode is None
            await asyncio.sleep(0.01)
    finally:
        process.kill()
        await process.wait()


@pytest.mark.parametrize("probe", [False, True])
async def test_a_worker_killed_in_the_act(
    web: Any, acting: Acting, ledger: Ledger, probe: bool
) -> None:
    """It did it; the worker died before it had the answer."""
    at_it, let_go = threading.Event(), threading.Event()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        at_it.set()
        let_go.wait(30)

    web.answers["/data"] = answer
    web.answer("/state", 404)
    order = probed(web.url) if probe else deletion(web.url)
    await killed(ledger, order, at_it.is_set)
    let_go.set()
    web.answer("/data")
    result = await acting.carry_out(order, after=MINUTE, attempt=2)
    if probe:
        assert result.state == "done"
    else:
        assert result.state == "unknown"
        assert "an earlier attempt was cut off" in result.why
        acting.settle(done=True)
        await acting.done(order)
    assert calls(web) == [KEY]


async def test_a_worker_killed_between_intent_and_act(
    web: Any, acting: Acting, ledger: Ledger
) -> None:
    """Nothing happened, but nobody can know that: it was still connecting."""
    with socket.socket() as silent:  # it takes no connection: the act hangs while it connects
        silent.bind(("127.0.0.1", 0))
        silent.listen(0)
        fill = [socket.socket() for _ in range(3)]
        for one in fill:
            one.setblocking(False)
            one.connect_ex(silent.getsockname())
        order = deletion(f"http://127.0.0.1:{silent.getsockname()[1]}")
        await killed(ledger, order, lambda: state_of(ledger) == "begun")
        for one in fill:
            one.close()
    result = await acting.carry_out(order, after=MINUTE, attempt=2)
    assert result.state == "unknown"
    acting.settle(done=False)
    web.answer("/data")
    await acting.done(deletion(web.url), after=timedelta(hours=2))
    assert calls(web) == [KEY]


def state_of(ledger: Ledger) -> str | None:
    path = str(ledger.database).removeprefix("sqlite:///")
    with sqlite3.connect(path) as connection:
        try:
            row = connection.execute("SELECT state FROM intents WHERE key = ?", [KEY]).fetchone()
        except sqlite3.OperationalError:  # the process is still making its tables
            return None
    return row[0] if row else None


async def test_a_cancelled_act_has_its_result(web: Any, acting: Acting) -> None:
    at_it, let_go = threading.Event(), threading.Event()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        at_it.set()
        let_go.wait(30)
        web.answer("/data", 200)
        web.answers["/data"](handler)

    web.answers["/data"] = answer
    env = acting.environment()
    running: asyncio.Task[ActResult] = asyncio.ensure_future(
        env.run(acting.acts.carry_out, deletion(web.url))
    )
    await asyncio.to_thread(at_it.wait, 30)
    env.cancel()
    await asyncio.sleep(0)
    assert not running.done()
    let_go.set()
    assert (await running).state == "done"
    assert calls(web) == [KEY]


async def test_what_can_be_undone_is_stopped_when_it_is_cancelled(web: Any, acting: Acting) -> None:
    at_it, let_go = threading.Event(), threading.Event()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        at_it.set()
        let_go.wait(30)

    web.answers["/x"] = answer
    env = acting.environment()
    order = order_of({"kind": "http", "url": web.url + "/x"})
    running = asyncio.ensure_future(env.run(acting.acts.carry_out, order))
    await asyncio.to_thread(at_it.wait, 30)
    env.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    let_go.set()


async def test_of_two_workers_exactly_one_acts(web: Any, tmp_path: Path) -> None:
    web.answer("/data")
    ledgers = [Ledger(f"sqlite:///{tmp_path}/ledger.db") for _ in range(6)]
    workers = [Acting(ledger) for ledger in ledgers]
    results = await asyncio.gather(*(worker.carry_out(deletion(web.url)) for worker in workers))
    assert calls(web) == [KEY]
    assert "done" in {found.state for found in results}  # the others found it begun, or done
    assert {found.state for found in results} <= {"done", "unknown"}
    for ledger in ledgers:
        ledger.close()


# -- a ledger that fails --------------------------------------------------------------------------


async def test_without_a_ledger_nothing_is_done(web: Any, tmp_path: Path) -> None:
    web.answer("/data")
    (tmp_path / "ledger.db").write_bytes(b"this is no database" * 100)
    acting = Acting(ledger := Ledger(f"sqlite:///{tmp_path}/ledger.db"))
    error = await acting.failed(deletion(web.url))
    assert error.type == "ledger-unavailable"
    assert calls(web) == []
    ledger.close()


async def test_a_locked_ledger_holds_the_act_up(
    web: Any, acting: Acting, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.dialects.BUSY_SECONDS", 0.05)
    web.answer("/data")
    acting.settle(done=False, key="other")  # the tables are there
    ledger.close()
    path = str(ledger.database).removeprefix("sqlite:///")
    lock = sqlite3.connect(path, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    error = await acting.failed(deletion(web.url))
    assert error.type == "ledger-unavailable"
    assert calls(web) == []
    lock.execute("ROLLBACK")
    lock.close()
    await acting.done(deletion(web.url))
    assert calls(web) == [KEY]


FULL = """
CREATE TRIGGER full BEFORE UPDATE ON intents WHEN NEW.state = 'done'
BEGIN SELECT RAISE(FAIL, 'database or disk is full'); END
"""


def execute(ledger: Ledger, statement: str) -> None:
    with sqlite3.connect(str(ledger.database).removeprefix("sqlite:///")) as connection:
        connection.execute(statement)
    connection.close()


async def test_a_result_that_cannot_be_written_is_unknown(
    web: Any, acting: Acting, ledger: Ledger
) -> None:
    """The disk fills while the endpoint is at it."""
    acting.settle(done=False, key="other")  # the tables are there
    execute(ledger, FULL)
    web.answer("/data")
    error = await acting.failed(deletion(web.url))
    assert error.type == "ledger-unavailable"
    assert "disk is full" in error.message
    execute(ledger, "DROP TRIGGER full")
    assert (await acting.carry_out(deletion(web.url), attempt=2)).state == "unknown"
    assert calls(web) == [KEY]


async def test_a_result_waits_for_a_ledger_that_is_mended_in_time(
    web: Any, acting: Acting, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Mended:
        def __iter__(self) -> Iterator[float]:
            yield 0.0
            execute(ledger, "DROP TRIGGER full")
            yield 0.0

    monkeypatch.setattr(lasting, "PAUSES", Mended())
    acting.settle(done=False, key="other")
    execute(ledger, FULL)
    web.answer("/data")
    await acting.done(deletion(web.url))
    assert calls(web) == [KEY]
