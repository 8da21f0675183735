"""What a sunset takes from people, and when."""

from __future__ import annotations

from phasegate.errors import Forbidden, Rejected
from phasegate.legal_hold import check_legal_hold, require_holder
from phasegate.requests import (
    AbortRequest,
    ConfirmRequest,
    CustomersRequest,
    LegalHoldRequest,
    SubmitRequest,
)
from phasegate.retirement import Retirement
from phasegate.retirement_graph import frozen
from phasegate.retirement_tasks import Doing, TaskRecord, TaskState
from phasegate.sunset import ManualTask
from phasegate.sunset_ports import ActVerdict, TaskProof


def check_confirm(state: Retirement, request: ConfirmRequest) -> tuple[TaskRecord, Doing]:
    """The task meant, and what of it waits: itself, or what undoes it. Raises Rejected."""
    hint = f"phasegate sunset show {state.product.key}"
    what = f"{request.task} of {state.product.key} cannot be confirmed"
    try:
        record = state.record(request.task)
    except KeyError:
        why = "its sunset has no such task"
        raise Rejected("unknown-task", what, why, hint) from None
    doing, manual = _waiting(state, record)
    if doing.verdict is None and doing.state is TaskState.unknown:
        return record, doing
    if doing.verdict is None and doing.state is TaskState.stuck and not manual:
        if request.outcome == "done":
            return record, doing
        raise Rejected("not-unknown", what, "it is tried on as it is", hint)
    held = doing.state is TaskState.waiting and doing is record and frozen(state, record)
    if manual and (held or doing.state is TaskState.held):
        matters = ", ".join(hold.matter for hold in state.legal_holds)
        why = f"nothing is deleted while a legal hold is placed: {matters}"
        raise Rejected("legal-hold", what, why, hint)
    if not manual and doing.state in (TaskState.planned, TaskState.running):
        raise Rejected("not-manual", what, f"it is done by phasegate ({record.task.kind})", hint)
    if doing.state is not TaskState.waiting or doing.confirmation is not None or not manual:
        why = f"it is {doing.state}, planned for {record.at:%Y-%m-%d %H:%M} UTC"
        raise Rejected("not-waiting", what, why, hint)
    if request.outcome != "done":
        why = "it is to be done, and nobody doubts that it is not: say so when it is"
        raise Rejected("not-unknown", what, why, hint)
    wanted = manual if isinstance(manual, tuple) else ()
    if missing := [name for name in wanted if name not in request.proof]:
        facts = " ".join(f"--proof {name}=…" for name in missing)
        why = f"its proof needs {', '.join(missing)}"
        command = f"phasegate sunset confirm {state.product.key} {request.task} {facts}"
        raise Rejected("proof-missing", what, why, f"{command} --note … --as {request.actor}")
    return record, doing


def _waiting(state: Retirement, record: TaskRecord) -> tuple[Doing, tuple[str, ...] | bool]:
    """What of a task is under way, and whether people do it: the facts its proof needs, if any."""
    for undoing in state.undos or ():
        if undoing.task == record.task.id:
            return undoing, undoing.act.kind == "manual" and (undoing.act.proof or True)
    task = record.task
    return record, isinstance(task, ManualTask) and (task.proof or True)


def confirm(state: Retirement, request: ConfirmRequest, record: TaskRecord, doing: Doing) -> str:
    """Keep what somebody says of a task, and say what was kept."""
    proof = TaskProof(
        text=f"{request.actor}: {request.note}",
        digest=str(request.proof.get("digest", "")),
        data=dict(request.proof),
        by=request.actor,
    )
    if doing.state is TaskState.waiting:
        doing.confirmation = proof
        return f"{record.task.id} is confirmed"
    undone = "/undo" if doing is not record else ""
    doing.verdict = ActVerdict(
        key=state.key_of(record.task.id) + undone,
        product=state.product.key,
        sunset=state.number,
        task=record.task.id,
        done=request.outcome == "done",
        by=request.actor,
        note=request.note,
        proof=request.proof,
    )
    if request.outcome == "done":
        doing.confirmation = proof
        return f"{record.task.id} was done"
    return f"{record.task.id} was not done, and is tried once more"


def require_confirmer(state: Retirement, record: TaskRecord, actor: str) -> None:
    """Raise Forbidden unless this person may confirm the task."""
    group = record.task.by
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
    if state.aborting:
        raise Rejected("aborting", what, "the sunset is being aborted", hint)
    if sitting := state.sittings.open:
        raise Rejected("gate-open", what, f"{sitting.gate} is open already", hint)
    record = state.gate_waiting()
    if record is None or record.task.kind != "gate":
        raise Rejected("no-gate", what, "none of them waits for its owner", hint)
    gate = record.task.gate.id
    if request.gate and request.gate != gate:
        raise Rejected("other-gate", what, f"the gate that waits is {gate}", hint)
    return gate


def check_abort(state: Retirement, request: AbortRequest) -> None:
    """Raise Rejected where there is no way back any more."""
    if state.beyond_return:
        gone = next(
            (
                r.task.title
                for r in state.tasks
                if r.task.kind == "gate" and r.task.point_of_no_return
            ),
            "the last gate",
        )
        raise Rejected(
            "point-of-no-return",
            f"the sunset of {state.product.key} cannot be aborted",
            f"{gone} has passed: what comes after it cannot be undone",
            f"phasegate sunset show {state.product.key}",
        )


def require_aborter(state: Retirement, actor: str) -> None:
    """Raise Forbidden unless this is the owner, or a member of the plan's `abort_by`."""
    group = state.plan.abort_by if state.plan else None
    if actor == state.product.owner or (group and actor in state.members.get(group, ())):
        return
    others = f" and the members of {group}" if group else ""
    raise Forbidden(
        "not-aborter",
        f"{actor} may not abort the sunset of {state.product.key}",
        f"only its owner, {state.product.owner},{others} may",
        f"phasegate sunset show {state.product.key}",
    )


def check_hold(state: Retirement, request: LegalHoldRequest) -> None:
    """Raise Rejected where that matter is placed already, or is none that could be lifted.

    Before the plan is read nobody knows whom it lets place and lift them.
    """
    if state.plan is None:
        raise Rejected(
            "not-planned-yet",
            f"the legal hold {request.matter} of {state.product.key} is not taken",
            "the plan of its sunset is being read; ask again",
            f"phasegate sunset show {state.product.key}",
        )
    check_legal_hold(state.product.key, state.legal_holds, request)


def require_hold_right(state: Retirement, actor: str) -> None:
    """Raise Forbidden unless this person may place and lift legal holds."""
    group = state.plan.legal_hold_by if state.plan else None
    people = state.members.get(group, ()) if group else ()
    require_holder(state.product.key, state.product.owner, group, people, actor)


def check_customers(state: Retirement, request: CustomersRequest) -> None:
    """Raise Rejected once the customers do not matter any more."""
    if state.beyond_return:
        raise Rejected(
            "point-of-no-return",
            f"the customers of {state.product.key} cannot be changed",
            "the point of no return is passed, with every customer settled",
            f"phasegate customer list {state.product.key}",
        )


def groups_of(state: Retirement) -> tuple[str, ...]:
    """The groups that the plan and the product's own tasks name, in the order of their names."""
    plan = state.plan
    named = [record.task.by for record in state.tasks]
    named += [plan.abort_by, plan.legal_hold_by] if plan else []
    return tuple(sorted({group for group in named if group}))
