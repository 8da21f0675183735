"""A killed product comes back: the run that starts with its state asks whether it may."""

from __future__ import annotations

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from phasegate import ports
    from phasegate.errors import Forbidden, Refusal, Rejected
    from phasegate.lifecycle import Status
    from phasegate.pseudonyms import in_use
    from phasegate.requests import Receipt, ReviveRequest
    from phasegate.revival import revive
    from workflows.calling import ask
    from workflows.planning_desk import PlanningDesk
    from workflows.refusing import as_failure, count_refusal


class RevivalDesk(PlanningDesk):
    """Answers who started the run, and goes on with the product, or ends again as killed."""

    def __init__(self) -> None:
        super().__init__()
        self._not_revived: Refusal | None = None

    async def come_back(self) -> None:
        """Ask the directory, patiently: nothing else can happen before it answers."""
        state, revival = self.state, self.state.revival
        assert revival is not None
        found = await ask(
            ports.AUTHORITY,
            ports.AuthorityRequest(
                directory=state.directory, actor=revival.by, tier=state.product.tier
            ),
            ports.Authority,
            in_use().said(f"whether {revival.by} may revive it", "whether it may be revived"),
        )
        try:
            text = revive(state, found, workflow.now())
        except Forbidden as refusal:
            self._not_revived = refusal
            self.record_refusal(revival.by, refusal, channel="start")
            return
        self.books.announce(
            "product.revived",
            text,
            actor=revival.by,
            phase=state.phase_id,
            directory=found.directory_digest,
        )
        receipt = Receipt(workflow_id=self.id, text=text, status=state.word)
        state.remember(revival.key, receipt)
        self.publish()

    @workflow.update(name="revive")
    async def revive_product(self, request: ReviveRequest) -> Receipt:
        """What became of the revival that started this run."""
        state = self.state
        await workflow.wait_condition(
            lambda: self._not_revived is not None or state.status is not Status.killed
        )
        if known := state.handled.get(request.key):
            return known
        raise as_failure(self._not_revived or self._not_killed())

    @revive_product.validator
    def _check_revive(self, request: ReviveRequest) -> None:
        state = self.state
        asked = state.revival is not None and state.revival.key == request.key
        if not asked and request.key not in state.handled:
            refusal = self._not_killed()
            count_refusal(refusal)
            raise as_failure(refusal)

    def _not_killed(self) -> Rejected:
        return Rejected(
            "not-killed",
            f"{self.state.key} cannot be revived",
            f"it is {self.state.status}, or somebody else is reviving it",
            f"phasegate product show {self.state.key}",
        )
