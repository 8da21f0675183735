"""The roles of docs/connections.md: each can do its work, and no more than that."""

from __future__ import annotations

import json
import re
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import httpx2
import pytest
from mailserver import mail_server
from parting import Leaving, no_return
from postgres import Server
from processes import ROOT, worker_process
from temporalio.api.enums.v1 import TaskQueueType
from tracker import serving

from client.dev_server import dev_server, free_port
from client.engine import Engine
from client.polling import pollers
from client.settings import Settings
from ledger import Ledger
from phasegate.customers import Row

PAGE = (ROOT / "docs" / "connections.md").read_text("utf-8")
ROLES, GRANTS = re.findall(r"^```sql\n(.*?)^```", PAGE, re.M | re.S)

LETTER = """
    - {id: letter, title: Letter, kind: mail, subject: It ends, text: "{customer}", to: all,
       notifies: true}
"""
DESTROY = """
    - {id: destroy, title: Destroy, kind: http, effect: deletion, by: eng, connection: console,
       path: "/data", method: DELETE}
"""

FORBIDDEN = {
    "phasegate_worker": [
        "INSERT INTO documents SELECT * FROM documents",
        "UPDATE events SET body = ''",
        "DELETE FROM events",
        "ALTER TABLE events DISABLE TRIGGER ALL",
        "DELETE FROM intents",
    ],
    "phasegate_retirement": [
        "SELECT * FROM events",
        "SELECT * FROM documents",
        "INSERT INTO streams VALUES ('x', 1, '')",
        "UPDATE streams SET seq = seq + 1",
        "DELETE FROM customers",
    ],
    "phasegate_people": [
        "INSERT INTO events SELECT * FROM events",
        "UPDATE streams SET seq = seq + 1",
        "UPDATE documents SET body = ''",
        "UPDATE intents SET state = 'done'",
    ],
    "phasegate_reader": [
        "INSERT INTO customers SELECT * FROM customers",
        "UPDATE streams SET seq = seq + 1",
        "CREATE TABLE mine (id int)",
    ],
}


@pytest.fixture(scope="module")
def granted(server: Server) -> Server:
    """The cluster after the page was followed."""

    def run(text: str, database: str, role: str) -> None:
        for statement in text.split(";"):
            done = server.sql(database, statement, role)
            assert done.returncode == 0, done.stderr

    run(ROLES, "postgres", "phasegate")
    owner = Ledger(as_role(server, "phasegate_owner"))
    assert owner.streams() == {}, "the tables are made"
    owner.close()
    for _ in range(2):
        run(GRANTS, "phasegate", "phasegate_owner")
    return server


def as_role(server: Server, role: str) -> str:
    return f"postgresql+psycopg://{role}@127.0.0.1:{server.port}/phasegate"


async def at_work(engine: Engine, queue: str) -> bool | None:
    kind = TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW
    return True if await pollers(engine.client, queue, kind) else None


async def test_each_role_can_do_its_work(
    granted: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHASEGATE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("PHASEGATE_LEDGER", as_role(granted, "phasegate_people"))
    with ExitStack() as stack:
        console, mails = stack.enter_context(serving()), stack.enter_context(mail_server())
        mail = {"host": "127.0.0.1", "port": mails.port, "tls": "none", "sender": "a@acme.example"}
        loopback = {"url": console.url, "allow_addresses": ["127.0.0.1"]}
        file = tmp_path / "integrations.yaml"
        file.write_text(json.dumps({"mail": mail, "connections": {"console": loopback}}))
        async with dev_server(database=None, port=free_port(), ui_port=None) as temporal:
            monkeypatch.setenv("TEMPORAL_ADDRESS", temporal.address)
            engine = await Engine.connect(Settings.load())
            leaving = Leaving(engine, "least")
            leaving.also = "task_queue: retirement"
            main = {"PHASEGATE_LEDGER": as_role(granted, "phasegate_worker")}
            acts = {
                "PHASEGATE_LEDGER": as_role(granted, "phasegate_retirement"),
                "PHASEGATE_INTEGRATIONS": str(file),
            }
            health = free_port()
            only = ("--only", "retirement", "--task-queue", "retirement", "--health", f"{health}")
            async with worker_process(**main), worker_process(*only, **acts):
                row = Row("c1", email="c1@example.org", waived=True)
                engine.ledger.customers.put("least", 1, [row], datetime.now(UTC), "olga")
                await leaving.until(partial(at_work, engine, "phasegate"), "a worker polls")
                await leaving.leave(LETTER, no_return(), DESTROY)
                await leaving.passes("off")
                await leaving.becomes(status="retired")
                await leaving.told("product.retired")
                await leaving.until(partial(ready, health), "whoever does the acts is ready")
            assert (len(console.calls), len(mails.mails)) == (1, 1)
            reader = Ledger(as_role(granted, "phasegate_reader"))
            assert reader.verify("least") == len(leaving.story())
            reader.close()
            engine.ledger.close()


async def ready(port: int) -> bool | None:
    async with httpx2.AsyncClient(trust_env=False) as http:
        found = (await http.get(f"http://127.0.0.1:{port}/readyz")).json()
    return True if found["ready"] else None


@pytest.mark.parametrize("role", FORBIDDEN)
def test_no_role_can_do_more(role: str, granted: Server) -> None:
    for statement in FORBIDDEN[role]:
        refused = granted.sql("phasegate", statement, role)
        assert refused.returncode != 0, statement
        assert re.search("permission denied|must be owner", refused.stderr), refused.stderr
