"""What only the installation knows is in no history, no log and no record, whatever fails."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult
from mailserver import mail_server
from over_http import Quiet, http_server
from processes import ROOT
from receiver import SECRET, receiving
from served import serving
from stage import POLICY, Stage
from temporalio.client import WorkflowExecution

from client.dev_server import DevServer
from client.engine import Engine
from client.settings import Settings

CANARIES = {
    "CI_TOKEN": "canary-of-a-connection",
    "CRM_KEY": SECRET,
    "MAIL_KEY": "canary-of-the-mail-server",
    "HOOK_SECRET": "canary-of-a-source",
}
DIRECTORY = """
directory: default
people: {olga: {}, ana: {email: ana@acme.example}, bo: {}, cy: {}, dan: {}, lea: {}}
groups: {product: {members: [ana, olga]}, eng: {members: [bo, cy, dan]}, legal: {members: [lea]}}
"""
CHECKED = POLICY.replace(
    "{id: done, title: Feature complete}",
    "{id: done, title: Feature complete, check: {kind: http, connection: ci, path: /done, "
    "expression: body.done, every: 0.3 seconds}}",
)
INTEGRATIONS = """
connections:
  ci: {{url: "{ci}", user: gates, token: {{env: CI_TOKEN}}}}
subscribers:
  crm: {{url: "{crm}", secret: {{env: CRM_KEY}}}}
mail:
  {{host: 127.0.0.1, port: {smtp}, tls: none, sender: gates@acme.example, gather: PT1S,
   user: gates, password: {{env: MAIL_KEY}}}}
"""
# As anybody would set it who looks for a fault.
VERBOSE = (
    "import functools, client.logs as logs;"
    "logs.configure_logs = functools.partial(logs.configure_logs, level='DEBUG');"
    "import cli; cli.main()"
)


@contextmanager
def ci_that_tells(answers: dict[str, int]) -> Iterator[str]:
    """A system that says in its answer what it was sent, as many do in their errors."""

    class Handler(Quiet):
        def do_GET(self) -> None:
            sent = self.headers["Authorization"]
            said = {"done": answers["status"] == 200, "sent": sent}
            self.send_response(answers["status"], f"Not for {sent}")
            self.send_header("Location", f"http://{sent.split()[-1]}@elsewhere.example/{sent}")
            self.end_headers()
            self.wfile.write(json.dumps(said).encode())
            answers["asked"] = answers.get("asked", 0) + 1

    with http_server(Handler) as url:
        yield url


@asynccontextmanager
async def verbose_worker(log: Path) -> AsyncIterator[None]:
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", VERBOSE, "worker", "run"),
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stderr=output,
        )
    try:
        yield
    finally:
        process.terminate()
        await process.wait()


@pytest.mark.slow
async def test_secrets_of_the_installation_stay_where_they_are(
    server: DevServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in CANARIES.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TEMPORAL_ADDRESS", server.address)
    monkeypatch.setenv("PHASEGATE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("PHASEGATE_TASK_QUEUE", "no-secrets")
    monkeypatch.setenv("PHASEGATE_INTEGRATIONS", str(tmp_path / "worker.yaml"))
    engine = await Engine.connect(Settings.load())
    stage, answers = Stage(engine, "no-secrets"), {"status": 500}

    def login(server: Any, session: Any, envelope: Any, mechanism: str, given: Any) -> AuthResult:
        logins.append(given.password.decode())
        return AuthResult(success=True)

    logins: list[str] = []
    auth = {"authenticator": login, "auth_require_tls": False}
    with ci_that_tells(answers) as ci, receiving() as crm, mail_server(**auth) as post:
        crm.answer = lambda request: (500 if len(crm.requests) < 2 else 204, {})
        file = tmp_path / "worker.yaml"
        file.write_text(INTEGRATIONS.format(ci=ci, crm=crm.url, smtp=post.port))
        log = tmp_path / "worker.log"
        verbose = (sys.executable, "-c", VERBOSE)
        async with (
            verbose_worker(log),
            serving(tmp_path, command=verbose, HOOK_SECRET=CANARIES["HOOK_SECRET"]) as served,
        ):
            await stage.start(CHECKED, DIRECTORY)

            async def asked() -> bool | None:
                return True if answers.get("asked", 0) > 1 else None

            await stage.until(asked, "the connection is asked, and fails")
            for status in (302, 401, 200):
                before, answers["status"] = answers["asked"], status

                async def again(before: int = before) -> bool | None:
                    return True if answers["asked"] > before else None

                await stage.until(again, f"it answers {status}")
            await stage.gate_opens("launch")

            async def told() -> bool | None:
                return True if post.mails and crm.taken else None

            await stage.until(told, "mail and subscriber have it")
            headers = {"Content-Type": "application/cloudevents+json"}
            event = {"specversion": "1.0", "id": "1", "source": "/ci", "type": "done"}
            body = json.dumps(event).encode()
            for token in (CANARIES["HOOK_SECRET"], CANARIES["HOOK_SECRET"] + "x"):
                bearer = {"Authorization": f"Bearer {token}"}
                await served.post("bus", {**headers, **bearer}, body)
                await served.post("bus", headers, b"{" + token.encode(), params={"a": token})
                await served.post("bus", headers, body, params={"access_token": token})
            await served.saying("event refused", 3)
        serve_log = "".join(served.raw).encode()
    found = {"the worker's log": log.read_bytes(), "the log of serve": serve_log}
    assert b'"level": "debug"' in found["the worker's log"]
    assert found["the log of serve"]
    found |= {name: (tmp_path / name).read_bytes() for name in ("ledger.db", "ledger.db-wal")}
    assert CANARIES["MAIL_KEY"] in logins

    async def listed() -> list[WorkflowExecution] | None:
        """Temporal's lists follow a moment later."""
        query = engine.client.list_workflows("TaskQueue = 'no-secrets'")
        runs = [run async for run in query]
        there = {"product/no-secrets", "product/no-secrets/gate/launch", "mail/ana"}
        return runs if there <= {run.id for run in runs} else None

    for run in await stage.until(listed, "the product, its gate and a mail are listed"):
        handle = engine.client.get_workflow_handle(run.id, run_id=run.run_id)
        history = await handle.fetch_history()
        found[run.id] = b"".join(event.SerializeToString() for event in history.events)
    engine.ledger.close()
    for where, data in found.items():
        for secret in CANARIES.values():
            bare = secret.removeprefix("whsec_")
            pair = b64encode(f"gates:{secret}".encode()).decode()
            for form in (secret, bare, pair, b64encode(secret.encode()).decode()[:-3]):
                assert form.encode() not in data, f"{form} is in {where}"
