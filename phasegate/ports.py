"""What workflows ask of activities: names, and the models that travel between them.

Workflows and activities know each other by this module only.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Literal

from pydantic import Field, field_validator

from phasegate.base import Figure, Instant, Wire
from phasegate.check import AnyPolled, ProductCheck
from phasegate.directory import Permission
from phasegate.events import Announcement
from phasegate.gate import Gate
from phasegate.policy import Phase
from phasegate.sittings import GateReport
from phasegate.sunset import SunsetPlan

READ_PHASE = "read_phase"
READ_SUNSET = "read_sunset"
READ_MEMBERS = "read_members"
CONVENE = "convene"
READ_ROUND = "read_round"
AUTHORITY = "authority"
ANNOUNCE = "announce"
CHECK_MILESTONE = "check_milestone"
CHECK_PRODUCT = "check_product"
OPENER_RUN = "opener_run"
VERIFY_SIGNATURE = "verify_signature"


class PhaseRequest(Wire):
    """Read a phase of a published policy; the first one if `phase` is None."""

    policy_digest: str
    phase: str | None = None
    directory: str = "default"
    groups: tuple[str, ...] = ()
    """Groups that report milestones of the product's own."""


class PhaseBrief(Wire):
    """The phase, and the people who may report its milestones (group → members)."""

    phase: Phase
    next: str | None
    has_sunset: bool
    reporters: dict[str, tuple[str, ...]] = {}


class SunsetRequest(Wire):
    policy_digest: str
    directory: str = "default"


class SunsetBrief(Wire):
    """The plan, and the people of the groups that it names (group → members)."""

    plan: SunsetPlan
    members: dict[str, tuple[str, ...]] = {}


class MembersRequest(Wire):
    """Who is in these groups today, in the directory of that name?"""

    directory: str
    groups: tuple[str, ...]


class Members(Wire):
    """Group → members; a group that the directory does not have has none."""

    members: dict[str, tuple[str, ...]] = {}


class Away(Wire):
    """An absence as instants, from the first moment of its first day to the end of its last."""

    start: Instant
    end: Instant
    delegate: str | None = None


class Timetable(Wire):
    """When a round's clocks act, by person where people have calendars of their own."""

    respond: dict[str, Instant] = {}
    escalate: dict[str, Instant] = {}
    remind: dict[str, list[Instant]] = {}
    resolve: Instant

    @field_validator("remind", mode="before")
    @classmethod
    def _of_everybody(cls, value: Any) -> Any:
        """Early histories have one list, which reminds everybody."""
        return {"*": value} if isinstance(value, list) else value

    def reminders(self, person: str) -> list[datetime]:
        """When somebody is reminded."""
        return [*self.remind.get(person, ()), *self.remind.get("*", ())]


class ClockOrder(Wire):
    """Which timetable is wanted.

    `start`: count everything from `since`. `respond`: count the answers anew from `since` (a later
    step opened, the evidence changed), and leave `resolve` where it was. `resume`: the clocks stood
    still from `stopped` to `since`; what was left of them is left now. `keep`: leave what is there,
    and count from `since` only for people who are new. `stopped` of other kinds: the clocks stand
    still from then on, and their going on will move what is counted now; count from there.
    """

    kind: Literal["start", "respond", "resume", "keep"] = "start"
    since: Instant
    stopped: Instant | None = None
    before: Timetable | None = None


class ConveneRequest(Wire):
    """Everything needed to convene a round, or to convene it again after something changed."""

    product: str
    directory: str
    gate: Gate
    tier: int
    narrowed: dict[str, tuple[str, ...]] = {}
    definition: dict[str, Any] = {}
    evidence: dict[str, Figure] = {}
    milestones: dict[str, str] = {}
    seated: tuple[str, ...] = ()
    """People who sit beside the directory's members: those to whom a seat was given."""
    acting: tuple[str, ...] = ()
    """Delegates. Their absences count, and nothing waits for them."""
    barred: tuple[str, ...] = ()
    """Who had a hand in the product: a group is not narrowed to these."""
    signers: tuple[str, ...] = ()
    """Who has signed something here: of these it is asked which keys are revoked."""
    asked: tuple[int, ...] = ()
    """Requirements that asked the product when this round opened: they go on to, unless its tier
    takes them away."""
    clock: ClockOrder


class CriterionFinding(Wire):
    """`state` is met, unmet, or judged (by the approvers' votes)."""

    id: str
    kind: str
    text: str = ""
    state: str
    why: str = ""


class Convened(Wire):
    """The slice of the directory a round needs, its instants and its criteria.

    `members` are those of every group the gate names, also of groups that review or attest.
    `applying` are the indexes of the requirements that ask this product.
    """

    directory_digest: str
    members: dict[str, tuple[str, ...]]
    applying: tuple[int, ...]
    timetable: Timetable
    absences: dict[str, tuple[Away, ...]] = {}
    """Of everybody who sits, and of those who act for them."""
    deputies: dict[str, str] = {}
    managers: dict[str, tuple[str, ...]] = {}
    gone: tuple[str, ...] = ()
    """Those who were given a seat or a mandate and whom the directory no longer knows."""
    silent: tuple[str, ...] = ()
    """Groups that may not vote on products of this tier."""
    criteria: list[CriterionFinding] = []
    revoked: tuple[str, ...] = ()
    """Fingerprints of keys of people who signed something here, and which are revoked now."""
    notes: list[str] = []
    """What could not be found out, for people to read."""


class AuthorityRequest(Wire):
    """What somebody may do with a product of this tier, by the directory as it is now."""

    directory: str
    actor: str
    tier: int
    about: str | None = None
    """Somebody whom the request concerns: a delegate, a new owner, the holder of a seat."""


class Authority(Wire):
    """The answer. `manages` says that the actor is in the chain of managers above `about`."""

    permissions: tuple[Permission, ...] = ()
    known: bool = False
    about_known: bool = False
    manages: bool = False
    absences: dict[str, tuple[Away, ...]] = {}
    """Of whom it concerns, and of the delegates who would act for them in turn."""
    about_managers: tuple[str, ...] = ()
    directory_digest: str = ""


class RoundRequest(Wire):
    """How did this round end? `since` is when it began: after a reset, numbers come again."""

    product: str
    gate: str
    round: int
    since: Instant | None = None


class RoundAnswer(Wire):
    """What the ledger has of it; None where it has no end. The token is not in the ledger."""

    report: GateReport | None = None


class OpenerQuery(Wire):
    """In which run is the workflow that opened a round, at its end?"""

    workflow_id: str


class OpenerRun(Wire):
    """Empty where there is no such workflow any more."""

    run_id: str = ""


class SignatureQuery(Wire):
    """Did this person sign this statement, with a key that this directory has of them?

    The directory is named by its digest, and the key is judged for the instant `at`, and for
    `signed_at`, when it is said to have been used: the answer never changes. Without a digest it is
    the directory that is current under the name `directory`.
    """

    directory_digest: str
    person: str
    statement: str
    signature: str
    at: Instant
    signed_at: Instant | None = None
    directory: str = ""


class SignatureFinding(Wire):
    """`key` is the fingerprint of the key that signed; `problem` why it does not count."""

    key: str = ""
    problem: str = ""
    code: str = Field("", description="bad-signature, unknown-key, expired-key or revoked-key")
    directory: str = Field("", description="the digest of the directory that was asked")


class AnnounceRequest(Wire):
    """Write these to the product's stream, in this order; ids already there are skipped."""

    product: str
    events: list[Announcement]


class Finding(StrEnum):
    """What a poll of a real system says of a milestone."""

    met = "met"
    not_met = "not-met"
    cannot_tell = "cannot-tell"


class MilestoneQuery(Wire):
    """Poll until the answer differs from `known`. With a `problem`, there is nothing to ask yet."""

    product: str
    milestone: str
    check: AnyPolled
    known: Finding = Finding.not_met
    told: bool = True
    """Whether anything is known of it; the first answer is told whatever it is."""
    problem: str = ""


class MilestoneFinding(Wire):
    """`expected` is when another product expects what was asked about.

    `wait` is how long the system asks to be left alone (a day at most).
    """

    finding: Finding
    why: str = ""
    at: Instant
    expected: Instant | None = None
    wait: timedelta | None = None


class DependencyQuery(Wire):
    """Ask another product until the answer, its reason or the date differ from what is known."""

    product: str
    milestone: str
    check: ProductCheck
    known: Finding = Finding.not_met
    why: str = ""
    expected: Instant | None = None
