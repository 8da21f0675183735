"""What stands before a Temporal cluster: TLS, client certificates, API keys."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from weakref import WeakSet

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import RequestReceived
from tcp_proxy import shut

T = TypeVar("T")

CHUNK = 64 * 1024

REFUSED = (
    (":status", "200"),
    ("content-type", "application/grpc"),
    ("grpc-status", "16"),
    ("grpc-message", "Request unauthorized."),
)
"""UNAUTHENTICATED, as a gRPC answer that has nothing but its end."""


class Secured:
    """TLS over a connection. asyncio's own drops the alert that says what a handshake lacks."""

    def __init__(
        self, context: ssl.SSLContext, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._reader, self._writer = reader, writer
        self._heard, self._said = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._heard, self._said, server_side=True)

    async def handshake(self) -> None:
        """Raises SSLError, when the other side was told."""
        try:
            await self._until(self._tls.do_handshake)
        finally:
            await self._flush()

    async def read(self) -> bytes:
        """What is said next; empty at the end."""
        try:
            return await self._until(lambda: self._tls.read(CHUNK))
        except ssl.SSLEOFError:
            return b""

    async def write(self, data: bytes) -> None:
        self._tls.write(data)
        await self._flush()

    async def _until(self, attempt: Callable[[], T]) -> T:
        while True:
            try:
                return attempt()
            except ssl.SSLWantReadError:
                await self._flush()
                if data := await self._reader.read(CHUNK):
                    self._heard.write(data)
                else:
                    self._heard.write_eof()

    async def _flush(self) -> None:
        self._writer.write(self._said.read())
        await self._writer.drain()


@dataclass(frozen=True)
class Door:
    """Ends TLS before a server that speaks none, and passes on what is said.

    With `clients`, only to who has a certificate of that authority. With `keys`, only connections
    whose first call carries one of them; the calls of others are answered as Temporal does.
    """

    upstream: str
    certificate: tuple[Path, Path]
    clients: Path | None = None
    keys: tuple[str, ...] = ()
    seen: WeakSet[asyncio.StreamWriter] = field(default_factory=WeakSet, compare=False)
    """Whatever was opened: one that is closed may still have something to say to nobody."""

    def context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.certificate)
        context.set_alpn_protocols(["h2"])
        if self.clients is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.clients)
        return context

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until either side ends it."""
        self.seen.add(writer)
        with suppress(OSError, asyncio.CancelledError):  # an ssl.SSLError is an OSError
            caller = Secured(self.context(), reader, writer)
            await caller.handshake()
            said = await self._let_in(caller) if self.keys else b""
            if said is not None:
                await self._pass_on(said, caller)
        with suppress(OSError):
            writer.close()
            await writer.wait_closed()

    async def _let_in(self, caller: Secured) -> bytes | None:
        """What was said until the first call showed a key; None where none was shown."""
        ours = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        ours.initiate_connection()
        said, ours_to_answer = b"", False
        while data := await caller.read():
            said += data
            for event in ours.receive_data(data):
                if isinstance(event, RequestReceived):
                    if self._knows(event) and not ours_to_answer:
                        return said
                    ours.send_headers(event.stream_id, list(REFUSED), end_stream=True)
                    ours_to_answer = True
            if ours_to_answer:
                await caller.write(ours.data_to_send())
        return None

    def _knows(self, call: RequestReceived) -> bool:
        given = {str(name): str(value) for name, value in call.headers or ()}
        return given.get("authorization") in {f"Bearer {key}" for key in self.keys}

    async def _pass_on(self, said: bytes, caller: Secured) -> None:
        host, _, port = self.upstream.rpartition(":")
        server, to_server = await asyncio.open_connection(host, int(port))
        self.seen.add(to_server)

        async def forward(data: bytes) -> None:
            to_server.write(data)
            await to_server.drain()

        await forward(said)
        ways = [
            asyncio.create_task(_pump(caller.read, forward)),
            asyncio.create_task(_pump(lambda: server.read(CHUNK), caller.write)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            to_server.close()


async def _pump(
    read: Callable[[], Awaitable[bytes]], write: Callable[[bytes], Awaitable[None]]
) -> None:
    while data := await read():
        await write(data)


@contextmanager
def opened(door: Door) -> Iterator[str]:
    """The address of a door, which stands open in a thread of its own until the block ends."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="door", daemon=True)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(
        asyncio.start_server(door.serve, "127.0.0.1", 0), loop
    ).result(10)

    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        asyncio.run_coroutine_threadsafe(shut(server, door.seen), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
