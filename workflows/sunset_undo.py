"""The way back from a sunset: what was done is undone, the latest first."""

from __future__ import annotations

import asyncio

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from phasegate.acts import ManualAct, NoticeAct
    from phasegate.retirement_tasks import TaskRecord, TaskState, Undoing
    from phasegate.retirement_undo import not_undone, plan_undoing
    from phasegate.sunset_ports import TaskProof
    from workflows.sunset_course import SunsetCourse


class SunsetUndo(SunsetCourse):
    """Undoes one task after the other: what came later may rest on what came before."""

    async def undo_all(self) -> None:
        """Undo what was done, each by what its plan says, and say what stays."""
        state = self.state
        closing = asyncio.create_task(self.close_gate())
        await self.meanwhile(closing.done)
        closing.result()
        if state.undos is None:
            state.undos = plan_undoing(state)
        for doing in state.undos:
            if doing.state is not TaskState.done:
                undoing = asyncio.create_task(self._undo(state.record(doing.task), doing))
                undoing.add_done_callback(lambda _: self.stir())
                await self.meanwhile(undoing.done)
                undoing.result()

    async def _undo(self, record: TaskRecord, doing: Undoing) -> None:
        record.state = TaskState.undoing
        proof = await self._bring_back(record, doing)
        doing.done(proof, workflow.now())
        record.state = TaskState.undone
        self.books.announce(
            "sunset.task-undone",
            f"undone: {record.task.title} ({proof.text})",
            actor=proof.by,
            task=record.task.id,
            digest=proof.digest,
            proof=proof.data,
            by=proof.by,
        )
        self.stir()

    async def _bring_back(self, record: TaskRecord, doing: Undoing) -> TaskProof:
        title = f"undo {record.task.title}"
        match doing.act:
            case NoticeAct(text=text):
                assert self.state.aborting is not None
                said = text or f"{record.task.title} is withdrawn: {self.state.aborting.reason}"
                self.books.announce("sunset.withdrawn", said, task=record.task.id)
                return TaskProof(text="withdrawn")
            case ManualAct():
                return await self._undone_by_hand(record, doing)
            case act:
                order = self.order(record.task.id, act, record, suffix="/undo")
                return await self.do_act(order, doing, title, lambda: False)

    async def _undone_by_hand(self, record: TaskRecord, doing: Undoing) -> TaskProof:
        if doing.state is not TaskState.waiting:
            doing.state, doing.begun_at = TaskState.waiting, workflow.now()
            self.books.announce(
                "sunset.task-begun",
                f"to be undone and confirmed: {record.task.title}",
                task=record.task.id,
                by=record.task.by or "",
                undo=True,
                people=list(self.state.answering(record)),
            )
            self.stir()
        await workflow.wait_condition(lambda: doing.confirmation is not None)
        assert doing.confirmation is not None
        return doing.confirmation

    def stays(self) -> str:
        """What was done and is not undone, in a few words."""
        titles = [record.task.title for record in not_undone(self.state)]
        return f"; not undone: {', '.join(titles[:10])}" if titles else ""
