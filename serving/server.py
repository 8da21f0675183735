"""The HTTP server around it: sockets, signals, and an end that lets what runs finish."""

from __future__ import annotations

import asyncio
import errno
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
import uvicorn

from client.codec import SealingCodec
from client.keyring import FILE, load_keyring
from client.listening import Address
from client.runtime import expose_metrics
from client.tracing import start_tracing, warn_of_tracing
from integrations.document import Integrations
from integrations.loading import VARIABLE, load_integrations
from phasegate.errors import EngineError
from serving.app import build_app
from serving.codec import Codec, Guard
from serving.impatience import Impatient
from serving.link import Link

GRACE = 20
"""Seconds in which running requests may finish after SIGTERM; each is bounded by less, but for
large feeds of customers: one that is cut off is sent again, and changes nothing twice."""

LEAD = 1.0
"""Seconds in which it says that it is not ready, and still answers, before it stops listening."""

CONNECTIONS = 500
"""Open at the same time; what is beyond is turned away before it is read."""

log = structlog.get_logger("serving")


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Ours are set below: uvicorn raises them again when it is done, which ends us by one."""
        yield


async def serve(host: str, port: int, metrics: Address | None = None) -> None:
    """Serve until SIGTERM or SIGINT. Raises EngineError where there is nothing, or nowhere, to."""
    if metrics:
        expose_metrics(metrics)
    start_tracing("phasegate-serve")
    warn_of_tracing()
    found = load_integrations()
    if not (found.sources or found.feeds or found.codec):
        raise EngineError(
            "there is nothing to serve",
            f"no sources, no feeds and no codec are named in the file that {VARIABLE} names",
            "phasegate serve --help  # docs/integrations.md says how a source is written",
        )
    codec = _codec(found)
    listening, link = _listen(host, port), Link()
    server = _Server(
        uvicorn.Config(
            build_app(found.sources, found.feeds, link, codec),
            http=Impatient,
            ws="none",
            lifespan="off",
            log_config=None,  # ours: JSON, and no line for each request with its query
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=CONNECTIONS,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=GRACE,
        )
    )
    loop = asyncio.get_running_loop()

    def leave() -> None:
        link.leaving = True
        loop.call_later(LEAD, setattr, server, "should_exit", True)

    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, leave)
    at, number = listening.getsockname()[:2]
    url = f"http://[{at}]:{number}" if ":" in at else f"http://{at}:{number}"
    log.info("serving", url=url, sources=sorted(found.sources), feeds=sorted(found.feeds))
    try:
        await server.serve(sockets=[listening])
    finally:
        listening.close()
    log.info("serve stopped")


def _codec(found: Integrations) -> Codec | None:
    """The codec for the Temporal UI, if one is asked for. Raises EngineError."""
    ring = load_keyring()  # one that is at fault is told now, and not with the first event
    if found.codec is None:
        return None
    if ring is None:
        raise EngineError(
            "the codec cannot be served",
            "the integrations file asks for it, and confidential mode is off",
            f"set {FILE}, or leave codec out of the integrations file",
        )
    return Codec(SealingCodec(ring), Guard([found.codec.origin], found.codec.token))


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=512)
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        raise EngineError(
            f"cannot listen at {host}:{port}",
            "something else does" if taken else error.strerror or str(error),
            f"phasegate serve --port {port + 1 if 0 < port < 65535 else 8601}"
            if taken
            else "phasegate serve --help",
        ) from error
