"""What a milestone says about the criterion that names it."""

from __future__ import annotations

from phasegate.milestones import MilestoneStatus


def judged_by_milestone(milestone: str, status: str | None) -> tuple[str, str]:
    """The criterion's state and why.

    Met only when the milestone is met. A waived one is for the approvers to judge: its owner must
    not be able to waive their own must-criterion away (segregation of duties).
    """
    if status is None:
        return "unmet", f"the product has no milestone {milestone}"
    if status == MilestoneStatus.waived:
        return "judged", f"milestone {milestone} is waived; a yes says that it is not needed"
    state = "met" if status == MilestoneStatus.met else "unmet"
    return state, f"milestone {milestone} is {status}"
