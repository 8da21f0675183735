"""Each kind of work by a worker of its own: a life goes through all of them, and votes need only
one."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, time

import pytest
from processes import worker_process
from receiver import SECRET, Receiver, receiving
from stage import WAIT, Stage
from tracker import Tracker

from client.checkup import Check
from client.engine import Engine
from client.retirement_health import examine_retirement
from client.settings import Settings
from client.tuning import Tuning
from client.worker_health import examine_workers
from integrations.document import Integrations
from ledger import Ledger
from phasegate.queues import Kind
from phasegate.reading import read_policy
from worker import WorkerOptions, build_worker

QUEUE = "apart"

POLICY = """
policy: apart
version: "1"
title: Apart
phases:
  - id: build
    title: Build
    milestones:
      - id: shipped
        title: Shipped
        check: {kind: http, connection: ci, path: /done, expression: body.done, every: 0.2 seconds}
    gate: {id: launch, title: Launch, opens: submit, requires: [{group: eng, need: 2}]}
  - id: market
    title: Market
    in_market: true
    gate: {id: retire, title: Retire, opens: submit, requires: [{group: product}]}
sunset:
  tasks:
    - {id: note, title: Public notice, kind: notice}
    - {id: off, title: Switch it off, kind: http, by: eng, url: "URL/off", method: DELETE}
    - {id: keys, title: Revoke keys, kind: manual, by: eng}
"""


@pytest.fixture
def own(engine: Engine, tmp_path: Path) -> Engine:
    settings = Settings(tmp_path, f"sqlite:///{tmp_path}/ledger.db", QUEUE, "http://x")
    return Engine(engine.client, Ledger(settings.ledger_url), settings)


@pytest.mark.slow
async def test_a_life_by_workers_of_which_each_does_one_kind_of_work(
    own: Engine, tracker: Tracker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHASEGATE_ALLOW_ADDRESSES", "127.0.0.1")
    monkeypatch.setenv("CRM_KEY", SECRET)
    stage, client, settings = Stage(own, "apart"), own.client, own.settings
    checking = tmp_path / "integrations.yaml"
    connections = {"ci": {"url": tracker.url, "token": {"env": "CI_TOKEN"}}}
    checking.write_text(json.dumps({"connections": connections}))
    tracker.body = {"done": True}
    async with AsyncExitStack() as stack:
        crm: Receiver = stack.enter_context(receiving())
        told = Integrations.model_validate(
            {"subscribers": {"crm": {"url": crm.url, "secret": {"env": "CRM_KEY"}}}}
        )
        alone: Kind
        for alone in ("workflows", "outgoing", "retirement"):
            options = WorkerOptions(only=(alone,), tuning=Tuning(memory_target=0.99))
            worker = build_worker(client, settings, integrations=told, options=options)
            await stack.enter_async_context(worker)
        await stage.start(POLICY.replace("URL", tracker.url))
        await stage.becomes(phase="build")
        await stage.submit("launch")
        await stage.gate_opens("launch")
        await stage.vote("launch", "bo", "go")

        async def only_checks_lack() -> Check | None:
            found = await examine_workers(client, settings)
            return found if found.mend == "phasegate worker run --only checks" else None

        found = await stage.until(only_checks_lack, "doctor knows the others")
        assert found.state == "warn"
        assert "apart-checks: milestones are not checked" in found.what
        assert tracker.calls == []

        secret = {"PHASEGATE_INTEGRATIONS": str(checking), "CI_TOKEN": "t0ken"}
        places = {"PHASEGATE_LEDGER": settings.ledger_url, "PHASEGATE_TASK_QUEUE": QUEUE}
        async with worker_process("--only", "checks", **secret, **places) as checks:
            await stage.until(lambda: met(stage), "it is asked and met")
            # Whoever tells of it has just asked for work, and so has who starts the telling.
            await stage.until(lambda: heard(crm), "the subscriber hears of it")
            assert (await examine_workers(client, settings)).state == "ok"
            with monkeypatch.context() as later:  # by the clock of whoever asks, and none has asked
                later.setattr("client.polling.time", lambda: time() + 65)
                asked = (await examine_workers(client, settings)).what
                later.setattr("client.polling.time", lambda: time() + 200)
                gone = await examine_workers(client, settings)
            assert re.search(r"is polled by .*\(last seen \d+ s ago\)", asked)
            assert (gone.state, gone.mend) == ("warn", "phasegate worker run")
            assert re.search(r"nothing will move; .* was there \(last seen \d+ s ago\)", gone.what)
            assert await checks.stop() == 0
        assert tracker.tokens == ["Bearer t0ken"] * len(tracker.calls)

        await stage.vote("launch", "cy", "go")
        await stage.becomes(phase="market")
        await stage.retires()
        assert ("DELETE", "/off") in [(method, path) for method, path, _ in tracker.calls]
        await stage.written()

        async def all_told() -> bool | None:
            types = [type.removeprefix("phasegate.") for type in crm.types]
            return True if types == stage.story() else None

        await stage.until(all_told, "each event is brought to the subscriber, in order")
    own.ledger.close()


async def met(stage: Stage) -> bool | None:
    return True if "milestone.met" in stage.story() else None


async def heard(crm: Receiver) -> bool | None:
    return True if "phasegate.milestone.met" in crm.types else None


@pytest.mark.parametrize(
    ("queue", "mend", "then"),
    [("mixed", "phasegate worker run", "ok"), ("other-checks", "phasegate policy migrate", "warn")],
)
async def test_doctor_finds_acts_ordered_where_workers_do_not_know_them(
    engine: Engine, tmp_path: Path, queue: str, mend: str, then: str
) -> None:
    main = queue.partition("-")[0]  # of each its own, since the server remembers who polled
    settings = Settings(tmp_path, f"sqlite:///{tmp_path}/ledger.db", main, "http://x")
    text = POLICY.replace("sunset:\n", f"sunset:\n  task_queue: {queue}\n")
    policy = read_policy(text.replace("URL", "https://x.example"), "policy")
    Ledger(settings.ledger_url).documents.publish("policy", "apart", policy, datetime.now(UTC), "a")

    async def says(state: str) -> Check:
        deadline = monotonic() + WAIT
        while monotonic() < deadline:  # a worker polls a moment after it has begun
            found = await examine_retirement(engine.client, settings)
            if found and found.state == state:
                return found
            await asyncio.sleep(0.2)
        raise AssertionError(f"doctor says {found}")

    confined = WorkerOptions(only=("workflows",))
    async with build_worker(engine.client, settings, options=confined):
        found = await says("warn")
        assert f"{queue} (policy apart)" in found.what
        assert found.mend.startswith(mend)
    async with build_worker(engine.client, settings):
        await says(then)
