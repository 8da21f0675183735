"""A product's whole life as its record tells it. Scripts rely on these names: add, don't rename."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from phasegate.base import Instant, Wire
from phasegate.events import Anchor
from phasegate.views import GateView


class Said(Wire):
    """Something that happened, as it was announced."""

    at: Instant
    by: str = ""
    text: str


class ChangeStory(Said):
    """A definition that took the place of another."""

    fields: list[str] = Field([], description="what changed")
    digest: str = Field("", description="of the definition from then on")


class OwnerStory(Wire):
    owner: str
    since: Instant
    until: Instant | None = None


class Stretch(Wire):
    """A time that counts nowhere: a hold, or the time between a kill and a revival."""

    since: Instant
    until: Instant | None = None


class PhaseStory(Wire):
    """A stay in a phase. `days` are calendar days without holds; `slip` is in days, late if more
    than 0, against the last first date of its milestones."""

    id: str
    title: str
    since: Instant
    until: Instant | None = None
    days: float
    planned_end: Instant | None = None
    slip: int | None = None
    broken_off: bool = False


class Overruling(Wire):
    """A decision that an authority replaced after it had stopped the product."""

    at: Instant
    by: str
    before: str
    after: str
    reason: str


class RoundStory(Wire):
    """A sitting of a gate. `view` is how it ended, as `gate show` gives it; null while it is open,
    and where the record kept no details."""

    gate: str
    title: str
    round: int
    opened_at: Instant
    ended_at: Instant | None = None
    days: float
    outcome: str = Field(description="a vote's word, open or abandoned")
    why: str = ""
    submitter: str = ""
    escalations: int = 0
    overridden_by: str = ""
    overruled: list[Overruling] = []
    refusals: int = Field(0, description="attempts that were refused and recorded")
    view: GateView | None = None


class MilestoneStory(Wire):
    """`planned` is its first date, `due` the last, `moves` are the others in their order."""

    id: str
    title: str
    phase: str
    state: str
    planned: Instant | None = None
    due: Instant | None = None
    met_at: Instant | None = None
    slip: int | None = Field(None, description="days from planned to met, or to the last date")
    moves: list[Said] = []


class ConditionStory(Wire):
    id: str
    gate: str
    round: int
    text: str = ""
    owner: str = ""
    due: Instant | None = None
    state: str = Field(description="open, closed or waived")
    settled_at: Instant | None = None
    settled_by: str = ""
    note: str = ""
    link: str = ""
    digest: str = ""


class TaskStory(Wire):
    """A task of a sunset. `planned` is the day it first had, `at` the last one."""

    id: str
    title: str
    kind: str = ""
    effect: str = ""
    marks: str = ""
    state: str = Field(
        description="planned, begun, stuck, unknown, held, done, undone, or not-done where its "
        "sunset ended without it"
    )
    planned: Instant | None = None
    at: Instant | None = None
    intended_at: Instant | None = Field(
        None, description="when the record had that it was about to be done"
    )
    done_at: Instant | None = None
    done: str = Field("", description="what shows that it was done")
    confirmed_by: str = Field("", description="who said so; empty where a system answered")
    digest: str = ""
    proof: dict[str, Any] = {}
    overdue_at: Instant | None = None
    undone_at: Instant | None = None
    undone: str = ""
    trouble: list[Said] = Field([], description="stuck, unknown, held, settled, in order")


class HoldStory(Wire):
    """A legal hold, from being placed to being lifted."""

    matter: str
    placed_at: Instant
    placed_by: str
    reason: str
    lifted_at: Instant | None = None
    lifted_by: str = ""
    lift_reason: str = ""


class SunsetStory(Wire):
    """One way out of the market."""

    number: int
    begun_at: Instant
    ended_at: Instant | None = None
    outcome: str = Field(description="under way, retired, aborted or cancelled")
    why: str = ""
    notice_at: Instant | None = None
    first_notice_at: Instant | None = None
    plans: list[Said] = Field([], description="each plan that was made of it")
    moved: list[str] = Field([], description="what the latest plan moved, and why")
    tasks: list[TaskStory] = []
    customers: dict[str, Any] = Field({}, description="as they were counted last")
    customers_digest: str = ""
    customers_at: Instant | None = None
    customer_files: list[Said] = Field([], description="what was imported, with digests")
    customers_reminded: list[Said] = []
    legal_holds: list[HoldStory] = []
    aborted: Said | None = None
    withdrawn: list[Said] = []


class LifeCounts(Wire):
    """What it took. `people` are those who said anything at all."""

    events: int = 0
    rounds: int = 0
    votes: int = 0
    overrides: int = 0
    refusals: int = 0
    people: int = 0
    tasks_done: int = 0
    tasks_confirmed: int = Field(0, description="of these by a person")


class Retrospective(Wire):
    schema_version: int = 1
    key: str
    name: str
    owner: str
    tier: int | None = None
    status: str
    policy: str
    policy_digest: str
    started_at: Instant
    ended_at: Instant | None = None
    days: float = Field(description="calendar days, without holds")
    as_of: Instant
    definition: dict[str, Any] = Field({}, description="as it was last")
    changes: list[ChangeStory] = []
    owners: list[OwnerStory] = []
    holds: list[Stretch] = []
    phases: list[PhaseStory] = []
    rounds: list[RoundStory] = []
    milestones: list[MilestoneStory] = []
    conditions: list[ConditionStory] = []
    sunsets: list[SunsetStory] = []
    counts: LifeCounts = LifeCounts()
    head: Anchor = Field(description="of the hash chain, when this was written")
    chain_fault: str = Field(
        "", description="what does not add up in the chain; empty where every entry follows"
    )
    missing: list[str] = Field([], description="what the record cannot tell, and why")
