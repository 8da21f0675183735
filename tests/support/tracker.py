"""A system of the world to poll and to order things from: a small web server."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from over_http import Quiet, http_server


@dataclass
class Tracker:
    """A small web service: answers with `status` and `body`, and remembers what it was asked."""

    url: str = ""
    status: int = 200
    body: object = field(default_factory=dict)
    calls: list[tuple[str, str, str]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    """What came as Authorization with each call."""

    answers: threading.Event = field(default_factory=threading.Event)
    """While it is clear, whoever asks is kept waiting."""

    async def asked(self, times: int) -> None:
        for _ in range(1200):
            if len(self.calls) >= times:
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"asked {len(self.calls)} times, not {times}")


@contextmanager
def serving() -> Iterator[Tracker]:
    """A tracker that answers until it is left."""
    state = Tracker()
    state.answers.set()

    class Handler(Quiet):
        def answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            self.rfile.read(length)
            key = self.headers.get("Idempotency-Key", "")
            state.calls.append((self.command, self.path, key))
            state.tokens.append(self.headers.get("Authorization", ""))
            state.answers.wait()
            text = json.dumps(state.body).encode()
            try:
                self.send_response(state.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)
            except (BrokenPipeError, ConnectionResetError):  # whoever asked is gone
                self.close_connection = True

        do_GET = do_POST = do_DELETE = answer

    with http_server(Handler) as state.url:
        yield state
        state.answers.set()
