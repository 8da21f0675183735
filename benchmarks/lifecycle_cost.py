"""What a whole life under the standard policy costs: events, bytes, Actions and the record's size.

Played on the time-skipping server by people of the example directory: the owner meets every
milestone, each gate gets one vote a day, every post-launch review maintains the product, and in the
year asked for it is retired; every manual task of the sunset is confirmed. Nothing is late, so few
reminders are sent. Customers are one.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

import policies
from benchmarks.harness import ROOT, Report
from benchmarks.histories import Cost, whole
from benchmarks.installation import folded
from client import gates, products
from client.asking import ask, new_request_id, query
from client.attribute_setup import TYPES
from client.engine import Engine
from client.logs import configure_logs
from client.plugin import phasegate_plugin
from client.settings import Settings
from ledger import Ledger
from phasegate.errors import PhasegateError
from phasegate.gate_requests import AttestRequest
from phasegate.ids import gate_id, product_id, sunset_id
from phasegate.reading import read_directory, read_policy, read_product
from phasegate.requests import ConfirmRequest, MilestoneRequest, SubmitRequest, VoteRequest
from phasegate.search import ATTRIBUTES
from phasegate.sunset_views import SunsetView
from phasegate.views import GateView, ProductView
from worker import build_worker

IN_MARKET = timedelta(days=3 * 365)
DAY = timedelta(days=1)
PATIENCE = 360.0
"""Seconds of the wall for all these years."""

KEY = "harbor-sync"
PRODUCT = f"""
key: {KEY}
name: Harbor Sync
owner: jonas.lind
tier: 2
market: {{segment: small ports, problem: idle cranes}}
customer_needs: [{{need: to know of a changed arrival, evidence: interviews}}]
goals: [{{goal: it pays, metric: revenue, target: 1.2 million}}]
"""
T = TypeVar("T")


@asynccontextmanager
async def skipping(folder: Path) -> AsyncIterator[tuple[Engine, WorkflowEnvironment]]:
    """A server whose time jumps, with a worker."""
    os.environ["PHASEGATE_DATA_DIR"] = str(folder)
    beside = Path(sys.executable).parent / "temporal-test-server"
    path = str(beside) if beside.exists() else shutil.which("temporal-test-server")
    async with await WorkflowEnvironment.start_time_skipping(
        plugins=[phasegate_plugin()], test_server_existing_path=path
    ) as env:
        await env.client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(
                namespace=env.client.namespace,
                search_attributes={name: TYPES[kind] for name, kind in ATTRIBUTES.items()},
            )
        )
        settings = Settings.load()
        engine = Engine(env.client, Ledger(settings.ledger_url), settings)
        async with build_worker(engine.client, settings):
            yield engine, env
        engine.ledger.close()


@dataclass
class Player:
    """Everybody who has a part in one product's life."""

    engine: Engine
    env: WorkflowEnvironment
    asked: Counter[str] = field(default_factory=Counter)
    """What was asked of the engine, by its name."""

    async def view(self, workflow_id: str, kind: type[T]) -> T | None:
        with suppress(TimeoutError, PhasegateError, RPCError):
            async with asyncio.timeout(5):
                return await query(self.engine.workflow(workflow_id), "show", kind)
        return None

    async def day(self) -> None:
        """A day passes; this server now and then loses the answer."""
        until = await self.env.get_current_time() + DAY
        while (rest := until - await self.env.get_current_time()) > timedelta(0):
            with suppress(TimeoutError, RPCError):
                await asyncio.wait_for(self.env.sleep(rest), 3)

    async def act(self, what: str, asking: Awaitable[object]) -> None:
        """Ask; what is refused today may be possible tomorrow."""
        with suppress(PhasegateError):
            await asking
            self.asked[what] += 1

    async def live(self, patience: float) -> ProductView | None:
        """Play to the end; the product as it stands then."""
        deadline, product = time.monotonic() + patience, None
        while time.monotonic() < deadline:
            product = await self.view(product_id(KEY), ProductView) or product
            if product and product.ended_at is not None:
                break
            if product:
                await self._today(product)
            await self.day()
        return product

    async def _today(self, product: ProductView) -> None:
        for milestone in product.milestones:
            if milestone.phase == product.phase and milestone.state not in ("met", "waived"):
                request = MilestoneRequest(
                    actor=product.owner, milestone=milestone.id, request_id=new_request_id()
                )
                await self.act(
                    "milestone", products.request(self.engine, KEY, "milestone", request)
                )
        if product.gate:
            await self._sit(product.gate, product.owner)
        elif product.phase == "launch" and product.status == "active":
            now = await self.env.get_current_time()
            if product.entered_at and now - product.entered_at > IN_MARKET:
                request2 = SubmitRequest(
                    actor=product.owner, gate="intent-to-retire", request_id=new_request_id()
                )
                await self.act("submit", gates.submit(self.engine, KEY, request2))
        if product.status == "sunsetting":
            await self._leave(product.owner)

    async def _sit(self, gate: str, owner: str) -> None:
        view = await self.view(gate_id(KEY, gate), GateView)
        if view is None or view.status != "open":
            return
        handle = self.engine.workflow(gate_id(KEY, gate))
        for criterion in view.criteria:
            if criterion.state == "unmet" and criterion.waits_for:
                attested = AttestRequest(
                    actor=criterion.waits_for[0],
                    criterion=criterion.id,
                    state="met",
                    note="see the report",
                    request_id=new_request_id(),
                )
                await self.act("attest", ask(handle, "attest", attested))
        for pending in view.pending[:1]:
            vote = VoteRequest(
                approver=pending.approver, vote="go", comment="fine", request_id=new_request_id()
            )
            await self.act("vote", gates.vote(self.engine, KEY, gate, vote))

    async def _leave(self, owner: str) -> None:
        view = await self.view(sunset_id(KEY), SunsetView)
        for task in view.tasks if view else ():
            if task.kind == "gate" and task.state == "waiting":
                await self._sit(task.gate or task.id, owner)
            elif task.state == "waiting" and task.waits_for:
                proof: dict[str, Any] = {
                    name: 1 if name == "count" else f"sha256:{'0' * 64}" for name in task.asks_for
                }
                confirmed = ConfirmRequest(
                    actor=task.waits_for[0],
                    task=task.id,
                    note="done",
                    proof=proof,
                    request_id=new_request_id(),
                )
                sunset = self.engine.workflow(sunset_id(KEY))
                await self.act("confirm", ask(sunset, "confirm", confirmed))


async def measure(report: Report) -> None:
    configure_logs(json=False, level="ERROR")
    source = report.asked.folder / "archive-source" / KEY
    source.mkdir(parents=True, exist_ok=True)
    (source / "README").write_text("what it was", encoding="utf-8")
    people = (ROOT / "examples" / "example.directory.yaml").read_text(encoding="utf-8")
    async with skipping(report.asked.folder) as (engine, env):
        ledger = report.asked.folder / "ledger.db"
        engine.ledger.streams()
        before = folded(ledger)
        policy = read_policy(policies.text_of("standard"), "standard.yaml")
        await products.start(
            engine, read_product(PRODUCT, "product"), policy, read_directory(people, "directory")
        )
        run = await engine.workflow(product_id(KEY)).fetch_history()
        first = run.events[0].workflow_execution_started_event_attributes.first_execution_run_id
        player, began = Player(engine, env), await env.get_current_time()
        product = await player.live(PATIENCE)
        costs = await whole(engine.client, product_id(KEY), first)
        _tell(report, costs)
        report.put("asked", dict(player.asked))
        report.put("days", ((await env.get_current_time()) - began).days)
        report.put("ended as", product.status if product else "unknown")
        report.put("record's entries", engine.ledger.head(KEY).seq)
        report.put("record's bytes", folded(ledger) - before)
    if product is None or product.status != "retired":
        stands = product and (product.status, product.phase, product.gate, product.waiting_for)
        raise RuntimeError(f"it did not come to its end: {stands}")


def _tell(report: Report, costs: dict[str, Cost]) -> None:
    for name, cost in sorted(costs.items()):
        report.put(name, cost.told())
    report.put("whole life", sum(costs.values(), Cost()).told())
