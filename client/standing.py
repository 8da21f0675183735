"""Whether this process is alive (`/healthz`) and ready (`/readyz`), over HTTP.

Alive means that its loop turns and nothing else: a worker that is killed because the server is away
would only come back to the same. Ready means that it can do its work now. Which part is not is
said to whoever asks; why is in the log, since errors name hosts and files.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress

import structlog

from client.listening import Address, taken

PATIENCE = 3.0
"""Seconds for each thing that is asked; those who probe wait for about as long."""

FRESH = 1.0
"""Seconds for which an answer counts for all who ask."""

log = structlog.get_logger("worker")

HEAD_BYTES, HEAD_SECONDS = 8192, 5.0

Ask = Callable[[], Awaitable[str]]
"""Why something is not ready; empty where it is."""


class Probe:
    """Asks one thing, once at a time: what hangs is not asked again before it has ended."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._asking: asyncio.Future[str] | None = None
        self._asked = 0.0

    async def answer(self) -> str:
        """Why it is not ready; empty where it is."""
        now = asyncio.get_running_loop().time()
        if self._asking is None or (self._asking.done() and now - self._asked >= FRESH):
            self._asked = now
            self._asking = asyncio.ensure_future(self._ask())
        await asyncio.wait({self._asking}, timeout=PATIENCE)
        if not self._asking.done():
            return f"no answer within {PATIENCE:.0f} s"
        error = self._asking.exception()
        return f"{type(error).__name__}: {error}" if error else self._asking.result()


class Standing:
    """What is said of a process. `leaving` is set first when it is asked to stop."""

    def __init__(self) -> None:
        self.leaving = False
        self._probes: dict[str, Probe] = {}
        self._noted: dict[str, object] = {}

    def watch(self, checks: Mapping[str, Ask]) -> None:
        """Be ready when each of these is; before this is called the process is starting."""
        self._probes = {name: Probe(ask) for name, ask in checks.items()}

    async def report(self) -> dict[str, object]:
        """Whether it is ready, and of each part what is wrong."""
        if self.leaving:
            return {"ready": False, "reason": "it is stopping"}
        if not self._probes:
            return {"ready": False, "reason": "it is starting"}
        said = await asyncio.gather(*(probe.answer() for probe in self._probes.values()))
        parts = {name: why or "ok" for name, why in zip(self._probes, said, strict=True)}
        return {"ready": not any(said), **parts}

    async def _answer(self, method: str, path: str) -> tuple[int, dict[str, object]]:
        if path not in ("/healthz", "/readyz"):
            return 404, {"error": "there is no such page", "hint": "/healthz, /readyz"}
        if method not in ("GET", "HEAD"):
            return 405, {"error": f"{method[:10]} is not allowed", "hint": "GET"}
        if path == "/healthz":
            return 200, {"ok": True}
        found = await self.report()
        self._note(found)
        shown = {name: self._shown(name, said) for name, said in found.items()}
        return (200 if found["ready"] else 503), shown

    def _note(self, found: dict[str, object]) -> None:
        """What has changed, once for each change; that it starts or stops is said elsewhere."""
        if "reason" in found or found == self._noted:
            return
        if not found["ready"]:
            log.warning("not ready", **{name: found[name] for name in self._probes})
        elif self._noted:
            log.info("ready again")
        self._noted = found

    def _shown(self, name: str, said: object) -> object:
        return "failing" if name in self._probes and said != "ok" else said

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(
            *(OSError, TimeoutError, ValueError),
            *(asyncio.IncompleteReadError, asyncio.LimitOverrunError),
        ):
            async with asyncio.timeout(HEAD_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
            method, target, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
            status, said = await self._answer(method, target.split("?", 1)[0])
            body = json.dumps(said).encode() + b"\n"
            writer.write(
                f"HTTP/1.1 {status} {_WORDS[status]}\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
                + (b"" if method == "HEAD" else body)
            )
            await writer.drain()
        writer.close()

    @asynccontextmanager
    async def serving(self, address: Address | None) -> AsyncIterator[None]:
        """Answer there within the block, if anywhere. Raises UsageError if something else does."""
        if address is None:
            yield
            return
        try:
            server = await asyncio.start_server(
                self._serve, address.host, address.port, limit=HEAD_BYTES
            )
        except OSError as error:
            raise taken(address, "--health", error.strerror or str(error)) from error
        try:
            yield
        finally:
            server.close()


_WORDS = {200: "OK", 404: "Not Found", 405: "Method Not Allowed", 503: "Service Unavailable"}
