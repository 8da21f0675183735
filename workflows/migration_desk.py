"""A product is put under another policy on purpose, and never by itself."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from phasegate import migrating
    from phasegate.errors import Rejected
    from phasegate.lifecycle import Status
    from phasegate.migration_ports import (
        JUDGE_MIGRATION,
        JudgeMigration,
        MigrateRequest,
        MigrationBrief,
        Standing,
    )
    from phasegate.ports import Authority
    from phasegate.requests import Receipt
    from phasegate.sittings import GateReport
    from workflows.authority import ask_briefly
    from workflows.desk import because
    from workflows.phases import own_reporters
    from workflows.revival_desk import RevivalDesk

STOPS_WITHIN = timedelta(seconds=60)
"""A round ends when the ledger has what it said. A dead one must not hold up the product."""


class _Judged(NamedTuple):
    rights: Authority
    before: Standing
    brief: MigrationBrief


class MigrationDesk(RevivalDesk):
    """Judged here, whatever the client has found out before."""

    def __init__(self) -> None:
        super().__init__()
        self.stopping: list[str] = []
        """Keys of the migrations that a round is being stopped for: they take its report first."""

    @workflow.update(name="migrate")
    async def migrate_product(self, request: MigrateRequest) -> Receipt:
        """Go on under another policy, as far as the product's standing allows."""
        state = self.state

        async def ask() -> _Judged:
            rights = await self._authority(request.actor)
            before = self._standing()
            brief = await self._judge(request, before)
            stops = brief.plan.possible and brief.plan.fate == "stopped"
            moved = self._standing() != before
            if stops and not moved and migrating.may_migrate(state, request, rights, brief.hands):
                await self._stop_round(request.key)
            return _Judged(rights, before, brief)

        def do(found: _Judged) -> str:
            plan = found.brief.plan
            report = self._report_of_stopped(request.key) if plan.fate == "stopped" else None
            told_of = found.brief.hands | (report.had_a_hand if report else {})
            migrating.require_migrator(state, request, found.rights, told_of)
            migrating.require_judged(state, plan, found.before, report)
            told = migrating.migrate(state, request, found.brief, report, workflow.now())
            text = f"{state.key} is put under {told['policy']}, in the place of"
            text = f"{text} {told['from_policy']}" + because(request.reason)
            migrating.remember_migration(state, request, text)
            self.books.announce(
                "product.migrated",
                text,
                actor=request.actor,
                phase=state.phase_id,
                directory=found.rights.directory_digest,
                **told,
            )
            self.watch.stop()
            if state.status in (Status.active, Status.on_hold):
                self.watch.start()
            return text

        try:
            return await self.serve_asking(
                request, lambda: migrating.check_migrate(state, request), ask, do, state.revision
            )
        finally:  # those of others go on
            self.stopping = [key for key in self.stopping if key != request.key]

    @migrate_product.validator
    def _check_migrate(self, request: MigrateRequest) -> None:
        self.validate(request, lambda: migrating.check_migrate(self.state, request))

    @workflow.query(name="standing")
    def standing(self) -> Standing:
        """Where it stands, for a migration that is only looked at."""
        return self._standing()

    def _standing(self) -> Standing:
        found = migrating.standing_of(self.state, opening=self.gates.starting)
        return found.model_copy(deep=True)

    async def _judge(self, request: MigrateRequest, standing: Standing) -> MigrationBrief:
        return await ask_briefly(
            JUDGE_MIGRATION,
            JudgeMigration(
                standing=standing,
                to=request.to,
                terms=request.terms,
                now=workflow.now(),
                groups=own_reporters(self.state),
            ),
            MigrationBrief,
            "what another policy means for it",
            what=f"what another policy means for {self.state.key} cannot be found out",
            why="the policies cannot be read",
        )

    # -- a round that is in the way -------------------------------------------------------------

    async def _stop_round(self, key: str) -> None:
        """Stop the open round and wait for its last word: it may have decided meanwhile."""
        self.stopping.append(key)
        await self.gates.stop()
        await self.gates.tell("ping")
        try:
            await workflow.wait_condition(
                self.gates.reported, timeout=STOPS_WITHIN, timeout_summary="the round's last word"
            )
        except TimeoutError:
            product = self.state.key
            raise Rejected(
                "round-still-ending",
                f"{product} is not migrated yet",
                "its round is stopped, and has not told its last word: the ledger may be down",
                f"phasegate product show {product}  # once it is back to work, ask again",
            ) from None

    def _report_of_stopped(self, key: str) -> GateReport | None:
        """What the stopped round said at last; it is kept for whoever follows it."""
        return self.gates.last_word() if key in self.stopping and self.gates.reported() else None
