"""What travels when a product is put under another policy: the request, and what is judged."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from phasegate.adjusting import Adjustments
from phasegate.base import Instant, Slug, Text, Wire
from phasegate.milestones import Milestone
from phasegate.ports import PhaseBrief
from phasegate.product import Product
from phasegate.requests import Asked
from phasegate.sittings import Kind

JUDGE_MIGRATION = "judge_migration"

Fate = Literal["none", "goes-on", "stopped"]
"""What becomes of the round that is open, if one is."""


class MigrationTerms(Wire):
    """How a migration is meant, for every product of it.

    `phases` gives phases of the old policy their place in the new one; others keep their names.
    `reopen` stops a round whose gate asks something else now, and convenes the gate anew.
    `drop_plan` lets a sunset plan of the owner go that does not fit the new policy.
    """

    phases: dict[Slug, Slug] = Field({}, max_length=100)
    reopen: bool = False
    drop_plan: bool = False

    def called(self, phase: str) -> str:
        """What the new policy calls a phase of the old one."""
        return self.phases.get(phase, phase)

    def renamed(self, product: Product) -> Product:
        """The definition, with its milestones in phases as the new policy calls them."""
        milestones = tuple(
            goal.model_copy(update={"phase": self.called(goal.phase)})
            for goal in product.milestones
        )
        if milestones == product.milestones:
            return product
        return product.model_copy(update={"milestones": milestones})


class MigrateRequest(Asked):
    """Put the product under the policy of this digest."""

    to: str = Field(pattern=r"^sha256:[0-9a-f]{64}$")
    from_: str = Field("", description="the digest that it must be under; any, if empty")
    reason: Text = Field(min_length=1, max_length=500)
    terms: MigrationTerms = MigrationTerms()
    migration: str = Field("", max_length=40, description="what the whole migration is known by")


class LastMigration(Wire):
    """The last time that a product was put under another policy."""

    migration: str
    to: str
    text: str


class Standing(Wire):
    """Where a product stands, as far as another policy may change it.

    `busy` says why it cannot be judged this moment; empty if it can.
    """

    key: str
    status: str
    policy_digest: str
    directory: str
    product: Product
    phase: str | None
    busy: str = ""
    milestones: list[Milestone] = []
    gate: str = Field("", description="of the round that is open")
    round: int = 0
    kind: Kind = "phase"
    needs_submit: bool = False
    invested_from: str | None = None
    adjustments: Adjustments | None = None
    migrations: int = Field(0, description="how often it was put under another policy")
    last: LastMigration | None = None


class Blocker(Wire):
    """Why a product cannot be migrated, and what would let it."""

    code: str
    text: str
    hint: str


class MigrationPlan(Wire):
    """What a migration means for one product.

    `fate` is what becomes of the open round. Milestones are those of the phase it is in: `kept`
    stay as they are, `anew` have another check and are open again, `new` and `gone` say it. `notes`
    are for people; `uncertain` says what the plan does not know.
    """

    key: str
    already: bool = False
    blockers: list[Blocker] = []
    from_digest: str
    to_digest: str
    policy: str
    version: str
    phase: str | None = None
    to_phase: str | None = None
    gate: str = ""
    round: int = 0
    fate: Fate = "none"
    kept: list[str] = []
    anew: list[str] = []
    new: list[str] = []
    gone: dict[str, str] = Field({}, description="milestone → what it had come to")
    review_anew: bool = False
    plan_dropped: bool = False
    definition: Product | None = Field(None, description="with its phases renamed, if any are")
    notes: list[str] = []
    uncertain: list[str] = []

    @property
    def possible(self) -> bool:
        return not self.already and not self.blockers


class JudgeMigration(Wire):
    """Judge a migration by the documents in the ledger, at `now`."""

    standing: Standing
    to: str
    terms: MigrationTerms
    now: Instant
    groups: tuple[str, ...] = ()


class MigrationBrief(Wire):
    """The plan, and what the product needs of its new policy. `phase` is None where it cannot go
    on in any."""

    plan: MigrationPlan
    phase: PhaseBrief | None = None
    hands: dict[str, str] = Field({}, description="who had one in it by the record, and which")
