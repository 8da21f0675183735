"""What a sunset takes from people, and when."""

from __future__ import annotations

from phasegate.errors import Forbidden, Rejected
from phasegate.requests import ConfirmRequest, SubmitRequest
from phasegate.retirement import Retirement, TaskRecord, TaskState
from phasegate.sunset import GateTask, ManualTask


def check_confirm(state: Retirement, request: ConfirmRequest) -> TaskRecord:
    """The manual task meant. Raises Rejected where it is none, or does not wait now."""
    hint = f"phasegate sunset show {state.product.key}"
    what = f"{request.task} of {state.product.key} cannot be confirmed"
    try:
        record = state.record(request.task)
    except KeyError:
        why = "its sunset has no such task"
        raise Rejected("unknown-task", what, why, hint) from None
    if not isinstance(record.task, ManualTask):
        raise Rejected("not-manual", what, f"it is done by phasegate ({record.task.kind})", hint)
    if record.state is not TaskState.waiting:
        why = f"it is {record.state}, planned for {record.at:%Y-%m-%d %H:%M} UTC"
        raise Rejected("not-waiting", what, why, hint)
    return record


def require_confirmer(state: Retirement, record: TaskRecord, actor: str) -> None:
    """Raise Forbidden unless this person may confirm the task."""
    group = record.task.by if isinstance(record.task, ManualTask) else None
    if group is None:
        require_owner(state, actor, f"confirm {record.task.id} of")
    elif actor != state.product.owner and actor not in state.members.get(group, ()):
        raise Forbidden(
            "not-confirmer",
            f"{actor} may not confirm {record.task.id} of {state.product.key}",
            f"only {state.product.owner} and the members of {group} may",
            f"phasegate directory show {state.product.directory}",
        )


def require_owner(state: Retirement, actor: str, what: str) -> None:
    """Raise Forbidden unless this is the product's owner."""
    if actor != state.product.owner:
        raise Forbidden(
            "not-owner",
            f"{actor} may not {what} {state.product.key}",
            f"only its owner, {state.product.owner}, may",
            f"phasegate sunset show {state.product.key}",
        )


def require_owner_or_team(state: Retirement, actor: str, what: str) -> None:
    """Raise Forbidden unless this is the product's owner, or somebody of its team."""
    if actor not in state.product.definition.get("team", ()):
        require_owner(state, actor, what)


def check_submit(state: Retirement, request: SubmitRequest) -> str:
    """The id of the stopped gate that waits for its owner. Raises Rejected where none does."""
    hint = f"phasegate sunset show {state.product.key}"
    what = f"no gate of {state.product.key}'s sunset can be submitted"
    if sitting := state.sittings.open:
        raise Rejected("gate-open", what, f"{sitting.gate} is open already", hint)
    for record in state.tasks:
        if isinstance(record.task, GateTask) and record.state is TaskState.waiting:
            gate = record.task.gate.id
            if request.gate and request.gate != gate:
                raise Rejected("other-gate", what, f"the gate that waits is {gate}", hint)
            return gate
    raise Rejected("no-gate", what, "none of them waits for its owner", hint)
