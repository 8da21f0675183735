"""A worker killed in the middle of acts of every kind: another goes on, and repeats no deletion."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from mailserver import mail_server
from over_http import Quiet, http_server
from processes import worker_process
from temporalio import workflow
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from client.dev_server import dev_server, free_port
from client.engine import Engine
from client.settings import Settings
from phasegate import sunset_ports
from phasegate.customers import Row
from phasegate.sunset_ports import ActOrder, ActResult

CUSTOMERS = 30

PROGRAM = """
import os, sys, time
with open(sys.argv[1], "a") as file:
    file.write(os.environ["PHASEGATE_KEY"] + "\\n")
if len(open(sys.argv[1]).readlines()) == 1:
    time.sleep(30)
"""


@workflow.defn
class OneAct:
    """An act as a sunset orders it."""

    @workflow.run
    async def run(self, order: ActOrder) -> ActResult:
        result: ActResult = await workflow.execute_activity(
            sunset_ports.CARRY_OUT,
            order,
            task_queue="phasegate",
            result_type=ActResult,
            start_to_close_timeout=timedelta(hours=1),
            heartbeat_timeout=timedelta(seconds=10),
        )
        return result


class Deadly:
    """An endpoint that does what it is asked, and answers when it is let go."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self.let_go = threading.Event()
        self.url = ""


@contextmanager
def endpoint() -> Iterator[Deadly]:
    deadly = Deadly()

    class Handler(Quiet):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            deadly.calls.append((self.path, self.headers["Idempotency-Key"]))
            deadly.let_go.wait(60)
            try:
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        do_POST = do_DELETE = answer

    with http_server(Handler) as deadly.url:
        yield deadly
        deadly.let_go.set()


def ordered(task: str, act: dict[str, Any], effect: str = "reversible") -> ActOrder:
    known = {"product": "atlas", "task": task, "key": f"product/atlas/sunset/1/{task}"}
    return ActOrder.model_validate({**known, "act": act, "effect": effect})


@pytest.mark.slow
async def test_a_worker_killed_in_the_middle_of_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = tmp_path / "runs"
    program = [sys.executable, "-c", PROGRAM, str(runs)]
    (tmp_path / "commands.yaml").write_text(json.dumps({"commands": {"revoke": {"argv": program}}}))
    monkeypatch.setenv("PHASEGATE_COMMANDS", str(tmp_path / "commands.yaml"))
    monkeypatch.setenv("PHASEGATE_INTEGRATIONS", str(tmp_path / "integrations.yaml"))
    monkeypatch.setenv("PHASEGATE_DATA_DIR", str(tmp_path))
    some, arrived = threading.Event(), list[str]()
    with endpoint() as deadly, mail_server() as mails:
        mail = {"host": "127.0.0.1", "port": mails.port, "tls": "none", "sender": "a@acme.example"}
        (tmp_path / "integrations.yaml").write_text(json.dumps({"mail": mail}))

        def answer(to: str, message: Any) -> str:
            arrived.append(message["Message-ID"])
            if len(arrived) == CUSTOMERS // 2:
                some.set()
                deadly.let_go.wait(60)
            return "250 taken"

        mails.answer = answer
        async with dev_server(database=tmp_path / "t.db", port=free_port(), ui_port=None) as server:
            monkeypatch.setenv("TEMPORAL_ADDRESS", server.address)
            engine = await Engine.connect(Settings.load())
            people = [Row(f"c{n:02}", email=f"c{n:02}@example.org") for n in range(CUSTOMERS)]
            engine.ledger.customers.put("atlas", 1, people, datetime.now(UTC), "olga")
            orders = [
                ordered("destroy", {"kind": "http", "url": deadly.url + "/data"}, "deletion"),
                ordered("signups", {"kind": "http", "url": deadly.url + "/signups"}),
                ordered("notice", {"kind": "mail", "subject": "End", "text": "{customer}"}),
                ordered("revoke", {"kind": "command", "command": "revoke"}),
            ]
            async with Worker(
                engine.client,
                task_queue="orders",
                workflows=[OneAct],
                workflow_runner=UnsandboxedWorkflowRunner(),
            ):
                async with worker_process() as first:
                    under_way = [
                        await engine.client.start_workflow(
                            OneAct.run, order, id=order.task, task_queue="orders"
                        )
                        for order in orders
                    ]

                    def busy() -> bool:
                        started = runs.exists() and runs.read_text().strip()
                        return bool(len(deadly.calls) == 2 and some.is_set() and started)

                    async with asyncio.timeout(90):
                        while not busy():  # noqa: ASYNC110  # what it waits for is in other processes
                            await asyncio.sleep(0.02)
                    first.send_signal(signal.SIGKILL)
                    await first.wait()
                deadly.let_go.set()
                async with worker_process():
                    async with asyncio.timeout(90):
                        results = [await handle.result() for handle in under_way]
            engine.ledger.close()
    destroyed, signups, notice, revoked = results
    assert destroyed.state == "unknown"
    assert "an earlier attempt was cut off" in destroyed.why
    calls = [path for path, _ in deadly.calls]
    assert calls.count("/data") == 1, "what cannot be undone is never repeated by itself"
    assert signups.state == "done"
    assert calls.count("/signups") == 2
    assert len({key for path, key in deadly.calls if path == "/signups"}) == 1
    assert notice.state == "done"
    assert notice.proof is not None
    assert notice.proof.data["sent"] == CUSTOMERS
    assert len(set(arrived)) == CUSTOMERS
    assert len(arrived) <= CUSTOMERS + 1
    assert revoked.state == "done"
    assert runs.read_text().splitlines() == ["product/atlas/sunset/1/revoke"] * 2
