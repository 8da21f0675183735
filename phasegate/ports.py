"""What workflows ask of activities: names, and the models that travel between them.

Workflows and activities know each other by this module only.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from phasegate.base import Instant, Wire
from phasegate.check import HttpCheck
from phasegate.events import Announcement
from phasegate.gate import Gate
from phasegate.policy import Phase
from phasegate.sunset import ArchiveTask, HttpTask, SunsetPlan

READ_PHASE = "read_phase"
READ_SUNSET = "read_sunset"
CONVENE = "convene"
ANNOUNCE = "announce"
CHECK_MILESTONE = "check_milestone"
CALL_ENDPOINT = "call_endpoint"
ARCHIVE_FILES = "archive_files"


class PhaseRequest(Wire):
    """Read a phase of a published policy; the first one if `phase` is None."""

    policy_digest: str
    phase: str | None = None
    directory: str = "default"


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
    """The plan, and the people who may confirm its manual tasks (group → members)."""

    plan: SunsetPlan
    members: dict[str, tuple[str, ...]] = {}


class ConveneRequest(Wire):
    """Everything needed to open a round: who may vote, by when, and what the criteria say."""

    product: str
    directory: str
    gate: Gate
    tier: int
    narrowed: dict[str, tuple[str, ...]] = {}
    definition: dict[str, Any] = {}
    milestones: dict[str, str] = {}
    opened_at: Instant


class CriterionFinding(Wire):
    """`state` is met, unmet, or judged (by the approvers' votes)."""

    id: str
    kind: str
    text: str = ""
    state: str
    why: str = ""


class Convened(Wire):
    """The slice of the directory a round needs, and its instants."""

    directory_digest: str
    members: dict[str, tuple[str, ...]]
    respond_due: Instant
    resolve_due: Instant
    remind_at: list[Instant] = []
    criteria: list[CriterionFinding] = []


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
    """Poll until the answer differs from `known`."""

    product: str
    milestone: str
    check: HttpCheck
    known: Finding = Finding.not_met


class MilestoneFinding(Wire):
    finding: Finding
    why: str = ""
    at: Instant


class EndpointOrder(Wire):
    """Call an endpoint for a retirement task. `key` is the Idempotency-Key."""

    product: str
    key: str
    task: HttpTask


class ArchiveOrder(Wire):
    product: str
    key: str
    task: ArchiveTask


class TaskProof(Wire):
    """What shows that a retirement task was done."""

    text: str
    digest: str = ""
    data: dict[str, Any] = {}
