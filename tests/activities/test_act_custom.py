"""Acts by extension: they say what became of them, and what they do not say is unknown."""

from __future__ import annotations

import asyncio
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from acting import KEY, Acting, order_of
from temporalio.exceptions import ApplicationError

from activities import act_custom
from ledger import Ledger
from phasegate.sunset_ports import ActOrder

MODULE = """
import asyncio, sys, time
from phasegate.extending import TaskDone, TaskNotDone, TaskUnknown

calls = []

async def good(order):
    calls.append(order)
    return TaskDone(f"{order.task}\\n of {order.product}", "sha256:ab", {"tenants": 3})

async def odd(order): return TaskDone("done", data={"Not a name": 1})
async def much(order): return TaskDone("done", data={f"n{n}": n for n in range(51)})
async def refuses(order): return TaskNotDone("the system is\\n down")
async def wonders(order): return TaskUnknown("the line was cut")
async def raises(order): raise RuntimeError("the token is s3cr3t")
async def leaves(order): sys.exit(3)
async def cancels(order): raise asyncio.CancelledError
async def lasts(order):
    calls.append("begun")
    await asyncio.sleep(3)
    calls.append("ended")
async def sleeps(order): await asyncio.sleep(60)
async def blocks(order): time.sleep(1); return TaskDone("late")
async def truth(order): return True
async def few(): return TaskDone("no order")
def sync(order): return TaskDone("at once")

class Tenants:
    said = TaskUnknown("the line was cut")
    async def carry_out(self, order):
        calls.append(order)
        return self.said
    async def probe(self, order):
        return self.probed
    async def undo(self, order):
        return TaskDone("open again")

class NoUndo:
    async def carry_out(self, order):
        return TaskDone("done")

tenants = Tenants()
no_undo = NoUndo()
"""


@pytest.fixture
def acting(ledger: Ledger) -> Acting:
    return Acting(ledger)


def install(folder: Path, name: str, module: str, **entries: str) -> None:
    (folder / f"{name}.py").write_text(textwrap.dedent(module))
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = "".join(f"{entry.replace('_', '-')} = {at}\n" for entry, at in entries.items())
    (info / "entry_points.txt").write_text(f"[phasegate.tasks]\n{lines}")


@pytest.fixture
def strangers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A package of tasks of every kind, as pip leaves it behind; its module."""
    names = [
        line.split()[2].partition("(")[0]
        for line in MODULE.splitlines()
        if line.startswith("async def")
    ]
    entries = {name: f"task_strangers:{name}" for name in [*names, "sync", "tenants", "no_undo"]}
    install(tmp_path, "task_strangers", MODULE, **entries)
    install(tmp_path, "task_broken", "raise SystemExit(1)\n", crash="task_broken:task")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "task_strangers", raising=False)
    import task_strangers  # type: ignore[import-not-found]

    return task_strangers


def custom(name: str, effect: str = "deletion", key: str = KEY, **options: Any) -> ActOrder:
    act = {"kind": "custom", "name": name, "options": options}
    return order_of(act, effect=effect, key=key, sunset=2, values={"tenant": "eu-1"})


async def test_what_it_gets_and_what_it_gives(strangers: Any, acting: Acting) -> None:
    proof = await acting.done(custom("good", of=["{tenant}", {"a": "{product}!"}], n=3, b=True))
    assert (proof.text, proof.digest) == ("good: delete-data of atlas", "sha256:ab")
    assert proof.data == {"tenants": 3}
    (order,) = strangers.calls
    assert (order.product, order.sunset, order.task, order.key) == ("atlas", 2, "delete-data", KEY)
    assert order.options == {"of": ["eu-1", {"a": "atlas!"}], "n": 3, "b": True}
    assert order.values == {"tenant": "eu-1"}


@pytest.mark.parametrize("name", ["odd", "much"])
async def test_facts_that_are_none_leave_it_done(strangers: Any, acting: Acting, name: str) -> None:
    proof = await acting.done(custom(name))
    assert proof.text == f"{name}: done; what it gave for facts are none"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("refuses", "the system is down"),
        ("absent", "no extension absent is installed on the worker; installed: "),
        ("crash", "extension crash cannot be loaded: SystemExit"),
        ("sync", "extension sync has no async carry_out"),
    ],
)
async def test_what_is_certain_not_to_have_happened_is_tried_again(
    strangers: Any, acting: Acting, name: str, why: str
) -> None:
    error = await acting.failed(custom(name))
    assert why in error.message


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("wonders", "the line was cut"),
        ("raises", "RuntimeError"),
        ("leaves", "SystemExit"),
        ("cancels", "CancelledError"),
        ("truth", "it answered bool, no TaskDone, TaskNotDone or TaskUnknown"),
        ("few", "TypeError"),
    ],
)
async def test_whatever_else_it_does_is_unknown(
    strangers: Any, acting: Acting, name: str, why: str
) -> None:
    result = await acting.carry_out(custom(name))
    assert result.state == "unknown"
    assert why in result.why
    assert "s3cr3t" not in result.why
    again = await acting.failed(custom(name, "reversible"))
    assert again.type == "extension-failed"
    assert "with the same key" in again.message


@pytest.mark.parametrize("name", ["sleeps", "blocks"])
async def test_one_that_hangs_holds_up_nobody(
    strangers: Any, acting: Acting, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(act_custom, "SECONDS", 0.2)
    assert (await acting.carry_out(custom(name))).state == "unknown"


async def test_its_own_probe_finds_out(
    strangers: Any, acting: Acting, monkeypatch: pytest.MonkeyPatch
) -> None:
    from phasegate.extending import TaskDone, TaskNotDone, TaskUnknown

    strangers.Tenants.probed = TaskNotDone("three are open")
    error = await acting.failed(custom("tenants"))
    assert error.next_retry_delay == act_custom.OVER
    later = timedelta(minutes=11)
    assert "three are open" in (await acting.failed(custom("tenants"), later)).message
    strangers.Tenants.probed = TaskUnknown("who knows")
    await acting.failed(custom("tenants"), later)
    assert len(strangers.calls) == 2
    result = await acting.carry_out(custom("tenants"), 2 * later)
    assert (result.state, "who knows" in result.why) == ("unknown", True)
    strangers.Tenants.probed = TaskDone("all are closed", data={"tenants": 3})
    assert (await acting.done(custom("tenants"), 2 * later)).data == {"tenants": 3}
    assert len(strangers.calls) == 2


async def test_undoing_calls_undo(strangers: Any, acting: Acting) -> None:
    undo = KEY + "/undo"
    proof = await acting.done(custom("tenants", "reversible", undo))
    assert proof.text == "tenants: open again"
    assert strangers.calls == []
    # A function that an undo names is called for it; an object has to know how.
    assert (await acting.done(custom("good", "reversible", undo))).data == {"tenants": 3}
    error = await acting.failed(custom("no-undo", "reversible", undo))
    assert "extension no-undo has no async undo" in error.message
    await acting.done(custom("no-undo"))


async def test_what_cannot_be_asked_of_an_extension(
    strangers: Any, acting: Acting, monkeypatch: pytest.MonkeyPatch
) -> None:
    undo = KEY + "/undo"
    monkeypatch.setattr(strangers.Tenants, "undo", strangers.wonders.__get__(strangers.tenants))
    assert (await acting.carry_out(custom("tenants", "irreversible", undo))).state == "unknown"
    assert (await acting.carry_out(custom("wonders", of="no probe"))).state == "unknown"


async def test_an_extension_that_was_uninstalled_meanwhile(
    strangers: Any, acting: Acting, tmp_path: Path
) -> None:
    from phasegate.extending import TaskUnknown

    strangers.Tenants.probed = TaskUnknown("who knows")
    await acting.failed(custom("tenants"))
    (tmp_path / "task_strangers-1.0.dist-info" / "entry_points.txt").write_text("")
    minutes = timedelta(minutes=11)
    error = await acting.failed(custom("tenants"), minutes)
    assert "no extension tenants is installed" in error.message
    result = await acting.carry_out(custom("tenants"), timedelta(minutes=15))
    assert result.state == "unknown"
    assert len(strangers.calls) == 1


async def test_an_import_that_hangs_holds_up_no_probe(
    strangers: Any, acting: Acting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from phasegate.extending import TaskUnknown

    strangers.Tenants.probed = TaskUnknown("who knows")
    await acting.failed(custom("tenants"))
    slow = "import time\ntime.sleep(1)\n"
    install(tmp_path, "task_hangs", slow, tenants="task_hangs:task")
    (tmp_path / "task_strangers-1.0.dist-info" / "entry_points.txt").write_text("")
    monkeypatch.setattr(act_custom, "LOAD_SECONDS", 0.1)
    error = await acting.failed(custom("tenants"), timedelta(minutes=11))
    assert "cannot be loaded in 0.1 s" in error.message


async def test_who_waits_for_a_thread_has_no_more_time_for_it(
    strangers: Any, acting: Acting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(act_custom, "SECONDS", 2.5)
    monkeypatch.setattr(act_custom, "_THREADS", ThreadPoolExecutor(1))
    act_custom._THREADS.submit(time.sleep, 0.5)
    asked = asyncio.create_task(acting.carry_out(custom("lasts", "reversible")))
    with pytest.raises(ApplicationError):
        await asked
    await asyncio.sleep(1.5)
    assert strangers.calls == ["begun"]


async def test_options_that_cannot_be_filled_and_imports_that_hang(
    strangers: Any, acting: Acting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = await acting.failed(custom("good", where="{region}"))
    assert "there is no value for {region}" in error.message
    install(tmp_path, "task_slow", "import time\ntime.sleep(1)\n", slow="task_slow:task")
    monkeypatch.setattr(act_custom, "LOAD_SECONDS", 0.1)
    assert "cannot be loaded in 0.1 s" in (await acting.failed(custom("slow"))).message
    assert strangers.calls == []
