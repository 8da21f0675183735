"""scripts/replay_running.py, as it is run before a release: on a server with running lifecycles."""

import asyncio
import os
import sys
from pathlib import Path

from stage import Stage

from client.dev_server import DevServer
from client.engine import Engine

ROOT = Path(__file__).parents[2]
CARELESS = """
import asyncio, sys
sys.path[:0] = [{root!r}, {scripts!r}]
from temporalio import workflow
from workflows.gatekeeper import Gatekeeper
open = Gatekeeper.open
async def careless(self, *args, **kwargs):
    await workflow.sleep(1)
    return await open(self, *args, **kwargs)
Gatekeeper.open = careless
import replay_running
replay_running.leave(asyncio.run(replay_running.main()))
"""


async def run(server: DevServer, *command: str) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *command,
        env={**os.environ, "TEMPORAL_ADDRESS": server.address},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


async def test_what_runs_is_replayed(engine: Engine, server: DevServer, tmp_path: Path) -> None:
    """By the code as it is, all is well; one more timer is told of, and the history kept."""
    stage = Stage(engine, "still-running")
    await stage.start()
    await stage.becomes(phase="build")
    await stage.submit()
    await stage.gate_opens("launch")
    await stage.at_rest()
    query = ["--query", "PhasegateProduct = 'still-running' AND ExecutionStatus = 'Running'"]
    script = str(ROOT / "scripts" / "replay_running.py")

    async def listed() -> bool | None:
        return True if (await engine.client.count_workflows(query[1])).count == 2 else None

    await stage.until(listed, "visibility has the product and its gate")
    code, out, err = await run(server, script, *query)
    assert (code, out) == (0, ""), err
    assert "replayed, 0 of them do not replay" in err
    assert "left out" not in err
    _, _, err = await run(server, script, *query, "--limit", "1")
    assert "1 replayed" in err
    assert "left out by --limit" in err
    code, _, err = await run(server, script, "--query", "PhasegateProduct = 'nosuch'")
    assert (code, "NOTHING WAS REPLAYED" in err) == (3, True)
    code, _, err = await run(server, script, "--query", "Nonsense ==")
    assert (code, "Traceback" in err) == (2, False)
    assert err.splitlines()[0] == "--query 'Nonsense ==' cannot be used"
    assert "hint: temporal workflow count --query 'Nonsense =='" in err
    careless = CARELESS.format(root=str(ROOT), scripts=str(ROOT / "scripts"))
    kept = tmp_path / "kept"
    code, out, err = await run(server, "-c", careless, *query, "--keep", str(kept))
    assert code == 1, err
    assert out.startswith("product/still-running (run ")
    assert "Nondeterminism" in out
    assert [path.name.startswith("product-still-running-") for path in kept.iterdir()] == [True]
    assert "1 of them do not replay" in err
    await stage.owner("cancel")


async def test_no_server_is_one_sentence() -> None:
    script = str(ROOT / "scripts" / "replay_running.py")
    nowhere = DevServer("127.0.0.1:1", "", None)  # type: ignore[arg-type]
    code, _, err = await run(nowhere, script)
    assert code == 1
    assert "hint: " in err
    assert "Traceback" not in err
