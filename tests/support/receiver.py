"""A real endpoint that takes events: it verifies signatures, and honours the idempotency key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from over_http import Quiet, http_server
from standardwebhooks import Webhook

SECRET = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY="


@dataclass
class Request:
    headers: dict[str, str]
    event: dict[str, Any]

    @property
    def id(self) -> str:
        return self.headers["Idempotency-Key"]


@dataclass
class Receiver:
    """`answer` says how the next requests are answered: a status, and headers."""

    url: str = ""
    answer: Callable[[Request], tuple[int, dict[str, str]]] = lambda request: (204, {})
    requests: list[Request] = field(default_factory=list)
    """Every request, also those it refused."""
    taken: list[Request] = field(default_factory=list)
    """What it took, each id once: a receiver that honours the key."""

    @property
    def types(self) -> list[str]:
        return [request.event["type"] for request in self.taken]

    @property
    def ids(self) -> list[str]:
        return [request.id for request in self.taken]

    def taking(self, request: Request) -> int:
        status, headers = self.answer(request)
        self.headers = headers
        if 200 <= status < 300 and request.id not in self.ids:
            self.taken.append(request)
        return status


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(Quiet):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = dict(self.headers)
            event = Webhook(SECRET).verify(body, headers)  # raises, and so does not answer
            request = Request(headers, event)
            receiver.requests.append(request)
            status = receiver.taking(request)
            try:
                self.send_response(status)
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

    with http_server(Handler) as url:
        receiver.url = f"{url}/in"
        yield receiver
