"""Record golden histories of what goes out: `python tests/replay/record_couriers.py`.

Run it after record.py, which empties the folder; it replaces only histories of its own. See
docs/architecture.md, "Replay".
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support"), str(Path(__file__).parent)]

from mailserver import mail_server  # noqa: E402
from receiver import SECRET, Request, receiving  # noqa: E402
from record import HISTORIES, anonymous  # noqa: E402
from stage import Stage  # noqa: E402

from client.dev_server import dev_server, free_port  # noqa: E402
from client.engine import Engine  # noqa: E402
from client.settings import Settings  # noqa: E402
from integrations import Integrations  # noqa: E402
from phasegate.delivery import COURIER_SWEEP, PORTFOLIO_DIGEST  # noqa: E402
from worker import build_worker  # noqa: E402

DIRECTORY = """
directory: default
people: {olga: {email: o@acme.example}, ana: {email: a@acme.example}, bo: {}, cy: {}, lea: {}}
groups: {product: {members: [ana, olga]}, eng: {members: [bo, cy]}, legal: {members: [lea]}}
"""
WANTED = "WorkflowType IN ('Courier', 'MailCourier', 'CourierSweep', 'PortfolioDigest')"


async def outgoing_life(stage: Stage, refused: list[str]) -> None:
    """A receiver that fails at first, mail to those concerned, a sweep, a letter."""

    async def failed() -> bool | None:
        return True if len(refused) >= 2 else None

    await stage.start(directory=DIRECTORY)
    await stage.becomes(phase="build")
    await stage.until(failed, "the receiver fails")
    await stage.report("done")
    await stage.gate_opens("launch")
    await stage.votes("launch", "go", "ana", "bo", "cy")
    await stage.becomes(phase="market")
    await asyncio.sleep(8)  # until couriers have nothing left
    for type, id in ((COURIER_SWEEP, "courier-sweep"), (PORTFOLIO_DIGEST, "portfolio-digest")):
        queue = stage.engine.settings.task_queue
        await stage.engine.client.execute_workflow(type, id=id, task_queue=queue)


async def main() -> None:
    os.environ["PHASEGATE_DATA_DIR"] = tempfile.mkdtemp()
    os.environ["CRM_KEY"] = SECRET
    refused: list[str] = []

    def failing(request: Request) -> tuple[int, dict[str, str]]:
        if len(refused) < 2:
            refused.append(request.id)
            return 503, {}
        return 200, {}

    async with dev_server(database=None, port=free_port(), ui_port=None) as server:
        os.environ["TEMPORAL_ADDRESS"] = server.address
        with receiving() as receiver, mail_server() as post:
            receiver.answer = failing
            integrations = Integrations.model_validate(
                {
                    "subscribers": {"crm": {"url": receiver.url, "secret": {"env": "CRM_KEY"}}},
                    "mail": {
                        "host": "127.0.0.1",
                        "port": post.port,
                        "tls": "none",
                        "sender": "gates@acme.example",
                        "gather": "1 second",
                    },
                    "digest": {"to": ["head@acme.example"]},
                }
            )
            engine = await Engine.connect(Settings.load())
            async with build_worker(engine.client, engine.settings, integrations=integrations):
                await outgoing_life(Stage(engine, "outgoing"), refused)
                await asyncio.sleep(2)  # for visibility to see the last ones close
                counts: dict[str, int] = {}
                executions = [e async for e in engine.client.list_workflows(WANTED)]
                for execution in sorted(executions, key=lambda e: e.start_time):
                    handle = engine.client.get_workflow_handle(
                        execution.id, run_id=execution.run_id
                    )
                    name = execution.id.replace("/", "-")
                    counts[name] = counts.get(name, 0) + 1
                    text = (await handle.fetch_history()).to_json()
                    (HISTORIES / f"{name}-{counts[name]}.json").write_text(anonymous(text) + "\n")
    print(f"{sum(counts.values())} histories in {HISTORIES}")


if __name__ == "__main__":
    asyncio.run(main())
