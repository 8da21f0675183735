"""The systems around phasegate: they honour keys, and count what they got more than once."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from mailserver import MailServer, mail_server
from receiver import SECRET
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError
from tcp_proxy import TcpProxy, proxied


@dataclass
class World:
    """A subscriber, what acts call, what milestones ask, and a mail server; each behind a proxy."""

    mails: MailServer
    ready: set[str] = field(default_factory=set)
    """Products whose beta is out."""
    events: dict[str, dict[str, object]] = field(default_factory=dict)
    """What the subscriber took, by key, in the order it came."""
    bodies: dict[str, set[str]] = field(default_factory=dict)
    """Digests of what came under each key. More than one is another message under the same key."""
    sent: Counter[str] = field(default_factory=Counter)
    """How often each key of an event came."""
    calls: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How often each path was called with each key."""
    stale: int = 0
    """Events that were refused for their timestamp, as a receiver should."""
    forged: int = 0
    cut_off: int = 0
    """Requests whose connection was cut before all of them had come."""
    lock: threading.Lock = field(default_factory=threading.Lock)
    http: TcpProxy = field(default_factory=lambda: TcpProxy(0))
    smtp: TcpProxy = field(default_factory=lambda: TcpProxy(0))

    @property
    def url(self) -> str:
        return f"http://{self.http.address}"

    def take(self, headers: dict[str, str], body: bytes) -> int:
        try:
            event = Webhook(SECRET).verify(body, headers)
        except WebhookVerificationError as error:
            with self.lock:
                if "timestamp" in str(error):
                    self.stale += 1
                else:
                    self.forged += 1
            return 401
        key = headers["Idempotency-Key"]
        with self.lock:
            self.sent[key] += 1
            self.bodies.setdefault(key, set()).add(sha256(body).hexdigest())
            self.events.setdefault(key, event)
        return 204

    def call(self, path: str, key: str) -> int:
        with self.lock:
            self.calls[path, key] += 1
        return 200


def _handler(world: World) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(200, {"done": self.path.rpartition("/")[2] in world.ready})

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body, headers = self.rfile.read(length), dict(self.headers)
            if len(body) < length:  # nobody waits for an answer to half a request
                self.close_connection = True
                with world.lock:
                    world.cut_off += 1
                return
            if self.path == "/in":
                self._answer(world.take(headers, body), None)
            else:
                self._answer(world.call(self.path, headers["Idempotency-Key"]), {})

        def _answer(self, status: int, said: object) -> None:
            text = b"" if said is None else json.dumps(said).encode()
            try:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)
            except OSError:  # whoever asked is gone, or was cut off
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """Connections that are cut are what this is for."""


@contextmanager
def world() -> Iterator[World]:
    with ExitStack() as stack:
        found = World(stack.enter_context(mail_server()))
        server = _Quiet(("127.0.0.1", 0), _handler(found))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        stack.callback(server.server_close)
        stack.callback(thread.join)
        stack.callback(server.shutdown)
        found.http = stack.enter_context(proxied(server.server_port))
        found.smtp = stack.enter_context(proxied(found.mails.port))
        yield found
