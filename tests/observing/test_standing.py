"""Whether a process is ready: what hangs or fails, and what comes in that is no HTTP."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest
import structlog

from activities.measuring import Observed
from client import standing
from client.dev_server import free_port
from client.listening import HEALTH, METRICS, Address, listening
from client.log_places import place_of
from client.standing import Standing
from client.tracing import wanted
from client.usage import UsageError
from phasegate.delivery import impersonal
from workflows.observing import HEADER, carried, header

ROOT = Path(__file__).parents[2]
TRACE = f"00-{'ab' * 16}-{'cd' * 8}-01"


async def fine() -> str:
    return ""


async def test_each_part_says_what_is_wrong_with_it() -> None:
    found = Standing()
    assert await found.report() == {"ready": False, "reason": "it is starting"}

    async def broken() -> str:
        raise OSError("gone")

    found.watch({"temporal": fine, "ledger": broken})
    assert await found.report() == {"ready": False, "temporal": "ok", "ledger": "OSError: gone"}
    found.watch({"temporal": fine})
    assert await found.report() == {"ready": True, "temporal": "ok"}
    found.leaving = True
    assert await found.report() == {"ready": False, "reason": "it is stopping"}


async def test_what_hangs_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standing, "PATIENCE", 0.05)
    asked, answer = [], asyncio.Event()

    async def hanging() -> str:
        asked.append(1)
        await answer.wait()
        return ""

    found = Standing()
    found.watch({"ledger": hanging})
    for _ in range(3):
        assert (await found.report())["ready"] is False
    assert asked == [1]
    answer.set()
    monkeypatch.setattr(standing, "PATIENCE", 60)
    assert (await found.report())["ready"] is True


async def test_pages_over_http() -> None:
    address, found, faults = Address("127.0.0.1", free_port()), Standing(), list[str]()
    asyncio.get_running_loop().set_exception_handler(lambda _, what: faults.append(str(what)))
    async with found.serving(address), httpx2.AsyncClient(trust_env=False) as http:
        said = {}
        for method, path in (
            *(("GET", "/healthz"), ("HEAD", "/healthz"), ("GET", "/readyz?x=1")),
            *(("GET", "/"), ("POST", "/healthz")),
        ):
            answer = await http.request(method, f"http://{address}{path}")
            said[method, path] = (answer.status_code, bool(answer.content))
        for rubbish in (b"\r\n\r\n", b"GET\r\n\r\n", b"x" * 20_000):
            reader, writer = await asyncio.open_connection(address.host, address.port)
            writer.write(rubbish)
            assert await reader.read() == b""
            writer.close()
        assert (await http.get(f"http://{address}/healthz")).json() == {"ok": True}
    assert faults == []
    assert said == {
        ("GET", "/healthz"): (200, True),
        ("HEAD", "/healthz"): (200, False),
        ("GET", "/readyz?x=1"): (503, True),
        ("GET", "/"): (404, True),
        ("POST", "/healthz"): (405, True),
    }


def test_where_to_listen() -> None:
    env = {METRICS: "9464"}
    assert listening(HEALTH, env=env) is None
    assert str(listening(METRICS, env=env)) == "127.0.0.1:9464"
    assert str(listening(METRICS, ":1", env)) == "127.0.0.1:1"
    assert str(listening(METRICS, "0.0.0.0:9000", env)) == "0.0.0.0:9000"
    assert str(listening(METRICS, "[::1]:9000", env)) == "[::1]:9000"
    for wrong in ("x", "0", "70000", "a:b:c", "no-such-host.invalid:1"):
        with pytest.raises(UsageError, match="cannot be listened at"):
            listening(METRICS, wrong, env)


def test_traces_are_off_unless_asked_for() -> None:
    there = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x"}
    assert not wanted({})
    assert wanted(there)
    assert wanted({"OTEL_TRACES_EXPORTER": "otlp"})
    assert not wanted({**there, "OTEL_TRACES_EXPORTER": "none"})
    assert not wanted({**there, "OTEL_SDK_DISABLED": "TRUE"})
    code = "import sys, worker, serving.server, commands.failing; "
    code += "sys.exit('opentelemetry' in sys.modules)"
    env = {k: v for k, v in os.environ.items() if not k.startswith("OTEL_")}
    assert (
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, check=False).returncode == 0
    )


def test_a_header_that_is_no_trace_is_none() -> None:
    assert carried({HEADER: header(TRACE)}) == TRACE
    assert carried({}) == ""
    for data in (b"{", b"1", b"[]", b'{"traceparent": 1}', b'{"traceparent": "00-1-2-3"}'):
        payload = header(TRACE)
        payload.data = data
        assert carried({HEADER: payload}) == ""


def test_labels_and_lines_name_nobody() -> None:
    told = ("subscriber/crm", "chat/ops", "mail", "mail/ana", "digest/ana@example.org")
    assert [impersonal(name) for name in told] == [
        *("subscriber/crm", "chat/ops", "mail", "mail", "digest"),
    ]
    assert place_of("product/x/gate/launch") == {"product": "x", "gate": "launch"}
    assert place_of("product/x/sunset") == place_of("product/x") == {"product": "x"}
    assert place_of("courier/subscriber/crm/x") == {"product": "x"}
    assert place_of("mail/ana") == {}


def test_what_failed_and_then_did_not_is_forgotten() -> None:
    found = Observed()
    assert (found.outbox_age(), found.untold()) == (0.0, 0)
    found.unwritten("product/x", 0.0)
    found.checked("x", "m", told=False)
    assert found.outbox_age() > 1e9
    assert found.untold() == 1
    found.written("product/x")
    found.checked("x", "m", told=True)
    assert (found.outbox_age(), found.untold()) == (0.0, 0)


async def test_what_is_wrong_is_logged_once_and_asked_once_in_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(standing, "FRESH", 3600)
    address, found, asked = Address("127.0.0.1", free_port()), Standing(), list[int]()

    async def broken() -> str:
        asked.append(1)
        raise OSError("db.internal is gone")

    found.watch({"temporal": fine, "ledger": broken})
    with structlog.testing.capture_logs() as logged:
        async with found.serving(address), httpx2.AsyncClient(trust_env=False) as http:
            said = [await http.get(f"http://{address}/readyz") for _ in range(5)]
    assert {answer.status_code for answer in said} == {503}
    assert {answer.text for answer in said} == {
        '{"ready": false, "temporal": "ok", "ledger": "failing"}\n'
    }
    assert asked == [1]
    assert [(line["event"], line["ledger"]) for line in logged] == [
        ("not ready", "OSError: db.internal is gone")
    ]
