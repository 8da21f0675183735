"""A sunset under way: its plan laid out, where each task stands, and what holds it up.

The aggregate that Sunset makes durable. What may begin is in `retirement_graph`, how the plan is
laid out and changed in `retirement_plan`, how it is undone in `retirement_undo`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from phasegate.adjusting import Adjustments
from phasegate.base import Instant, Wire
from phasegate.errors import Rejected
from phasegate.events import Outbox
from phasegate.facts import ProductFacts
from phasegate.ids import sunset_id
from phasegate.legal_hold import LegalHold
from phasegate.requests import Receipt, remember
from phasegate.retirement_tasks import Letter, TaskRecord, TaskState, Undoing
from phasegate.room import fitting
from phasegate.sittings import GateReport, Sittings
from phasegate.state_version import up_to
from phasegate.sunset import (
    CUSTOMERS_SETTLED,
    DateTask,
    GateTask,
    Maturity,
    SunsetPlan,
)
from phasegate.sunset_ports import CustomersSummary, TaskProof
from phasegate.sunset_views import Aborting
from phasegate.views import ConditionView

HANDLED_KEPT = 200


class Retirement(Wire):
    """The state of a sunset. A wire contract: it is carried across continue-as-new."""

    schema_version: Annotated[int, up_to(1)] = 1
    product: ProductFacts
    approvers: dict[str, dict[str, tuple[str, ...]]] = {}
    open_conditions: list[str] = []
    reports_to: str
    reports: int = Field(0, description="how many it was sent: they may arrive in another order")
    token: str
    outbox: Outbox
    number: int = Field(1, description="the how-manieth sunset of the product")
    adjustments: Adjustments = Adjustments()
    maturity: Maturity = "ga"
    legal_holds: list[LegalHold] = []
    sittings: Sittings = Sittings()
    plan: SunsetPlan | None = None
    members: dict[str, tuple[str, ...]] = {}
    notice_at: Instant | None = None
    tasks: list[TaskRecord] = []
    moved: list[str] = Field([], description="what of the plan was moved, and why")
    needs_plan: str = Field("", description="why it cannot go on as it is planned")
    letters: list[Letter] = []
    customers: CustomersSummary | None = None
    customers_told: list[str] = Field([], description="what was said of them since the last look")
    customers_asked: int = Field(1, description="how often they were to be looked at")
    customers_seen: int = Field(0, description="up to which of these they were")
    beyond_return: bool = False
    submitted_by: str | None = None
    had_a_hand: dict[str, str] = {}
    needs_submit: bool = False
    conditions: list[ConditionView] = []
    handled: dict[str, Receipt] = {}
    refusals: int = 0
    aborting: Aborting | None = None
    undos: list[Undoing] | None = None
    stopped: str = ""
    ended_at: Instant | None = None

    # -- what it hears ----------------------------------------------------------------------------

    def hear(self, facts: ProductFacts) -> None:
        """The product is not what it was: another owner, another definition, more evidence."""
        self.product = facts
        narrowed = facts.definition.get("approvers", {})
        self.approvers = {
            gate: {group: tuple(people) for group, people in groups.items()}
            for gate, groups in narrowed.items()
        }

    def hear_of_milestone(self, milestone: str, state: str) -> None:
        """What became of a milestone of the product: gates of the sunset may ask for it.

        The facts are replaced, not changed: a round that is being started has the ones before.
        """
        milestones = {**self.product.milestones, milestone: state}
        self.product = self.product.model_copy(update={"milestones": milestones})

    def facts(self, gate: str) -> ProductFacts:
        """What a gate of the sunset needs to know of the product."""
        milestones = {**self.product.milestones, CUSTOMERS_SETTLED: self.customers_word}
        narrowed = self.approvers.get(gate, {})
        return self.product.model_copy(update={"narrowed": narrowed, "milestones": milestones})

    @property
    def customers_word(self) -> str:
        """The state of the milestone that every sunset has."""
        settled = self.customers is not None and self.customers.open == 0
        return "met" if settled else "planned"

    def take_conditions(self, report: GateReport) -> None:
        """Conditions of a gate that passed block the gates after it."""
        found = fitting(report.conditions, self.conditions)
        named = [c.model_copy(update={"gate": c.gate or report.gate}) for c in found]
        self.conditions += named
        self.open_conditions += [condition.id for condition in named]

    def let_go(self, condition: str) -> bool:
        """A condition is kept: the product has it from here on. False if it was not open."""
        if condition not in self.open_conditions:
            return False
        self.open_conditions.remove(condition)
        self.conditions = [c for c in self.conditions if c.id != condition]
        return True

    # -- its tasks --------------------------------------------------------------------------------

    def record(self, task_id: str) -> TaskRecord:
        """The record of that task. Raises KeyError."""
        for record in self.tasks:
            if record.task.id == task_id:
                return record
        raise KeyError(task_id)

    def done(self, record: TaskRecord, proof: TaskProof, now: datetime) -> None:
        """A task is done; in which order they were is what an abort goes back by."""
        record.place = 1 + max((r.place for r in self.tasks), default=0)
        record.done(proof, now)

    def gate_waiting(self) -> TaskRecord | None:
        """The gate that has its turn. There is one at most: it waits for all that is above it."""
        for record in self.tasks:
            if isinstance(record.task, GateTask) and record.state is TaskState.waiting:
                return record
        return None

    def answering(self, record: TaskRecord) -> tuple[str, ...]:
        """The people who answer for a task: its group, or the owner where it names none."""
        group = record.task.by
        people = self.members.get(group, ()) if group else ()
        return people or (self.product.owner,)

    def date(self, marks: str) -> datetime | None:
        """The public date that marks this, if the plan has it."""
        for record in self.tasks:
            if isinstance(record.task, DateTask) and record.task.marks == marks:
                return record.at
        return None

    def values(self) -> dict[str, str]:
        """What placeholders of acts stand for. Dates are days, as in 2027-11-30, UTC."""
        days = {
            "notice": self.notice_at,
            "end_of_sales": self.date("end-of-sales"),
            "end_of_security_support": self.date("end-of-security-support"),
            "end_of_life": self.date("end-of-life"),
        }
        named = {"product": self.product.key, "name": self.product.name}
        return named | {name: f"{at:%Y-%m-%d}" for name, at in days.items() if at}

    def key_of(self, task_id: str) -> str:
        """What an act is known by, however often it is ordered: its Idempotency-Key."""
        return f"{sunset_id(self.product.key)}/{self.number}/{task_id}"

    # -- how it stands ----------------------------------------------------------------------------

    @property
    def status(self) -> str:
        if self.stopped:
            return self.stopped
        if self.ended_at:
            return "retired"
        if self.aborting:
            return "aborting"
        return "waiting-for-plan" if self.needs_plan else "sunsetting"

    @property
    def word(self) -> str:
        return self.status

    def require_alive(self) -> None:
        if self.ended_at:
            raise Rejected(
                "sunset-ended",
                f"the sunset of {self.product.key} takes no more requests",
                f"it is {self.status}",
                f"phasegate sunset show {self.product.key}",
            )

    def remember(self, key: str, receipt: Receipt) -> None:
        remember(self.handled, key, receipt, kept=HANDLED_KEPT)

    def next_due(self) -> datetime | None:
        """The day of the next task that is not done."""
        return min((r.at for r in self.tasks if not r.state.settled), default=None)
