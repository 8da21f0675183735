"""The tasks of a sunset: how each kind is carried out, and what shows that it was."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from phasegate import ports
    from phasegate.gate import Gate
    from phasegate.ports import TaskProof
    from phasegate.retirement import TaskRecord, TaskState
    from phasegate.sunset import ArchiveTask, DateTask, GateTask, HttpTask, ManualTask, NoticeTask
    from workflows.sunset_desk import SunsetDesk

STUBBORN = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    backoff_coefficient=2,
    maximum_interval=timedelta(hours=1),
)
"""A retirement task whose endpoint is down is tried until it is mended."""


class SunsetTasks(SunsetDesk):
    """Does one task after another, each once."""

    async def until(self, done: Callable[[], bool]) -> None:
        """Wait, and continue as new where that is suggested."""
        raise NotImplementedError

    async def progress(self, text: str) -> None:
        """Show and report how the sunset stands."""
        raise NotImplementedError

    async def carry_out(self, record: TaskRecord) -> TaskProof:
        task, key = record.task, f"{self.id}/{record.task.id}"
        product = self.state.product.key
        match task:
            case NoticeTask():
                self.books.announce("sunset.notice", task.text or task.title, task=task.id)
                return TaskProof(text="announced")
            case DateTask():
                return TaskProof(text=f"reached on {record.at:%Y-%m-%d %H:%M} UTC")
            case HttpTask():
                order = ports.EndpointOrder(product=product, key=key, task=task)
                return await self._activity(ports.CALL_ENDPOINT, order, task.title)
            case ArchiveTask():
                archive = ports.ArchiveOrder(product=product, key=key, task=task)
                return await self._activity(
                    ports.ARCHIVE_FILES,
                    archive,
                    task.title,
                    longest=timedelta(hours=12),
                    heartbeat=timedelta(minutes=5),
                )
            case ManualTask():
                return await self._confirmed(record)
            case GateTask():
                return await self._pass_gate(record, task)

    async def _activity(
        self,
        name: str,
        order: Any,
        title: str,
        *,
        longest: timedelta = timedelta(minutes=5),
        heartbeat: timedelta | None = None,
    ) -> TaskProof:
        proof: TaskProof = await workflow.execute_activity(
            name,
            order,
            result_type=TaskProof,
            start_to_close_timeout=longest,
            heartbeat_timeout=heartbeat,
            retry_policy=STUBBORN,
            summary=title[:180],
        )
        return proof

    async def _confirmed(self, record: TaskRecord) -> TaskProof:
        """Wait until somebody says that it is done, and what shows it."""
        record.state = TaskState.waiting
        await self.progress(f"{record.task.title} is to be confirmed")
        await self.until(lambda: record.confirmation is not None)
        assert record.confirmation is not None
        return record.confirmation

    async def _pass_gate(self, record: TaskRecord, task: GateTask) -> TaskProof:
        """Hold the gate until it passes. A stop here means: not yet; the owner brings it back."""
        state = self.state
        record.state = TaskState.waiting
        while True:
            if state.needs_submit:
                await self.progress(f"{state.product.owner} to submit {task.gate.id} again")
                await self.until(lambda: state.submitted_by is not None)
                state.needs_submit = False
            if state.sittings.open is None:
                await self._open(task.gate)
            else:
                await self.gates.rejoin()
            await self.progress(f"votes on {task.gate.id}")
            await self.until(self.gates.reported)
            report = self.gates.close()
            state.take_conditions(report)
            state.had_a_hand = report.had_a_hand | state.had_a_hand
            if report.outcome in ("go", "conditional-go"):
                return TaskProof(text=f"{report.outcome}: {report.why}")
            state.needs_submit = True
            self.books.announce("sunset.stopped", f"{report.gate}: {report.why}", gate=report.gate)

    async def _open(self, gate: Gate) -> None:
        state = self.state
        submitter, state.submitted_by = state.submitted_by or state.product.owner, None
        facts, promised = state.facts(gate.id), list(state.open_conditions)
        await self.gates.open(gate, "sunset", facts, submitter=submitter, open_conditions=promised)
        # What changed while the round was being started could not be told to it.
        for settled in [
            condition for condition in promised if condition not in state.open_conditions
        ]:
            await self.gates.tell("condition-closed", settled)
        if state.facts(gate.id) != facts:
            await self.gates.tell("facts", facts=state.facts(gate.id), actor=state.product.owner)
