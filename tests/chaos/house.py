"""A whole installation whose every part can be killed: server, workers, ledger, network, world."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from receiver import SECRET
from tcp_proxy import TcpProxy, proxied

from client.connection import connect
from client.dev_server import DevServer, dev_server, free_port
from client.engine import Engine
from client.settings import Settings
from ledger import Ledger
from tests.chaos.crew import Slot
from tests.chaos.disk import Store, store
from tests.chaos.world import World, world

MAIL = """
mail: {host: 127.0.0.1, port: PORT, tls: none, sender: gates@phasegate.example, gather: PT1S}
subscribers:
  crm: {url: "URL/in", secret: {env: CRM_KEY}, start: beginning}
"""
DISK = 48 * 1024 * 1024
PER_LIFE = 1024 * 1024


class TemporalServer:
    """A development server that is killed, and started again on the same database."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._stack = folder, AsyncExitStack()
        self._server: DevServer | None = None
        self.proxy: TcpProxy | None = None

    async def start(self) -> int:
        """Its port, another one each time: its old one may have been taken meanwhile."""
        port = free_port()
        self._server = await self._stack.enter_async_context(
            dev_server(
                database=self._folder / "temporal.db",
                port=port,
                ui_port=None,
                log=self._folder / "server.log",
            )
        )
        if self.proxy:
            self.proxy.upstream = port
        return port

    async def kill(self) -> None:
        assert self._server is not None
        self._server.process.kill()
        await self._server.process.wait()
        await self._stack.aclose()

    async def stop(self) -> None:
        await self._stack.aclose()


@dataclass
class House:
    folder: Path
    world: World
    store: Store
    server: TemporalServer
    proxy: TcpProxy
    """Between everybody and the Temporal server."""
    engines: list[Engine] = field(default_factory=list)
    crew: list[Slot] = field(default_factory=list)

    def pids(self) -> Iterable[int]:
        return [slot.pid for slot in self.crew if slot.pid is not None]

    def settings(self) -> Settings:
        return Settings(self.folder, self.store.url, "phasegate", "http://localhost:1")

    def environment(self) -> dict[str, str]:
        return {
            "TEMPORAL_ADDRESS": self.proxy.address,
            "PHASEGATE_DATA_DIR": str(self.folder),
            "PHASEGATE_LEDGER": self.store.url,
            "PHASEGATE_INTEGRATIONS": str(self.folder / "integrations.yaml"),
            "PHASEGATE_ALLOW_ADDRESSES": "127.0.0.0/8",
            "CRM_KEY": SECRET,
        }

    def direct(self) -> str:
        """The server's own address, past the proxy."""
        return f"127.0.0.1:{self.proxy.upstream}"


@asynccontextmanager
async def house(
    folder: Path, *, kind: str = "sqlite", workers: int = 3, clients: int = 4, lives: int = 10
) -> AsyncIterator[House]:
    """An installation that works when the block begins, and is gone when it ends."""
    async with AsyncExitStack() as stack:
        around = stack.enter_context(world())
        found: list[House] = []
        place = stack.enter_context(
            store(
                kind,
                folder,
                lambda: [pid for home in found for pid in home.pids()],
                DISK + lives * PER_LIFE,
            )
        )
        server = TemporalServer(folder)
        stack.push_async_callback(server.stop)
        proxy = stack.enter_context(proxied(await server.start()))
        server.proxy = proxy
        home = House(folder, around, place, server, proxy)
        found.append(home)
        (folder / "integrations.yaml").write_text(
            MAIL.replace("PORT", str(around.smtp.port)).replace("URL", around.url)
        )
        for _ in range(clients):
            client = await connect(proxy.address, to="phasegate")
            engine = Engine(client, Ledger(place.url), home.settings())
            stack.callback(engine.ledger.close)
            home.engines.append(engine)
        for number in range(workers):
            slot = Slot(number, folder, home.environment())
            stack.push_async_callback(slot.stop)
            slot.start()
            home.crew.append(slot)
        for slot in home.crew:
            await slot.works()
        yield home
