"""Reading what a phase of the policy asks, and who may report its milestones."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from phasegate import ports
    from phasegate.check import ReportedCheck
    from phasegate.lifecycle import Lifecycle
    from workflows.bookkeeping import PATIENT


def own_reporters(state: Lifecycle) -> tuple[str, ...]:
    """The groups that report milestones of the product's own."""
    checks = [milestone.check for milestone in state.product.milestones]
    groups = {check.by for check in checks if isinstance(check, ReportedCheck) and check.by}
    return tuple(sorted(groups))


async def read_phase(state: Lifecycle, phase: str | None) -> ports.PhaseBrief:
    """The phase, or the first one."""
    brief: ports.PhaseBrief = await workflow.execute_activity(
        ports.READ_PHASE,
        ports.PhaseRequest(
            policy_digest=state.policy.digest,
            phase=phase,
            directory=state.directory,
            groups=own_reporters(state),
        ),
        result_type=ports.PhaseBrief,
        start_to_close_timeout=timedelta(seconds=30),
        retry_policy=PATIENT,
        summary=f"what {phase or 'the first phase'} asks",
    )
    return brief


async def learn_reporters(state: Lifecycle) -> None:
    """A new definition may name groups that nobody has asked the directory for."""
    brief = state.brief
    if brief is None or all(group in brief.reporters for group in own_reporters(state)):
        return
    found = await read_phase(state, brief.phase.id)
    if state.brief is not None:
        state.brief.reporters = {**state.brief.reporters, **found.reporters}
