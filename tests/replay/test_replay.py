"""Committed histories must replay: a change that breaks running lifecycles fails here."""

import ast
from datetime import timedelta
from importlib import import_module
from pathlib import Path

import goldens
import pytest
from fingerprint import Fingerprint, commands_file, difference, fingerprint, parts_of
from goldens import NEXT
from temporalio import workflow
from temporalio.api.enums.v1 import EventType

import workflows
from workflows import calling
from workflows.every import WORKFLOWS
from workflows.gatekeeper import Gatekeeper

HISTORIES = goldens.histories()
LATEST = [path for path in HISTORIES if NEXT in path.parents]
COMMITTED = parts_of((NEXT / goldens.COMMANDS).read_text("utf-8"))


@pytest.fixture(scope="module")
async def replayed() -> dict[Path, Fingerprint | Exception]:
    """Every history once, with what the code at hand orders, or with why it does not replay."""
    found: dict[Path, Fingerprint | Exception] = {}
    for path in HISTORIES:
        with goldens.opened(path):
            try:
                found[path] = await fingerprint(goldens.read(path))
            except Exception as error:
                found[path] = error
    return found


def short(path: Path) -> str:
    return path.relative_to(NEXT).with_suffix("").as_posix()


@pytest.mark.parametrize("path", HISTORIES, ids=goldens.name_of)
def test_replays(path: Path, replayed: dict[Path, Fingerprint | Exception]) -> None:
    found = replayed[path]
    if isinstance(found, Exception):
        raise found


@pytest.mark.parametrize("path", LATEST, ids=short)
def test_orders_what_it_did(path: Path, replayed: dict[Path, Fingerprint | Exception]) -> None:
    found = replayed[path]
    if isinstance(found, Exception):
        pytest.skip("it does not replay, which test_replays says")
    changed = difference(short(path), COMMITTED.get(short(path), ""), found.text())
    assert not changed, changed


def test_how_things_are_ordered(replayed: dict[Path, Fingerprint | Exception]) -> None:
    """Timeouts, retries, queues, what a child outlives: of these a replay says nothing."""
    latest = {short(path): replayed[path] for path in LATEST}
    good = {name: one for name, one in latest.items() if isinstance(one, Fingerprint)}
    changed = difference("what is ordered", COMMITTED[""], parts_of(commands_file(good))[""])
    assert not changed, changed
    assert set(COMMITTED) == {"", *latest}, "commands.txt is of other histories: write it anew"


# -- whether there are histories of everything ----------------------------------------------------


def test_every_handler_is_played() -> None:
    """A workflow's Updates and signals are each in a history that the code at hand wrote."""
    played = {(kind, name) for path in LATEST for kind, name in handled(path)}
    wanted = set()
    for cls in WORKFLOWS:
        known = workflow._Definition.must_from_class(cls)
        wanted |= {(str(known.name), name) for name in [*known.updates, *known.signals] if name}
    assert wanted - played == set(), "play these: tests/replay/lives.py, or PLAYED in record.py"


def handled(path: Path) -> set[tuple[str, str]]:
    """The type of a history's workflow, and what it was sent."""
    events = goldens.read(path).events
    kind = events[0].workflow_execution_started_event_attributes.workflow_type.name
    found = {(kind, "")}
    for event in events:
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
            found.add((kind, event.workflow_execution_signaled_event_attributes.signal_name))
        elif event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
            accepted = event.workflow_execution_update_accepted_event_attributes
            found.add((kind, accepted.accepted_request.input.name))
    return found


def test_every_workflow_is_played() -> None:
    played = {kind for path in LATEST for kind, _ in handled(path)}
    assert played == {str(workflow._Definition.must_from_class(cls).name) for cls in WORKFLOWS}


def test_every_patch_is_played(replayed: dict[Path, Fingerprint | Exception]) -> None:
    """What is behind a patch has a history."""
    played = {
        line
        for found in replayed.values()
        if isinstance(found, Fingerprint)
        for line in found.commands
    }
    assert {f"patch {name}: yes" for name in patches()} - played == set()


def patches() -> set[str]:
    """The names of all patches in the code."""
    found = set()
    for path in Path(workflows.__file__).parent.glob("*.py"):
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "workflow.patched":
                (name,) = call.args
                assert isinstance(name, ast.Name), "a constant says what the patch is about"
                found.add(getattr(import_module(f"workflows.{path.stem}"), name.id))
    return found


# -- that changes are caught ----------------------------------------------------------------------

KILLED = NEXT / "product-killed-1.json"


async def careless(self: Gatekeeper, *args: object, **kwargs: object) -> object:
    await workflow.sleep(1)
    return await OPEN(self, *args, **kwargs)  # type: ignore[arg-type]


async def patched(self: Gatekeeper, *args: object, **kwargs: object) -> object:
    if workflow.patched("one-more-timer"):
        await workflow.sleep(1)
    return await OPEN(self, *args, **kwargs)  # type: ignore[arg-type]


OPEN = Gatekeeper.open


async def test_a_careless_change_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """One more timer before a gate opens is enough to break running lifecycles."""
    monkeypatch.setattr(Gatekeeper, "open", careless)
    with pytest.raises(workflow.NondeterminismError):
        await fingerprint(goldens.read(KILLED))


async def test_a_change_behind_a_patch_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """It replays, and nothing else would ask for a history of the new path."""
    monkeypatch.setattr(Gatekeeper, "open", patched)
    now = (await fingerprint(goldens.read(KILLED))).text()
    found = difference("killed", COMMITTED["product-killed-1"], now)
    assert "+patch one-more-timer: no, as before it" in found
    assert "record.py" in found


async def test_another_way_to_order_the_same_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A replay does not look at how an activity is retried."""
    monkeypatch.setattr(calling.PATIENT, "maximum_interval", timedelta(hours=1))
    found = await fingerprint(goldens.read(KILLED))
    assert found.text() == COMMITTED["product-killed-1"]
    (announce,) = (line for line in found.carried if line.startswith("activity announce"))
    assert announce not in COMMITTED[""].splitlines()
    assert announce.endswith("3600 s at most")
