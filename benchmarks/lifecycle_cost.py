"""What a whole life under the standard policy costs: events, bytes, Actions and the record's size.

Played as `phasegate simulate` plays it, by people of the example directory who answer halfway
through their time: from the idea to the sunset's last task, with three years in the market and
every post-launch review saying go on. Nothing is late, so nobody is reminded.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from temporalio.client import Client

import policies
from benchmarks.harness import ROOT, Report
from benchmarks.histories import Cost, whole
from benchmarks.installation import cpu_of, folded
from client.logs import configure_logs
from client.rehearsing import Rehearsing, rehearse
from client.settings import Settings
from integrations.document import Integrations
from ledger import Ledger
from phasegate.ids import product_id
from phasegate.reading import read_directory, read_policy, read_product
from phasegate.rehearsal import Script
from worker import build_worker

PRODUCT = """
key: harbor-sync
name: Harbor Sync
owner: jonas.lind
tier: 2
market: {segment: small ports, problem: idle cranes}
customer_needs: [{need: to know of a changed arrival, evidence: interviews}]
goals: [{goal: it pays, metric: revenue, target: 1.2 million}]
"""
KEY = "harbor-sync-1"
"""As the first play of a rehearsal calls it."""

SCRIPT = Script.model_validate({"owner": {"retires": "36 months"}})
LONGEST = timedelta(days=7 * 365)


async def measure(report: Report) -> None:
    folder = report.asked.folder
    os.environ["PHASEGATE_DATA_DIR"] = str(folder)
    configure_logs(json=False, level="ERROR")
    Ledger(Settings.load().ledger_url).streams()
    empty, cpu = folded(folder / "ledger.db"), cpu_of(os.getpid())

    @asynccontextmanager
    async def worker(client: Client, settings: Settings) -> AsyncIterator[object]:
        async with build_worker(client, settings, integrations=Integrations()) as running:
            yield running
        # Nobody works any more, and the server is there still.
        latest = await client.get_workflow_handle(product_id(KEY)).fetch_history()
        began = latest.events[0].workflow_execution_started_event_attributes
        costs = await whole(client, product_id(KEY), began.first_execution_run_id)
        for name, cost in sorted(costs.items()):
            report.put(name, cost.told())
        report.put("whole life", sum(costs.values(), Cost()).told())

    start = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    people = (ROOT / "examples" / "example.directory.yaml").read_text(encoding="utf-8")
    what = Rehearsing(
        policy=read_policy(policies.text_of("standard"), "standard.yaml"),
        product=read_product(PRODUCT, "product"),
        directory=read_directory(people, "directory"),
        script=SCRIPT,
        seed=1,
        runs=1,
        start=start,
        until=start + LONGEST,
    )
    await rehearse(what, folder, worker, lambda done, total: None)
    ledger = Ledger(Settings.load().ledger_url)
    last = list(ledger.events(KEY))[-1].announcement
    report.put("days", (last.at - start).days)
    report.put("record's entries", ledger.head(KEY).seq)
    ledger.close()
    report.put("record's bytes", folded(folder / "ledger.db") - empty)
    report.put("CPU seconds of players and worker", round(cpu_of(os.getpid()) - cpu, 1))
    if last.type != "product.retired":
        raise RuntimeError(f"it ended with {last.type}, not with its retirement")
