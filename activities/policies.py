"""Reading the policy a product is pinned to."""

from __future__ import annotations

from temporalio import activity

from activities.errors import (
    DIRECTORY_UNKNOWN,
    PHASE_UNKNOWN,
    POLICY_UNKNOWN,
    SUNSET_UNPLANNED,
    failure,
    ledger_errors,
)
from ledger import Ledger
from phasegate import ports
from phasegate.check import ReportedCheck
from phasegate.directory import Directory
from phasegate.hands import TELLS, hands_told
from phasegate.migration import plan_migration
from phasegate.migration_ports import JUDGE_MIGRATION, JudgeMigration, MigrationBrief
from phasegate.policy import Policy
from phasegate.sunset_expand import expand


class PolicyActivities:
    """Policies are immutable under their digest, so every answer here is final."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    @activity.defn(name=ports.READ_PHASE)
    def read_phase(self, request: ports.PhaseRequest) -> ports.PhaseBrief:
        """A phase of the policy, and where a Go leads.

        Errors: policy-unknown and ledger-unavailable and
        phase-unknown. All are retried: a years-long lifecycle waits for a mend, it does not fail.
        """
        policy = self._policy(request.policy_digest)
        wanted = policy.phases[0].id if request.phase is None else request.phase
        try:
            phase = policy.phase(wanted)
        except KeyError:
            raise failure(
                PHASE_UNKNOWN,
                f"policy {policy.policy} has no phase {wanted}",
                f"its phases are {', '.join(phase.id for phase in policy.phases)}",
                "restore the ledger that the policy was published to",
            ) from None
        # Of every phase: a gate may be submitted before its milestones, which are then met late.
        checks = [goal.check for each in policy.phases for goal in each.milestones]
        groups = {check.by for check in checks if isinstance(check, ReportedCheck) and check.by}
        groups |= {*request.groups}
        return ports.PhaseBrief(
            phase=phase,
            next=policy.following(phase.id),
            has_sunset=policy.sunset is not None,
            reporters=self._members(request.directory, groups),
        )

    @activity.defn(name=JUDGE_MIGRATION)
    def judge_migration(self, request: JudgeMigration) -> MigrationBrief:
        """What another policy means for a product where it stands.

        Errors: policy-unknown, directory-unknown and ledger-unavailable; all are retried.
        """
        standing = request.standing
        old, new = self._policy(standing.policy_digest), self._policy(request.to)
        plan = plan_migration(
            old,
            new,
            standing,
            request.terms,
            self._directory(standing.directory),
            to=request.to,
            now=request.now,
        )
        with ledger_errors():
            said = self._ledger.events(standing.key, types=TELLS)
        hands = hands_told(entry.announcement for entry in said)
        if plan.to_phase is None:
            return MigrationBrief(plan=plan, hands=hands)
        phase = ports.PhaseRequest(
            policy_digest=request.to,
            phase=plan.to_phase,
            directory=standing.directory,
            groups=request.groups,
        )
        return MigrationBrief(plan=plan, phase=self.read_phase(phase), hands=hands)

    @activity.defn(name=ports.READ_SUNSET)
    def read_sunset(self, request: ports.SunsetRequest) -> ports.SunsetBrief:
        """The policy's sunset plan, and who is in the groups that it names.

        Errors: policy-unknown and ledger-unavailable and sunset-unplanned; all are retried.
        """
        policy = self._policy(request.policy_digest)
        if policy.sunset is None:
            raise failure(
                SUNSET_UNPLANNED,
                f"policy {policy.policy} plans no sunset",
                "it has no `sunset` section",
                "restore the ledger that the policy was published to",
            )
        plan = policy.sunset
        named = [leaf.task.by for leaf in expand(plan).leaves]
        groups = {group for group in [*named, plan.abort_by, plan.legal_hold_by] if group}
        return ports.SunsetBrief(plan=plan, members=self._members(request.directory, groups))

    @activity.defn(name=ports.READ_MEMBERS)
    def read_members(self, request: ports.MembersRequest) -> ports.Members:
        """Who is in these groups today.

        Errors: directory-unknown and ledger-unavailable; all are retried.
        """
        return ports.Members(members=self._members(request.directory, {*request.groups}))

    def _members(self, directory: str, groups: set[str]) -> dict[str, tuple[str, ...]]:
        """Who is in these groups today, in the directory of that name."""
        if not groups:
            return {}
        known = self._directory(directory)
        return {group: known.members(group) if known else () for group in sorted(groups)}

    def _directory(self, name: str) -> Directory | None:
        """The directory of that name as it is now."""
        with ledger_errors(unknown=DIRECTORY_UNKNOWN):
            documents = self._ledger.documents
            current = documents.current("directory", name)
            return documents.read_directory(current.digest) if current else None

    def _policy(self, digest: str) -> Policy:
        with ledger_errors(unknown=POLICY_UNKNOWN):
            return self._ledger.documents.read_policy(digest)
