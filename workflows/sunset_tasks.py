"""The tasks of a sunset: how each kind is carried out, and what shows that it was."""

from __future__ import annotations

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from phasegate.acts import Act
    from phasegate.gate import Gate
    from phasegate.retirement_graph import frozen
    from phasegate.retirement_tasks import Letter, TaskRecord, TaskState, act_of
    from phasegate.sunset import (
        ActingTask,
        DateTask,
        GateTask,
        ManualTask,
        NoticeTask,
        WaitTask,
    )
    from phasegate.sunset_ports import ActOrder, TaskProof
    from workflows.sunset_customers import SunsetCustomers


class SunsetTasks(SunsetCustomers):
    """Carries a task out once it is its turn. What is waited for may take a year."""

    def __init__(self) -> None:
        super().__init__()
        self.opening = False

    async def carry_out(self, record: TaskRecord) -> TaskProof | None:
        """The proof that it is done; None where an abort has dropped it. Raises BrokenOff."""
        task = record.task
        match task:
            case NoticeTask():
                self.books.announce("sunset.notice", task.text or task.title, task=task.id)
                return TaskProof(text="announced")
            case DateTask():
                return TaskProof(text=f"reached on {record.at:%Y-%m-%d %H:%M} UTC")
            case WaitTask():
                return TaskProof(text="its day has come")
            case ManualTask():
                return await self._confirmed(record)
            case GateTask():
                return await self.pass_gate(record, task)
            case _:
                return await self._act(record, task)

    async def _act(self, record: TaskRecord, task: ActingTask) -> TaskProof:
        if record.effect == "reversible":
            self._begun(record)
        order = self.order(task.id, act_of(task), record)
        return await self.do_act(order, record, task.title, self.aborted)

    def order(self, task: str, act: Act, record: TaskRecord, *, suffix: str = "") -> ActOrder:
        """An order for an act that belongs to a task."""
        return ActOrder(
            product=self.state.product.key,
            sunset=self.state.number,
            task=task,
            key=self.state.key_of(task) + suffix,
            act=act,
            effect="reversible" if suffix else record.effect,
            values=self.state.values(),
        )

    def _begun(self, record: TaskRecord) -> None:
        """Somebody, or something outside, is about to act; told once."""
        if record.begun_at is None:
            record.begun_at = workflow.now()
            people = self.state.answering(record) if isinstance(record.task, ManualTask) else ()
            self.books.announce(
                "sunset.task-begun",
                f"to be confirmed: {record.task.title}"
                if people
                else f"begun: {record.task.title}",
                task=record.task.id,
                by=record.task.by or "",
                people=list(people),
                due=record.overdue_at.isoformat() if record.overdue_at else None,
            )

    async def _confirmed(self, record: TaskRecord) -> TaskProof | None:
        """Wait until somebody says that it is done, and what shows it."""
        while record.confirmation is None and record.state is not TaskState.dropped:
            if frozen(self.state, record):
                await self.held(record.task.id, record)
                continue
            record.state = TaskState.waiting
            self._begun(record)
            self.stir()
            await workflow.wait_condition(
                lambda: (
                    record.confirmation is not None
                    or record.state is TaskState.dropped
                    or frozen(self.state, record)
                )
            )
        return record.confirmation

    async def pass_gate(self, record: TaskRecord, task: GateTask) -> TaskProof | None:
        """Hold the gate until it passes. A stop here means: not yet; the owner brings it back."""
        state = self.state
        record.state = TaskState.waiting
        while True:
            if state.needs_submit:
                self.stir()
                await workflow.wait_condition(
                    lambda: state.submitted_by is not None or state.aborting is not None
                )
                state.needs_submit = False
            if state.aborting is not None:
                return None
            if state.sittings.open is not None:
                await self.gates.rejoin()
            else:
                await self._open(task.gate)
            self.stir()
            await workflow.wait_condition(
                lambda: self.gates.reported() or state.aborting is not None
            )
            if task.point_of_no_return and state.aborting is None:
                await self.look_at_customers()  # before anything follows from the report
            if state.aborting is not None:
                return None
            if proof := self._decided(task):
                return proof

    def _decided(self, task: GateTask) -> TaskProof | None:
        """What follows from the round that has ended: the proof that it passed, or another one."""
        state = self.state
        report = self.gates.close()
        state.take_conditions(report)
        state.had_a_hand = report.had_a_hand | state.had_a_hand
        stopped = f"{report.gate}: {report.why}"
        if report.outcome in ("go", "conditional-go"):
            if not task.point_of_no_return or state.customers_word == "met":
                state.beyond_return = state.beyond_return or task.point_of_no_return
                return TaskProof(text=f"{report.outcome}: {report.why}")
            stopped = f"{report.gate} decided {report.outcome}, but {self.customers_said()}"
        state.needs_submit = True
        self.books.announce("sunset.stopped", stopped, gate=report.gate)
        return None

    async def close_gate(self) -> None:
        """End the open round: nobody needs its decision any more."""
        if self.state.sittings.open is not None:
            await self.gates.rejoin()
            await self.gates.stop()
            await workflow.wait_condition(self.gates.reported)
            self.gates.close()

    async def _open(self, gate: Gate) -> None:
        state = self.state
        submitter, state.submitted_by = state.submitted_by or state.product.owner, None
        facts, promised = state.facts(gate.id), list(state.open_conditions)
        self.opening = True
        await self.gates.open(gate, "sunset", facts, submitter=submitter, open_conditions=promised)
        self.opening = False
        # What changed while the round was being started could not be told to it.
        for settled in [
            condition for condition in promised if condition not in state.open_conditions
        ]:
            await self.gates.tell("condition-closed", settled)
        if state.facts(gate.id) != facts:
            await self.gates.tell("facts", facts=state.facts(gate.id), actor=state.product.owner)

    def aborted(self) -> bool:
        return self.state.aborting is not None

    async def write_letter(self, letter: Letter) -> TaskProof:
        """Remind the open customers of a public date."""
        plan = self.state.plan
        assert plan is not None
        assert plan.customer_reminder is not None
        record = self.state.record(letter.task)
        suffix = f"/remind/{letter.at:%Y-%m-%d}/{letter.ahead}"
        order = self.order(letter.task, plan.customer_reminder, record, suffix=suffix)
        order.values |= {"task": record.task.title, "date": f"{letter.at:%Y-%m-%d}"}
        title = f"reminder of {record.task.title}, {letter.ahead.words} ahead"
        return await self.do_act(order, letter, title, lambda: self.letters_end)

    letters_end = False
    """The sunset ends: a mail that is tried in vain is given up."""
