"""Extensions: the example package, installed as anybody would; and checks that misbehave."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from acting import order_of
from temporalio.testing import ActivityEnvironment

from activities import extensions, milestones
from phasegate.extending import CheckQuery, cannot_tell
from phasegate.ports import Finding, MilestoneFinding, MilestoneQuery
from phasegate.sunset_ports import ActOrder, ActResult

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "tests" / "example_extension"

ASK = """
import asyncio, sys
from temporalio.testing import ActivityEnvironment
from activities.milestones import check_milestone
from phasegate.ports import MilestoneQuery

query = MilestoneQuery.model_validate_json(sys.argv[1])
found = asyncio.run(ActivityEnvironment().run(check_milestone, query))
print(found.model_dump_json())
"""


DO = """
import asyncio, sys
from acting import Acting
from ledger import Ledger
from phasegate.sunset_ports import ActOrder

order = ActOrder.model_validate_json(sys.argv[2])
print(asyncio.run(Acting(Ledger(sys.argv[1])).carry_out(order)).model_dump_json())
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that pip has installed the example into, beside what phasegate brings itself."""
    folder = tmp_path_factory.mktemp("extension")
    copy = shutil.copytree(EXAMPLE, folder / "source")  # builds leave files behind
    target = folder / "packages"
    offline = ("--no-index", "--no-build-isolation", "--no-deps", "--quiet")
    command = [sys.executable, "-m", "pip", "install", *offline, "--target", str(target), str(copy)]
    subprocess.run(command, check=True, timeout=180)
    return target


def query_of(name: str, known: Finding = Finding.met, **options: Any) -> MilestoneQuery:
    check = {"kind": "custom", "name": name, "options": options}
    return MilestoneQuery.model_validate(
        {"product": "kettle", "milestone": "done", "check": check, "known": known}
    )


def asked(packages: Path, query: MilestoneQuery) -> MilestoneFinding:
    """What the activity finds in a process of its own that has these packages."""
    path = os.pathsep.join((str(packages), str(ROOT)))
    done = subprocess.run(
        [sys.executable, "-c", ASK, query.model_dump_json()],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
        timeout=180,
    )
    return MilestoneFinding.model_validate_json(done.stdout.splitlines()[-1])


def test_the_example_is_installed_and_asked(installed: Path, tmp_path: Path) -> None:
    report = tmp_path / "kettle.json"
    query = query_of("error-budget", report=str(report), left=0.25)
    found = asked(installed, query)
    assert found.finding is Finding.cannot_tell
    assert "error-budget: the report of kettle is not there: No such file" in found.why
    report.write_text(json.dumps({"error_budget_left": 0.1}))
    found = asked(installed, query)
    assert found.finding is Finding.not_met
    assert found.why == "error-budget: 10% of the error budget of kettle is left, 25% is wanted"
    report.write_text(json.dumps({"error_budget_left": 0.3}))
    assert (
        asked(
            installed, query_of("error-budget", Finding.not_met, report=str(report), left=0.25)
        ).finding
        is Finding.met
    )
    report.write_text("no report")
    found = asked(installed, query)
    assert found.finding is Finding.cannot_tell
    assert found.why == (
        "extension error-budget failed: JSONDecodeError; the worker's log says more"
    )


def carried_out(packages: Path, ledger: Path, order: ActOrder) -> ActResult:
    """What becomes of an act in a process of its own that has these packages."""
    path = os.pathsep.join((str(packages), str(ROOT), str(ROOT / "tests" / "support")))
    done = subprocess.run(
        [sys.executable, "-c", DO, f"sqlite:///{ledger}", order.model_dump_json()],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
        timeout=180,
    )
    return ActResult.model_validate_json(done.stdout.splitlines()[-1])


def test_the_example_is_installed_and_carries_out_its_task(installed: Path, tmp_path: Path) -> None:
    tenants = tmp_path / "atlas"
    act = {
        "kind": "custom",
        "name": "close-tenants",
        "options": {"folder": f"{tmp_path}/{{product}}"},
    }
    tenants.mkdir()
    for name in ("ana", "bo"):
        (tenants / f"{name}.open").touch()
    found = carried_out(installed, tmp_path / "ledger.db", order_of(act, effect="irreversible"))
    assert found.state == "done"
    assert found.proof is not None
    assert found.proof.text == "close-tenants: 2 tenants are closed"
    assert found.proof.data == {"tenants": 2}
    assert sorted(file.name for file in tenants.iterdir()) == ["ana.closed", "bo.closed"]
    found = carried_out(installed, tmp_path / "ledger.db", order_of(act, key="close/undo"))
    assert found.proof is not None
    assert found.proof.text == "close-tenants: 2 tenants are open again"


MODULE = """
import asyncio, sys, threading
from phasegate.extending import CheckAnswer, Finding, met, not_met

free, ended = threading.Event(), []

async def good(query): return met(f"{query.product}/{query.milestone}\\n\\x1b[31m {'x' * 999}")
async def silent(query): return not_met("")
async def raises(query): raise RuntimeError("the token is s3cr3t")
async def leaves(query): sys.exit(3)
async def cancels(query): raise asyncio.CancelledError
async def sleeps(query): await asyncio.sleep(60); ended.append(query)
async def blocks(query): free.wait(60); ended.append(query); return met("late")
async def truth(query): return True
def sync(query): return met("at once")
async def few(): return met("no question")
"""


@pytest.fixture
def strangers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of checks of every kind, as pip leaves it behind."""
    install(tmp_path, "strangers", MODULE)
    install(tmp_path, "broken", "raise SystemExit(1)\n", crash="broken:check")
    install(tmp_path, "absent", "", gone="absent:nothing")
    install(tmp_path, "second", MODULE, twice="strangers:good")
    install(tmp_path, "third", MODULE, twice="third:good")
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def install(folder: Path, name: str, module: str, **entries: str) -> None:
    (folder / f"{name}.py").write_text(textwrap.dedent(module))
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    words = [
        line.split()[2].partition("(")[0] for line in module.splitlines() if "async def" in line
    ]
    known = entries or {**{word: f"{name}:{word}" for word in words}, "sync": f"{name}:sync"}
    lines = "".join(f"{entry} = {place}\n" for entry, place in known.items())
    (info / "entry_points.txt").write_text(f"[phasegate.checks]\n{lines}")


async def here(name: str, known: Finding = Finding.met) -> MilestoneFinding:
    found: MilestoneFinding = await ActivityEnvironment().run(
        milestones.check_milestone, query_of(name, known)
    )
    return found


async def test_a_reason_is_one_bounded_line(strangers: Path) -> None:
    found = await here("good", Finding.not_met)
    assert found.finding is Finding.met
    assert found.why.startswith("good: kettle/done [31m xxx")
    assert len(found.why) < 520
    assert (await here("silent")).why == "silent gives no reason"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("raises", "extension raises failed: RuntimeError; the worker's log says more"),
        ("leaves", "extension leaves failed: SystemExit; the worker's log says more"),
        ("cancels", "extension cancels failed: CancelledError; the worker's log says more"),
        ("truth", "extension truth answered bool, no CheckAnswer"),
        ("sync", "extension sync is no async function (strangers:sync)"),
        ("few", "extension few failed: TypeError; the worker's log says more"),
        ("crash", "extension crash cannot be loaded: SystemExit; the worker's log says more"),
        ("gone", "extension gone cannot be loaded: AttributeError; the worker's log says more"),
        ("twice", "several extensions are called twice: strangers:good and third:good; uninstall"),
    ],
)
async def test_an_extension_that_misbehaves_cannot_tell(
    strangers: Path, name: str, why: str
) -> None:
    found = await here(name)
    assert found.finding is Finding.cannot_tell
    assert found.why.startswith(why)
    assert "s3cr3t" not in found.why


@pytest.mark.parametrize("name", ["sleeps", "blocks"])
async def test_an_extension_that_hangs_holds_up_nobody(
    strangers: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(extensions, "SECONDS", 0.2)
    hung = import_module("strangers")
    hung.free.clear()
    try:
        found = await here(name)
        assert hung.ended == []
    finally:
        hung.free.set()
    assert found.finding is Finding.cannot_tell
    assert "gave no answer in 0.2 s" in found.why or "failed: TimeoutError" in found.why


async def test_a_name_that_is_not_installed_says_which_are(strangers: Path) -> None:
    found = await here("tickets")
    assert found.finding is Finding.cannot_tell
    assert found.why.startswith("no extension tickets is installed on the worker; installed: ")
    assert "good, leaves" in found.why


async def test_without_any_extension() -> None:
    assert (await here("tickets")).why.endswith("installed: none")


def test_authors_may_say_that_they_cannot_tell() -> None:
    assert cannot_tell("down").finding is Finding.cannot_tell
    assert CheckQuery(product="a", milestone="b").options == {}
