"""The codec of `phasegate dev`: on this machine only, for its own Temporal UI."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route

from client.codec import SealingCodec
from client.keyring import Keyring
from serving.codec import Codec, Guard
from serving.impatience import Impatient


class _Beside(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # whose process it is has its own


@asynccontextmanager
async def codec_beside(ring: Keyring, ui_port: int) -> AsyncIterator[str]:
    """Serve the codec at a free port of loopback; the address that the UI is to be told.

    It asks for no token, since the UI has none to give: whoever is on this machine and can read
    the server's data can have it decrypted. That is what `phasegate dev` is for.
    """
    guard = Guard([f"http://{host}:{ui_port}" for host in ("localhost", "127.0.0.1")], token=None)
    app = Starlette(routes=[Route("/codec/{act}", Codec(SealingCodec(ring), guard))])
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(
            app,
            http=Impatient,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=1,
        )
        server = _Beside(config)
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/codec"
        finally:
            server.should_exit = True
            await serving
