"""Workflows stay in step with their histories, whatever the SDK makes of their tasks."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from stage import WAIT
from temporalio import activity, workflow
from temporalio.api.enums.v1 import EventType
from temporalio.bridge.proto.workflow_activation import WorkflowActivation, WorkflowActivationJob
from temporalio.bridge.proto.workflow_commands import WorkflowCommand
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.client import Client, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.converter import WorkflowSerializationContext
from temporalio.worker import Replayer, Worker, WorkflowInstance
from temporalio.worker.workflow_sandbox import SandboxRestrictions

from client import steady
from client.dev_server import DevServer
from client.keyring import Keyring
from client.plugin import converter
from client.steady import FLAG, OUT_OF_STEP, Steady, SteadyRunner
from client.steady_events import brought_by, left_by

TASK_DONE = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
MARKED = EventType.EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED

# -- on a real server -----------------------------------------------------------------------------


@workflow.defn(name="WhatCameFirst")
class WhatCameFirst:
    """Does as the order says in which a signal and an answer came."""

    def __init__(self) -> None:
        self.came: list[str] = []

    @workflow.run
    async def run(self) -> None:
        asking = asyncio.create_task(self.ask())
        await workflow.wait_condition(lambda: len(self.came) == 2)
        if self.came[0] == "answer":
            await workflow.sleep(3600)
        else:
            await self.ask()
        await asking

    async def ask(self) -> None:
        await workflow.execute_activity("answer", start_to_close_timeout=timedelta(seconds=30))
        self.came.append("answer")

    @workflow.signal
    def noise(self) -> None:
        """Nothing comes of it."""

    @workflow.signal
    def say(self) -> None:
        self.came.append("signal")

    @workflow.update
    def refuse(self) -> None:
        """Never taken."""

    @refuse.validator
    def never(self) -> None:
        raise ValueError("no")


class Answering:
    def __init__(self) -> None:
        self.may_answer = asyncio.Event()

    @activity.defn
    async def answer(self) -> None:
        await self.may_answer.wait()


async def happened(handle: WorkflowHandle[Any, Any], kind: EventType.ValueType, times: int) -> None:
    deadline = time.monotonic() + WAIT
    while time.monotonic() < deadline:
        found = [event.event_type for event in (await handle.fetch_history()).events]
        if found.count(kind) >= times:
            return
        await asyncio.sleep(0.05)
    names = [EventType.Name(one).removeprefix("EVENT_TYPE_") for one in found]
    raise AssertionError(f"not {times} times {EventType.Name(kind)} in {names}")


async def test_an_answer_stays_before_the_signal_that_came_in_the_next_task(
    server: DevServer,
) -> None:
    """An Update orders the next task at once, and a signal comes before it is begun. Without its
    marks the SDK replays both tasks as one, and hears the signal first."""
    client = await Client.connect(server.address)
    queue, answering = f"steady-{uuid4().hex}", Answering()
    restrictions = SandboxRestrictions.default.with_passthrough_all_modules()

    def worker() -> Worker:
        return Worker(
            client,
            task_queue=queue,
            workflows=[WhatCameFirst],
            activities=[answering.answer],
            workflow_runner=SteadyRunner(restrictions=restrictions),
        )

    async with worker():
        handle = await client.start_workflow(
            "WhatCameFirst", id=queue, task_queue=queue, task_timeout=timedelta(seconds=2)
        )
        await happened(handle, TASK_DONE, 1)
        await handle.signal("noise")
        await happened(handle, TASK_DONE, 2)
        answering.may_answer.set()
        await happened(handle, TASK_DONE, 3)
    refused = asyncio.ensure_future(handle.execute_update("refuse"))
    await asyncio.sleep(0.5)
    await handle.signal("say")
    async with worker():
        with pytest.raises(WorkflowUpdateFailedError):
            await refused
        await happened(handle, EventType.EVENT_TYPE_TIMER_STARTED, 1)
    history = await handle.fetch_history()
    assert [event.event_type for event in history.events].count(MARKED) == 2
    assert await (await handle.describe()).memo() == {}, "a mark notes nothing"
    replayer = Replayer(
        workflows=[WhatCameFirst], workflow_runner=SteadyRunner(restrictions=restrictions)
    )
    await replayer.replay_workflow(history)
    await handle.terminate()


# -- one activation after the other ---------------------------------------------------------------


class Scripted(WorkflowInstance):
    """Answers as it is told."""

    def __init__(self) -> None:
        self.commands: list[WorkflowCommand] = []

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        done = WorkflowActivationCompletion(run_id=act.run_id)
        done.successful.commands.extend(self.commands)
        return done

    def get_serialization_context(self, command_info: Any) -> Any:
        return None

    def get_external_store_context(self, command_info: Any) -> Any:
        return None

    def get_info(self) -> Any:
        return None


class Played:
    """A workflow whose tasks are played by hand."""

    def __init__(self) -> None:
        self.inner = Scripted()
        self.steady = Steady(self.inner)

    def activate(
        self,
        *jobs: WorkflowActivationJob,
        task: int = 1,
        length: int = 3,
        gives: tuple[WorkflowCommand, ...] = (),
        replaying: bool = False,
        flags: tuple[int, ...] = (),
    ) -> WorkflowActivationCompletion:
        act = WorkflowActivation(
            run_id="run",
            history_length=length,
            is_replaying=replaying,
            jobs=jobs,
            available_internal_flags=flags,
        )
        act.timestamp.seconds = task
        self.inner.commands = list(gives)
        return self.steady.activate(act)


def job(kind: str, **fields: Any) -> WorkflowActivationJob:
    found = WorkflowActivationJob()
    getattr(found, kind).SetInParent()
    for name, value in fields.items():
        setattr(getattr(found, kind), name, value)
    return found


def command(kind: str, **fields: Any) -> WorkflowCommand:
    found = WorkflowCommand()
    getattr(found, kind).SetInParent()
    for name, value in fields.items():
        setattr(getattr(found, kind), name, value)
    return found


def response(answer: str) -> WorkflowCommand:
    found = command("update_response", protocol_instance_id="u")
    getattr(found.update_response, answer).SetInParent()
    return found


def is_marked(done: WorkflowActivationCompletion) -> bool:
    marked = any(c.HasField("modify_workflow_properties") for c in done.successful.commands)
    assert marked is (FLAG in done.successful.used_internal_flags)
    return marked


def told(kind: str, *path: str) -> WorkflowActivationJob:
    found = job(kind)
    place = getattr(found, kind)
    for name in path:
        place = getattr(place, name)
    place.SetInParent()
    return found


SIGNAL, ANSWER = job("signal_workflow"), job("resolve_activity")
DONE = told("resolve_activity", "result", "completed")
UPDATE = job("do_update", protocol_instance_id="u")
QUERY, ALONE = job("query_workflow"), job("query_workflow", query_id=steady.ALONE)


@pytest.mark.parametrize(
    ("jobs", "gives", "marked"),
    [
        ([SIGNAL], [], True),
        ([ANSWER], [], True),
        ([ANSWER], [command("schedule_activity", seq=1)], False),
        ([ANSWER], [response("completed")], False),
        ([ANSWER], [response("rejected")], False),
        ([SIGNAL], [command("upsert_workflow_search_attributes")], False),
        ([SIGNAL], [command("start_timer", seq=1), command("cancel_timer", seq=1)], True),
        ([SIGNAL], [command("start_timer", seq=2), command("cancel_timer", seq=1)], False),
        ([SIGNAL], [command("cancel_timer", seq=1)], False),
        ([SIGNAL], [command("request_cancel_activity", seq=1)], True),
        (
            [SIGNAL],
            [
                command("start_child_workflow_execution", seq=1),
                command("cancel_child_workflow_execution", child_workflow_seq=1),
            ],
            True,
        ),
        ([UPDATE], [response("rejected")], False),
        ([UPDATE], [response("accepted")], False),
        ([UPDATE, ANSWER], [response("rejected")], True),
        ([QUERY], [command("respond_to_query")], False),
    ],
)
def test_a_task_that_took_something_in_has_a_command(
    jobs: list[WorkflowActivationJob], gives: list[WorkflowCommand], marked: bool
) -> None:
    assert is_marked(Played().activate(*jobs, gives=tuple(gives))) is marked


def test_a_history_that_was_begun_without_marks_replays_without() -> None:
    assert not is_marked(Played().activate(SIGNAL, replaying=True))
    assert is_marked(Played().activate(SIGNAL, replaying=True, flags=(FLAG,)))


def test_nothing_comes_after_the_end() -> None:
    """A workflow that has ended hears, in the same task, that what it cancelled is cancelled."""
    played = Played()
    played.activate(SIGNAL, gives=(command("complete_workflow_execution"),))
    for _ in range(2):
        done = played.activate(ANSWER)
        assert done.HasField("successful")
        assert not is_marked(done)


def test_a_query_does_not_bring_along_what_no_task_has_brought() -> None:
    played = Played()
    timer = (command("start_timer", seq=1),)
    assert played.activate(SIGNAL, gives=timer).HasField("successful")
    assert played.activate(ANSWER, gives=timer).HasField("successful"), "of the same task"
    assert played.activate(ANSWER, length=6).failed.failure.message == OUT_OF_STEP
    assert played.activate(QUERY, length=6).HasField("successful")
    assert played.activate(ANSWER, task=2, length=11).HasField("successful")


def test_nor_does_it_after_a_task_that_was_taken_back() -> None:
    """Of a task of refused Updates alone two events go; a signal and its task are two again."""
    played = Played()
    assert played.activate(UPDATE, length=9, gives=(response("rejected"),)).HasField("successful")
    assert played.activate(QUERY, length=7).HasField("successful")
    assert played.activate(SIGNAL, length=9).failed.failure.message == OUT_OF_STEP


def test_nor_does_it_bring_a_task_that_another_worker_was_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """That task may have timed out there; then nothing of what was done here is in the history."""
    clock = [100.0]
    monkeypatch.setattr(steady, "monotonic", lambda: clock[0])
    monkeypatch.setattr(steady, "LATENESS", steady.Lateness())
    played = Played()
    played.activate(SIGNAL, replaying=True)
    assert played.activate(ANSWER, task=2, length=6).HasField("successful")
    clock[0] += steady.AT_ONCE / 2
    assert played.activate(QUERY, task=2, length=6).HasField("successful"), "it came with the task"
    assert played.activate(ALONE, task=2, length=6).failed.failure.message == OUT_OF_STEP
    clock[0] += steady.AT_ONCE
    assert played.activate(ALONE, task=2, length=6).HasField("successful"), "the task is long done"
    played.activate(ANSWER, task=3, length=12)
    assert played.activate(ALONE, task=3, length=12).HasField("successful"), (
        "it stayed in the cache"
    )


def test_nor_does_it_bring_a_task_that_waits_here_until_it_times_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The SDK takes a query first that came behind a task, and with it what is the task's; where
    the task times out then, its successor would carry out both."""
    clock = [1000.0]
    monkeypatch.setattr(steady, "monotonic", lambda: clock[0])
    monkeypatch.setattr(steady, "LATENESS", steady.Lateness())
    played = Played()
    played.activate(SIGNAL, task=400)
    clock[0] += 60
    played.activate(ANSWER, task=460, length=8)
    clock[0] += 1
    assert played.activate(ALONE, task=460, length=8).HasField("successful"), "it was in time"
    clock[0] += 66
    played.activate(ANSWER, task=520, length=12)  # seven seconds late
    clock[0] += 1
    assert played.activate(ALONE, task=520, length=12).failed.failure.message == OUT_OF_STEP
    clock[0] += 60
    assert played.activate(ALONE, task=520, length=12).HasField("successful"), "it is long done"


def test_where_time_is_skipped_no_task_is_late(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1000.0]
    monkeypatch.setattr(steady, "monotonic", lambda: clock[0])
    monkeypatch.setattr(steady, "LATENESS", steady.Lateness())
    played, other = Played(), Played()
    played.activate(SIGNAL, task=400)
    clock[0] += 1
    other.activate(SIGNAL, task=4_000_000)  # a month of the server's later
    clock[0] += 1
    assert played.activate(ALONE, task=400).HasField("successful")


def test_no_task_carries_out_what_one_before_it_has_not_reported() -> None:
    """A query brought along a task that then timed out: three events later comes the next, which
    the completed task and what it left would be four."""
    played = Played()
    played.activate(ANSWER, task=1, length=17)
    played.activate(ALONE, task=1, length=17)
    assert played.activate(UPDATE, task=2, length=20).failed.failure.message == OUT_OF_STEP
    done = Played()
    done.activate(ANSWER, task=1, length=17)
    assert done.activate(UPDATE, task=2, length=21).HasField("successful")
    refused = Played()
    refused.activate(UPDATE, task=1, length=17, gives=(response("rejected"),))
    assert refused.activate(SIGNAL, task=2, length=17).HasField("successful"), "it left nothing"


def test_nor_where_what_came_meanwhile_makes_the_history_as_long() -> None:
    """Five signals came while the task timed out: eight events, of which none is the task's."""
    for length, undone in ((53, True), (54, False)):
        played = Played()
        played.activate(job("resolve_child_workflow_execution_start"), DONE, task=1, length=45)
        late = played.activate(*[SIGNAL] * 5, UPDATE, task=2, length=length)
        assert late.HasField("failed") is undone


def test_nor_where_tasks_failed_meanwhile_and_a_query_may_have_brought_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Another failed task is three events more, as if the first had been completed."""
    monkeypatch.setattr(steady, "LATENESS", steady.Lateness())
    for asked in (False, True):
        played = Played()
        played.activate(SIGNAL, task=1, length=13)
        played.activate(SIGNAL, task=2, length=18)
        if asked:
            played.activate(ALONE, task=2, length=18)
        done = played.activate(DONE, task=3, length=18 + 3 + 2 + 3)
        assert done.HasField("failed") is asked


def test_no_update_comes_by_itself_in_a_task_that_was_begun() -> None:
    """Then a query has brought the rest of the task; a replay hears the Update first."""
    played = Played()
    played.activate(DONE, length=38)
    played.activate(ALONE, length=38)
    assert played.activate(UPDATE, length=38).failed.failure.message == OUT_OF_STEP


@pytest.mark.parametrize(
    ("gives", "events"),
    [
        ([response("rejected")], (0, 0)),
        ([response("accepted"), response("completed")], (2, 2)),
        ([response("accepted"), response("rejected")], (2, 2)),
        ([command("schedule_activity", seq=1), command("start_timer", seq=1)], (2, 2)),
        ([command("start_timer", seq=1), command("cancel_timer", seq=1)], (0, 0)),
        ([command("request_cancel_activity", seq=1)], (0, 1)),
        ([command("set_patch_marker")], (0, 2)),
    ],
)
def test_how_many_events_commands_leave(
    gives: list[WorkflowCommand], events: tuple[int, int]
) -> None:
    assert left_by(WorkflowActivation(jobs=[UPDATE]), gives) == events


@pytest.mark.parametrize(
    ("came", "events"),
    [
        (SIGNAL, (1, 1)),
        (job("fire_timer"), (1, 1)),
        (job("cancel_workflow"), (1, 1)),
        (UPDATE, (0, 0)),
        (ANSWER, (0, 2)),
        (DONE, (2, 2)),
        (job("resolve_child_workflow_execution_start"), (1, 1)),
        (job("resolve_child_workflow_execution"), (1, 1)),
        (job("resolve_signal_external_workflow"), (1, 1)),
        (told("resolve_child_workflow_execution_start", "cancelled"), (0, 1)),
        (told("resolve_child_workflow_execution", "result", "cancelled"), (0, 1)),
        (told("resolve_signal_external_workflow", "failure"), (0, 1)),
        (told("resolve_request_cancel_external_workflow", "failure"), (0, 1)),
    ],
)
def test_of_how_many_events_a_job_comes(
    came: WorkflowActivationJob, events: tuple[int, int]
) -> None:
    assert brought_by([came, SIGNAL]) == (events[0] + 1, events[1] + 1)


def test_a_replay_may_find_tasks_of_the_same_instant() -> None:
    played = Played()
    played.activate(SIGNAL, replaying=True)
    assert played.activate(ANSWER, length=6, replaying=True).HasField("successful")


def test_no_converter_of_ours_asks_where_a_payload_belongs() -> None:
    """Workflows are not asked, since the SDK enters the sandbox for the answer."""
    with_keys = converter(Keyring.new("steady"))
    asked = WorkflowSerializationContext(namespace="default", workflow_id="product/kettle")
    assert with_keys.with_context(asked) is with_keys
    assert with_keys.external_storage is None
