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

from client.dev_server import DevServer
from client.keyring import Keyring
from client.plugin import converter
from client.steady import FIRST, FLAG, OUT_OF_STEP, Shown, Steady, SteadyRunner

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
    for event in history.events:
        if event.event_type == TASK_DONE:
            done = event.workflow_task_completed_event_attributes
            flags = done.sdk_metadata.lang_used_flags
            assert FIRST + done.started_event_id in flags, "every task that left something"
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
    """A workflow whose tasks are played by hand, and reported unless told otherwise."""

    def __init__(self, *, flags_come_back: bool = True) -> None:
        self.inner = Scripted()
        self.steady = Steady(self.inner, Shown(flags_come_back))
        self.shown: set[int] = set()

    def activate(
        self,
        *jobs: WorkflowActivationJob,
        task: int = 1,
        length: int = 3,
        gives: tuple[WorkflowCommand, ...] = (),
        size: int = 0,
        replaying: bool = False,
        reported: bool = True,
        flags: tuple[int, ...] = (),
    ) -> WorkflowActivationCompletion:
        act = WorkflowActivation(
            run_id="run",
            history_length=length,
            history_size_bytes=size,
            is_replaying=replaying,
            jobs=jobs,
            available_internal_flags=sorted({*flags, *self.shown}),
        )
        act.timestamp.seconds = task
        self.inner.commands = list(gives)
        done = self.steady.activate(act)
        if reported:
            self.shown |= {*done.successful.used_internal_flags}
        return done


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


SIGNAL, ANSWER = job("signal_workflow"), job("resolve_activity")
UPDATE = job("do_update", protocol_instance_id="u")
QUERY, ALONE = job("query_workflow"), job("query_workflow", query_id="legacy_query")


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


def given_up(done: WorkflowActivationCompletion) -> bool:
    """Whether the workflow leaves the cache, so that it begins anew from its history."""
    return done.failed.failure.message == OUT_OF_STEP


def test_no_task_carries_out_what_one_before_it_has_not_reported() -> None:
    """A query brought along a task that then timed out: with what came meanwhile the history may be
    as long as if it had been completed."""
    for reported in (True, False):
        played = Played()
        played.activate(SIGNAL, task=1, length=13)
        played.activate(ANSWER, task=2, length=45, reported=reported)
        played.activate(ALONE, task=2, length=45)
        assert given_up(played.activate(SIGNAL, UPDATE, task=3, length=54)) is not reported


def test_nor_where_another_worker_has_gone_on_meanwhile() -> None:
    played = Played()
    played.activate(SIGNAL, task=1, length=13)
    played.activate(ANSWER, task=2, length=45, reported=False)
    assert given_up(played.activate(SIGNAL, task=3, length=54, replaying=True))


def test_a_task_that_another_worker_has_done_is_done() -> None:
    """Both give it the same flag: the number of its start."""
    played, other = Played(), Played()
    for one in (played, other):
        one.activate(SIGNAL, task=1, length=13)
    played.activate(ANSWER, task=2, length=45, reported=False)
    other.activate(ANSWER, task=2, length=45)
    flags = tuple(other.shown)
    assert played.activate(SIGNAL, task=3, length=54, flags=flags).HasField("successful")


def test_a_task_that_left_nothing_is_not_missed() -> None:
    """Updates that are refused are told of, and their task is in no history."""
    played = Played()
    played.activate(SIGNAL, task=1, length=13)
    played.activate(UPDATE, task=2, length=17, gives=(response("rejected"),), reported=False)
    assert played.activate(SIGNAL, task=3, length=17).HasField("successful")


def test_where_no_flag_comes_back_none_is_missed() -> None:
    played = Played(flags_come_back=False)
    for task in (1, 2, 3):
        done = played.activate(SIGNAL, task=task, length=5 * task, reported=False)
        assert done.HasField("successful")


def test_no_update_comes_by_itself_in_a_task_that_has_begun() -> None:
    """Then a query has brought the rest of the task, and a replay hears the Update first."""
    played = Played()
    played.activate(ANSWER, length=38, reported=False)
    played.activate(ALONE, length=38)
    assert given_up(played.activate(UPDATE, length=38))


def test_a_clock_that_goes_back_makes_one_task_of_none() -> None:
    """Time stands still here until the server's clock has caught up."""
    played = Played()
    played.activate(SIGNAL, task=9, length=3, size=500)
    assert played.activate(SIGNAL, task=9, length=8, size=900).HasField("successful")


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
