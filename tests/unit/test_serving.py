"""`phasegate serve` as a process without a Temporal server: what it refuses, and how it ends."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest
import served
import webhooks
from served import ROOT, SECRET, SIGNING, Served, serving
from webhooks import as_body

CLOSED = as_body(webhooks.GITHUB_MILESTONE_CLOSED)
GOOD = webhooks.github(SECRET, "milestone", CLOSED)
BEARER = {"Authorization": f"Bearer {SECRET}"}
EVENT = {"specversion": "1.0", "id": "1", "source": "/ci", "type": "passed"}
STRUCTURED = {**BEARER, "Content-Type": "application/cloudevents+json"}
MIB = 1024 * 1024


@pytest.fixture(scope="module")
async def alone(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    """One whose Temporal server is not there."""
    folder = tmp_path_factory.mktemp("serve")
    async with serving(folder, TEMPORAL_ADDRESS="127.0.0.1:1") as process:
        yield process


async def refused(alone: Served, *request: Any, **more: Any) -> httpx2.Response:
    """The answer to what is refused, once the line that the log has of it is read, too."""
    before = len(alone.said("event refused"))
    answer = await alone.post(*request, **more)
    await alone.saying("event refused", before + 1)
    return answer


async def refusal(alone: Served, *request: Any, **more: Any) -> tuple[int, str]:
    """How it is refused, once it is known that the log has one line for it and no secret."""
    before = len(alone.said("event refused"))
    answer = await alone.post(*request, **more)
    body = answer.json()
    assert body.keys() == {"schema_version", "error", "reason", "hint", "code"}
    assert all(body.values())
    line = (await alone.saying("event refused", before + 1))[before:]
    assert [(x["status"], x["code"], x["reason"]) for x in line] == [
        (answer.status_code, body["code"], body["reason"])
    ]
    known = request[0] if request[0] in served.INTEGRATIONS else "?"
    assert line[0]["source"] == known
    return answer.status_code, body["code"]


async def test_it_lives_and_is_not_ready(alone: Served) -> None:
    assert (await alone.http.get(f"{alone.url}/healthz")).json() == {"ok": True}
    ready = await alone.http.get(f"{alone.url}/readyz")
    assert ready.status_code == 503
    # Whoever reaches the webhooks reaches this: why not is for the log, once for all who ask.
    asked = [ready, *[await alone.http.get(f"{alone.url}/readyz") for _ in range(5)]]
    assert [answer.json() for answer in asked] == [{"ready": False}] * 6
    (line,) = await alone.saying("not ready", 1)
    assert "nothing listens there" in line["reason"]


async def test_what_nobody_can_be_told_is_to_be_sent_again(alone: Served) -> None:
    answer = await refused(alone, "github", GOOD, CLOSED)
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert await refusal(alone, "bus", STRUCTURED, as_body(EVENT)) == (503, "unavailable")


async def test_a_ping_needs_nobody(alone: Served) -> None:
    body = as_body(webhooks.GITHUB_PING)
    answer = await alone.post("github", webhooks.github(SECRET, "ping", body), body)
    assert (answer.status_code, answer.json()["events"]) == (200, 0)


@pytest.mark.parametrize("name", ["nope", "Nope", "a%0ab", "%2e%2e", "x" * 80])
async def test_an_unknown_source(alone: Served, name: str) -> None:
    before = len(alone.said("event refused"))
    assert (await alone.post(name, GOOD, CLOSED)).status_code == 404
    line = (await alone.saying("event refused", before + 1))[-1]
    assert line["source"] in ("nope", "?")


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "BREW"])
async def test_other_methods(alone: Served, method: str) -> None:
    answer = await alone.http.request(method, f"{alone.url}/events/github")
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "POST"
    assert (await alone.http.request("PUT", f"{alone.url}/events/nope")).status_code == 404


async def test_other_pages(alone: Served) -> None:
    for method, path, code in (
        ("GET", "/", 404),
        ("POST", "/events", 404),
        ("POST", "/events/github/more", 404),
        ("POST", "/healthz", 405),
    ):
        answer = await alone.http.request(method, alone.url + path)
        assert (answer.status_code, bool(answer.json()["hint"])) == (code, True)


async def test_without_the_right_proof(alone: Served) -> None:
    forged = webhooks.github("guessed", "milestone", CLOSED)
    assert await refusal(alone, "github", forged, CLOSED) == (401, "wrong-proof")
    assert await refusal(alone, "github", {}, CLOSED) == (401, "no-proof")
    guessed = {"Authorization": "Bearer guessed"}
    answer = await refused(alone, "bus", guessed, as_body(EVENT))
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    late = webhooks.standard(SIGNING, CLOSED, at=1_600_000_000)
    assert await refusal(alone, "hooks", late, CLOSED) == (401, "stale-timestamp")


async def test_a_token_in_the_query_is_taken_and_not_logged(alone: Served) -> None:
    headers = {"Content-Type": "application/cloudevents-batch+json"}
    answer = await alone.post("bus", headers, b"[]", params={"access_token": SECRET})
    assert (answer.status_code, answer.json()["events"]) == (202, 0)
    assert "private" in answer.headers["Cache-Control"]
    assert not any("access_token" in line for line in alone.raw)


async def test_garbage(alone: Served) -> None:
    for body in (b"", b"{", b"\xff\x00", b"[" * 50_000):
        assert await refusal(alone, "bus", STRUCTURED, body) == (400, "malformed")
        signed = webhooks.github(SECRET, "milestone", body)
        assert await refusal(alone, "github", signed, body) == (400, "malformed")
    twice = [*STRUCTURED.items(), ("webhook-id", "a"), ("webhook-id", "b")]
    before = len(alone.said("event refused"))
    answer = await alone.http.post(f"{alone.url}/events/bus", headers=twice, content=b"{}")
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
    await alone.saying("event refused", before + 1)


async def test_unsupported_types(alone: Served) -> None:
    form = GOOD | {"Content-Type": "application/x-www-form-urlencoded"}
    assert await refusal(alone, "github", form, CLOSED) == (415, "unsupported-type")
    assert await refusal(alone, "bus", BEARER, b"<a/>") == (415, "unsupported-type")


async def test_the_largest_body_and_one_that_is_larger(alone: Served) -> None:
    body = as_body(webhooks.GITHUB_PING)
    body += b" " * (MIB - len(body))
    answer = await alone.post("github", webhooks.github(SECRET, "ping", body), body)
    assert answer.status_code == 200
    larger = body + b" "
    signed = webhooks.github(SECRET, "ping", larger)
    assert await refusal(alone, "github", signed, larger) == (413, "too-large")

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(65):
            yield b" " * 16 * 1024

    assert await refusal(alone, "github", signed, chunks()) == (413, "too-large")


async def raw(alone: Served, head: bytes, chunk: bytes = b"", pieces: int = 0) -> tuple[bytes, int]:
    """What is answered to bytes as they are, and how many of them could be sent before it."""
    port = int(alone.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"POST /events/github HTTP/1.1\r\nHost: x\r\n" + head + b"\r\n")
    sent = 0
    try:
        for _ in range(pieces):
            writer.write(chunk)
            await writer.drain()
            sent += len(chunk)
    except ConnectionError:
        pass
    answer = b""
    async with asyncio.timeout(60):
        with suppress(ConnectionError):
            while piece := await reader.read(64 * 1024):  # head and body may come apart
                answer += piece
    writer.close()
    return answer, sent


async def test_a_body_without_end_is_cut_off(alone: Served) -> None:
    chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
    before = len(alone.said("event refused"))
    answer, sent = await raw(alone, b"Transfer-Encoding: chunked\r\n", chunk, pieces=1600)
    assert not answer or b" 413 " in answer  # who goes on sending may be cut off before it is read
    assert sent < 50 * MIB  # of 100: some are dropped, and some are in the system's own buffers
    assert (await alone.saying("event refused", before + 1))[-1]["code"] == "too-large"


async def test_a_large_body_that_is_announced_is_not_waited_for(alone: Served) -> None:
    answer, _ = await raw(alone, b"Content-Length: 5000000000\r\n")
    assert answer.startswith(b"HTTP/1.1 413 ")
    asked = b"Content-Length: 5000000000\r\nExpect: 100-continue\r\n"
    answer, _ = await raw(alone, asked)
    assert answer.startswith(b"HTTP/1.1 413 ")


@pytest.mark.slow
async def test_a_body_that_does_not_come(alone: Served) -> None:
    answer, _ = await raw(alone, b"Content-Length: 10\r\n", b"{", pieces=1)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"too-slow" in answer


async def told(served: Served, body: bytes, status: int, code: str | None = None) -> None:
    """Wait until this is what an event is answered."""
    async with asyncio.timeout(60):
        while True:
            answer = await served.post("github", webhooks.github(SECRET, "ping", body), body)
            if (answer.status_code, answer.json().get("code")) == (status, code):
                return
            await asyncio.sleep(0.1)


async def test_slow_senders_without_a_secret_take_no_place_in_which_events_are_told(
    alone: Served,
) -> None:
    """A hundred bodies that do not come are borne; more than 256 are not (docs/events.md)."""
    port = int(alone.url.rpartition(":")[2])
    head = b"POST /events/github HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{"
    slow = [await asyncio.open_connection("127.0.0.1", port) for _ in range(100)]
    for _, writer in slow:
        writer.write(head)
        await writer.drain()
    await asyncio.sleep(0.5)
    ping = as_body(webhooks.GITHUB_PING)
    try:
        answer = await alone.post("github", webhooks.github(SECRET, "ping", ping), ping)
        assert (answer.status_code, answer.json().get("code")) == (200, None)
        slow += [await asyncio.open_connection("127.0.0.1", port) for _ in range(170)]
        for _, writer in slow[100:]:
            writer.write(head)
            await writer.drain()
        await told(alone, ping, 503, "busy")
    finally:
        for _, writer in slow:
            writer.close()
    await told(alone, ping, 200)


@pytest.mark.slow
async def test_a_connection_without_a_request_is_closed(alone: Served) -> None:
    port = int(alone.url.rpartition(":")[2])
    idle, silent = await asyncio.open_connection("127.0.0.1", port)
    slow, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"POST /events/github HTTP/1.1\r\nHost:")
    again, asking = await asyncio.open_connection("127.0.0.1", port)
    asking.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /heal")
    async with asyncio.timeout(60):
        assert [await reader.read() for reader in (idle, slow)] == [b"", b""]
        assert (await again.read()).startswith(b"HTTP/1.1 200 ")
    for each in (silent, writer, asking):
        each.close()


async def test_a_sender_that_leaves_is_noted(alone: Served) -> None:
    port = int(alone.url.rpartition(":")[2])
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"POST /events/bus HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{")
    await writer.drain()
    writer.close()

    def noted() -> bool:  # others, who left before, may be noted later
        lines = alone.said("event refused")
        return any((line["source"], line["code"]) == ("bus", "left") for line in lines)

    async with asyncio.timeout(60):
        while not noted():  # noqa: ASYNC110  # only its log says it
            await asyncio.sleep(0.02)


async def test_the_handshake_of_cloud_events(alone: Served) -> None:
    asked = {"WebHook-Request-Origin": "eventemitter.example.com", "WebHook-Request-Rate": "120"}
    answer = await alone.http.options(f"{alone.url}/events/bus", headers=asked)
    assert answer.status_code == 200
    assert answer.headers["WebHook-Allowed-Origin"] == "eventemitter.example.com"
    assert answer.headers["WebHook-Allowed-Rate"] == "*"
    assert "POST" in answer.headers["Allow"]
    for headers in ({}, {"WebHook-Request-Origin": "a b"}):
        answer = await alone.http.options(f"{alone.url}/events/bus", headers=headers)
        assert answer.status_code == 400
        assert "WebHook-Allowed-Origin" not in answer.headers


async def test_no_line_of_the_log_has_a_secret_or_a_piece_of_a_body(alone: Served) -> None:
    """Last in this module: about all that was sent before."""
    text = "".join(alone.raw)
    for hidden in (SECRET, SIGNING, "guessed", "Codertocat", "space flight"):
        assert hidden not in text
    assert "event refused" in text


# -- starting and stopping ------------------------------------------------------------------------


async def refused_from_then_on(process: Served, port: int) -> list[Any]:
    """Ask whether it is ready until nothing listens any more; the answers."""
    said = []
    async with asyncio.timeout(90):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionRefusedError:
                return said
            writer.close()
            with suppress(httpx2.HTTPError):
                said.append((await process.http.get(f"{process.url}/readyz")).json())
            await asyncio.sleep(0.05)


async def test_sigterm_lets_what_runs_finish(tmp_path: Path) -> None:
    async with serving(tmp_path, TEMPORAL_ADDRESS="127.0.0.1:1") as process:
        port = int(process.url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        body = as_body(webhooks.GITHUB_PING)
        head = "".join(f"{k}: {v}\r\n" for k, v in webhooks.github(SECRET, "ping", body).items())
        head += f"Content-Length: {len(body)}\r\nExpect: 100-continue\r\n"
        writer.write(f"POST /events/github HTTP/1.1\r\nHost: x\r\n{head}\r\n".encode())
        going_on = await reader.readuntil(b"\r\n\r\n")  # it reads the body by now
        assert going_on.startswith(b"HTTP/1.1 100 ")
        writer.write(body[:20])
        await writer.drain()
        process.process.send_signal(signal.SIGTERM)
        not_ready = await refused_from_then_on(process, port)  # nothing new is taken
        assert {"ready": False} in not_ready  # and that was said before
        writer.write(body[20:])
        assert (await reader.read(64)).startswith(b"HTTP/1.1 200 ")
        writer.close()
        assert await process.ended() == 0
        assert process.said("serve stopped")


def called(folder: Path, *words: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "cli", "serve", *words],
        cwd=ROOT,
        env={**os.environ, "PHASEGATE_INTEGRATIONS": str(folder / "i.yaml")},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


def test_nothing_to_serve(tmp_path: Path) -> None:
    (tmp_path / "i.yaml").write_text("schema_version: 1")
    code, err = called(tmp_path)
    assert code == 1
    assert "there is nothing to serve" in err


def test_a_file_that_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "i.yaml").write_text("sources: {ci: {kind: gitlub, secret: {env: A}}}")
    code, err = called(tmp_path)
    assert code == 2
    assert "i.yaml:1:" in err


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    (tmp_path / "i.yaml").write_text(served.INTEGRATIONS)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, err = called(tmp_path, "--port", str(port))
    assert code == 1
    assert f"cannot listen at 127.0.0.1:{port}" in err
    assert f"phasegate serve --port {port + 1}" in err


def test_without_the_extra_it_says_what_to_install(tmp_path: Path) -> None:
    """And nothing else of the command line needs it."""
    code = (
        "import sys; sys.modules['uvicorn'] = None; import cli;"
        "sys.exit(cli.invoke(['serve', '-o'][:1]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "pip install 'phasegate[web]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_help_does_not_load_it() -> None:
    code = (
        "import sys, cli; cli.invoke(['serve', '--help']);"
        "print([m for m in ('starlette', 'uvicorn', 'temporalio') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


async def test_a_head_without_end_is_not_read(alone: Served) -> None:
    """Two megabytes; h11 stops at 16 KiB that are not whole yet, and what came with them."""
    endless = {f"x-{number}": "y" * 1000 for number in range(2000)}
    with suppress(httpx2.RemoteProtocolError, httpx2.WriteError, httpx2.ReadError):
        answer = await alone.post("bus", endless, b"{}")
        assert answer.status_code in (400, 431)
    assert (await alone.http.get(f"{alone.url}/healthz")).status_code == 200
