"""Golden histories: `python tests/replay/record.py [record|commands|freeze VERSION]`.

`record` (the default; about ten minutes) plays every path with the code at hand and writes
histories/next and tests/states/next anew. `commands` writes histories/next/commands.txt anew, from
the histories that are there: for a change that replays, and is meant to order the same things
otherwise. `freeze` is a step of a release: what the release writes gets folders of its own, which
are never written again.

See docs/changing-workflows.md.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

BASE = Path(__file__).parents[2]
sys.path[:0] = [str(BASE), str(BASE / "tests" / "support"), str(Path(__file__).parent)]
sys.path.insert(0, str(BASE / "tests" / "states"))

import goldens  # noqa: E402
import lives  # noqa: E402
from fingerprint import commands_file, fingerprint  # noqa: E402
from goldens import NEXT, ROOT, SEALED  # noqa: E402
from leaving import Leaving  # noqa: E402
from life import Life  # noqa: E402
from outgoing import OUTWARDS, outgoing_life, receivers  # noqa: E402
from past_states import documents_of  # noqa: E402
from picking import Way, pick, ways  # noqa: E402
from receiver import SECRET  # noqa: E402
from saving import save  # noqa: E402
from stage import Stage  # noqa: E402
from write import write as write_states  # noqa: E402

from client.dev_server import dev_server, free_port  # noqa: E402
from client.engine import Engine  # noqa: E402
from client.keyring import FILE, Keyring, write_keyring  # noqa: E402
from client.settings import Settings  # noqa: E402
from phasegate.pseudonyms import PLAIN, use  # noqa: E402
from worker import build_worker  # noqa: E402

EAGERLY = ("--dynamic-config-value", "limit.historyCount.suggestContinueAsNew=20")
SETTLING = 3
"""Seconds for visibility to see the last ones close."""

Rows = list[dict[str, str]]

PLAYED = (
    "back_in_market committee continue_as_new corners customers_in dependencies ending_late "
    "endings events_in holding malformed outcomes product_life rejoining sunset_abort sunset_acts "
    "migration sunset_course sunset_renewed trackers votes"
)
"""Tests of tests/workflows that play more paths. Of what they leave, those histories are kept that
go a way through workflows/ that no other goes."""


async def play(folder: Path) -> Rows:
    """Most lives of lives.py; what they published."""
    async with dev_server(database=None, port=free_port(), ui_port=None) as server:
        os.environ["TEMPORAL_ADDRESS"] = server.address
        engine = await Engine.connect(Settings.load())
        async with build_worker(engine.client, engine.settings):
            await lives.whole_life(Stage(engine, "whole"))
            await lives.reviewed_life(Stage(engine, "reviewed"))
            await lives.short_life(Stage(engine, "short"))
            await lives.killed_life(Stage(engine, "killed"))
            await lives.committee_life(Stage(engine, "committee"))
            await lives.changing_life(Life(engine, "changing"))
            await lives.second_life(Life(engine, "second"))
            await lives.told_life(Stage(engine, "told"))
            await lives.returning_life(Leaving(engine, "returning"))
            await lives.renewed_life(Leaving(engine, "renewed"))
            await lives.signed_life(Stage(engine, "signed"), Path(tempfile.mkdtemp()))
            await asyncio.sleep(SETTLING)
        await save(engine.client, folder)
        return documents_of(engine.ledger)


async def play_eagerly(folder: Path) -> Rows:
    """Those that need a server that often suggests a fresh history; what they published."""
    async with dev_server(database=None, port=free_port(), ui_port=None, options=EAGERLY) as server:
        os.environ["TEMPORAL_ADDRESS"] = server.address
        engine = await Engine.connect(Settings.load())
        async with build_worker(engine.client, engine.settings):
            await lives.many_runs(Stage(engine, "many-runs"))
            await lives.lost_life(Stage(engine, "lost"))
            await asyncio.sleep(SETTLING)
        await save(engine.client, folder)
        return documents_of(engine.ledger)


async def play_outgoing(folder: Path) -> Rows:
    os.environ["CRM_KEY"] = SECRET
    os.environ["PHASEGATE_ALLOW_ADDRESSES"] = "127.0.0.0/8"
    refused: list[str] = []
    async with dev_server(database=None, port=free_port(), ui_port=None) as server:
        os.environ["TEMPORAL_ADDRESS"] = server.address
        with receivers(refused) as integrations:
            engine = await Engine.connect(Settings.load())
            async with build_worker(engine.client, engine.settings, integrations=integrations):
                await outgoing_life(Stage(engine, "outgoing"), refused)
                await asyncio.sleep(SETTLING)
        await save(engine.client, folder, query=OUTWARDS)
    return []


async def play_sealed(folder: Path) -> None:
    ring = folder / "ring.json"
    write_keyring(ring, Keyring.new("golden"), new=True)
    async with dev_server(database=None, port=free_port(), ui_port=None) as server:
        os.environ["TEMPORAL_ADDRESS"], os.environ[FILE] = server.address, str(ring)
        try:
            engine = await Engine.connect(Settings.load())
            async with build_worker(engine.client, engine.settings):
                await lives.sealed_life(Stage(engine, "sealed"))
                await asyncio.sleep(SETTLING)
            await save(engine.client, folder)
        finally:
            del os.environ[FILE]
            use(PLAIN)


def play_tests(folder: Path) -> None:
    """Whatever tests leave; a test that fails has played its path, too, and is told of."""
    there = [f"tests/workflows/test_{name}.py" for name in PLAYED.split()]
    here = str(Path(__file__).parent)
    env = {**os.environ, "PHASEGATE_KEEP": str(folder), "PYTHONPATH": here}
    for name in ("TEMPORAL_ADDRESS", "PHASEGATE_DATA_DIR", "CRM_KEY"):
        env.pop(name, None)
    pytest = [sys.executable, "-m", "pytest", "-p", "keeping", "-n", "0", "-q", *there]
    subprocess.run(pytest, cwd=BASE, env=env, check=False)


async def record(left: Path | None = None) -> None:
    fresh = Path(tempfile.mkdtemp())
    for name in ("plain", "eager", "out", SEALED, "tests"):
        (fresh / name).mkdir()
    rows: Rows = []
    for folder, playing in (("plain", play), ("eager", play_eagerly), ("out", play_outgoing)):
        os.environ["PHASEGATE_DATA_DIR"] = tempfile.mkdtemp()
        rows += await playing(fresh / folder)
    os.environ["PHASEGATE_DATA_DIR"] = tempfile.mkdtemp()
    await play_sealed(fresh / SEALED)
    if left is None:
        play_tests(fresh / "tests")
    base = goldens.histories(fresh / "plain") + goldens.histories(fresh / "out")
    gone: set[Way] = set().union(*(await ways(base)).values())
    more = goldens.histories(fresh / "eager") + goldens.histories(left or fresh / "tests")
    picked = pick(await ways(more), gone)
    shutil.rmtree(NEXT, ignore_errors=True)
    shutil.copytree(fresh / SEALED, NEXT / SEALED)
    for path in [*base, *picked]:
        kept = NEXT / path.name.lstrip("0123456789-")
        while kept.exists():  # another server had a product of this key, too
            kept = kept.with_stem(f"{kept.stem}x")
        shutil.copy(path, kept)
    await write_commands()
    write_states(list({row["digest"]: row for row in rows}.values()))


async def write_commands() -> None:
    found = {}
    for path in goldens.histories(NEXT):
        with goldens.opened(path):
            found[path.relative_to(NEXT).with_suffix("").as_posix()] = await fingerprint(
                goldens.read(path)
            )
    (NEXT / goldens.COMMANDS).write_text(commands_file(found), "utf-8")
    size = sum(path.stat().st_size for path in ROOT.rglob("*") if path.is_file())
    print(f"{len(found)} histories in {NEXT}; {size / 1e6:.1f} MB in all folders")


def freeze(version: str) -> None:
    """Histories and states of `next` become those of this release."""
    for folder in (ROOT, BASE / "tests" / "states"):
        if (folder / version).exists():
            raise SystemExit(f"{folder / version} is there: what a release wrote never changes")
        shutil.copytree(folder / "next", folder / version)
    (ROOT / version / goldens.COMMANDS).unlink()
    print(f"git add tests/replay/histories/{version} tests/states/{version}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    what = parser.add_subparsers(dest="what")
    playing = what.add_parser("record", help="play every path anew (the default)")
    playing.add_argument("--left", type=Path, help="what the tests left, if they ran already")
    what.add_parser("commands", help="write commands.txt anew")
    what.add_parser("freeze", help="a step of a release").add_argument("version")
    given = parser.parse_args()
    if given.what == "freeze":
        freeze(given.version)
    else:
        again = given.what == "commands"
        asyncio.run(write_commands() if again else record(getattr(given, "left", None)))


if __name__ == "__main__":
    main()
