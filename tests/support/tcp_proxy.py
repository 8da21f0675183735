"""A network between two processes that can be slow, silent, cut, or not there."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from weakref import WeakSet

CHUNK = 64 * 1024
TICK = 0.02
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER with no time: closing sends RST, as a machine does that has lost power and is back."""


@dataclass
class TcpProxy:
    """Passes on what is said between its port and `upstream`, which may change."""

    upstream: int
    """The port of the loopback interface that connections are passed on to."""
    delay: float = 0.0
    """Seconds that each piece is held back."""
    silent: bool = False
    """Pieces are held back until it is not: nobody learns that the other side is gone."""
    closed: bool = False
    """New connections are ended at once."""
    port: int = 0
    cuts: int = 0
    """Connections that were cut."""
    _open: set[asyncio.StreamWriter] = field(default_factory=set)
    _seen: WeakSet[asyncio.StreamWriter] = field(default_factory=WeakSet)
    """Whatever was opened: one that is closed may still have something to say to nobody."""
    _loop: asyncio.AbstractEventLoop | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def cut(self) -> None:
        """End every connection at once, in the middle of whatever is said."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._cut)

    def _cut(self) -> None:
        self.cuts += len(self._open) // 2
        for writer in list(self._open):
            _reset(writer)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._seen.add(writer)
        if self.closed:
            _reset(writer)
            return
        try:
            answers, onward = await asyncio.open_connection("127.0.0.1", self.upstream)
        except OSError:  # whoever should answer is down, and its caller is told so
            _reset(writer)
            return
        self._seen.add(onward)
        both = {writer, onward}
        self._open |= both
        ways = [
            asyncio.create_task(self._pass_on(reader, onward)),
            asyncio.create_task(self._pass_on(answers, writer)),
        ]
        try:
            with suppress(asyncio.CancelledError):  # the proxy is closed
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            self._open -= both
            for end in both:
                with suppress(OSError):
                    end.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(CHUNK):
                if self.delay:
                    await asyncio.sleep(self.delay)
                while self.silent:  # noqa: ASYNC110  # set by another thread
                    await asyncio.sleep(TICK)
                writer.write(data)
                await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        end: socket.socket | None = writer.get_extra_info("socket")
        if end is not None:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.transport.abort()


async def shut(server: asyncio.Server, seen: Iterable[asyncio.StreamWriter]) -> None:
    """End a server, the only one of its loop, and whatever it has opened."""
    server.close()
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    for writer in list(seen):
        writer.transport.abort()
    await asyncio.sleep(0)  # they are closed in the loop's next turn


@contextmanager
def proxied(upstream: int) -> Iterator[TcpProxy]:
    """A proxy before a port of this machine, in a thread of its own until the block ends."""
    proxy, loop = TcpProxy(upstream), asyncio.new_event_loop()
    proxy._loop = loop
    thread = threading.Thread(target=loop.run_forever, name="proxy", daemon=True)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(
        asyncio.start_server(proxy.serve, "127.0.0.1", 0), loop
    ).result(10)
    proxy.port = server.sockets[0].getsockname()[1]

    try:
        yield proxy
    finally:
        asyncio.run_coroutine_threadsafe(shut(server, proxy._seen), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
