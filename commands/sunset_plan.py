"""`phasegate sunset plan`: the calendar and the gates of a sunset, and its recording."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from commands.options import Key, Output

if TYPE_CHECKING:
    from datetime import datetime

    from client.engine import Engine
    from client.sunset_ground import Ground
    from commands.options import Format
    from commands.output import Block
    from phasegate.plan_view import PlannedGate, PlannedTask, PlanView
    from phasegate.requests import Receipt


async def plan(
    key: Key,
    file: Annotated[str | None, Parameter(help="What to change in the policy's plan")] = None,
    /,
    *,
    who: Annotated[
        str | None,
        Parameter(name="--as", env_var="PHASEGATE_AS", help="Who records it; --dry-run needs none"),
    ] = None,
    notice: Annotated[str | None, Parameter(help="The day of the public notice")] = None,
    product: Annotated[
        str | None, Parameter(help="The definition (FILE) of a product that does not run")
    ] = None,
    policy: Annotated[
        str | None, Parameter(help="With --product: a policy (NAME or FILE) instead of its own")
    ] = None,
    dry_run: Annotated[
        bool, Parameter(negative=(), help="Show the calendar and the gates; record nothing")
    ] = False,
    output: Output = "table",
) -> int:
    """Plan a sunset: show its calendar and its gates, or record what the product changes.

    With FILE or --notice the plan is recorded for the product, before its sunset or while it runs
    (to postpone). With --dry-run, or with neither, it is only shown; exit code 1 if it breaks a
    rule.
    """
    from datetime import UTC, datetime

    from client import sunset_ground
    from client.engine import Engine
    from client.settings import Settings
    from client.usage import UsageError
    from commands.parsing import key_of
    from commands.receipts import emit_receipt
    from ledger import Ledger

    key = key_of(key)
    if policy is not None and product is None:
        raise UsageError(
            "--policy goes with --product",
            "a product that runs is pinned to the policy it started with",
            f"phasegate sunset plan {key} --dry-run",
        )
    now = datetime.now(UTC)
    if product is not None:
        ledger = Ledger(Settings.load().ledger_url)
        ground = sunset_ground.ground_from(key, product, policy, ledger)
        return _show(ground, file, notice, now, output)
    engine = await Engine.connect()
    if dry_run or (file is None and notice is None):
        return _show(await sunset_ground.ground_of(engine, key, now), file, notice, now, output)
    if who is None:
        again = " ".join(word for word in (file, notice and f"--notice {notice}") if word)
        raise UsageError(
            f"nobody plans the sunset of {key}",
            "--as is left out, and the record keeps who it was",
            f"phasegate sunset plan {key} {again} --as WHO",
        )
    receipt = await record(engine, key, file, notice, who)
    emit_receipt(receipt, output, product=key)
    return 0


async def record(
    engine: Engine, key: str, file: str | None, notice: str | None, who: str
) -> Receipt:
    """Have the plan recorded. What is wrong with a file is said with its lines, before it is sent.

    Raises DocumentError, UsageError, Rejected, Forbidden or EngineError.
    """
    from datetime import UTC, datetime

    from client import sunset_ground, sunset_plans, sunsets
    from client.asking import new_request_id
    from commands.output import note
    from commands.parsing import build
    from phasegate.requests import PlanSunsetRequest

    now = datetime.now(UTC)
    ground = await sunset_ground.ground_of(engine, key, now)
    asked = sunset_plans.wanted(ground, file, notice)
    _, flaws = sunset_plans.lay_out_on(ground, asked, now)
    sunset_plans.refuse(asked, flaws, key)
    for warning in sunset_plans.strangers(ground, asked):
        note(f"warning: {warning}")
    request = build(
        PlanSunsetRequest, actor=who, adjustments=asked.adjustments, request_id=new_request_id()
    )
    return await sunsets.record_plan(engine, key, request)


def _show(
    ground: Ground, file: str | None, notice: str | None, now: datetime, output: Format
) -> int:
    """Print the plan; 1 where it breaks a rule."""
    from client import sunset_plans
    from commands.failing import FAILED, OK
    from commands.output import emit, note

    asked = sunset_plans.wanted(ground, file, notice)
    view, flaws = sunset_plans.lay_out_on(ground, asked, now)
    emit(view, lambda: plan_blocks(view), output)
    for warning in sunset_plans.strangers(ground, asked):
        note(f"warning: {warning}")
    if flaws:
        note(f"this plan would be refused: {flaws[0]}")
    note("nothing was recorded")
    return FAILED if flaws else OK


def plan_blocks(view: PlanView) -> Iterable[Block]:
    """A plan as people read it."""
    from commands.output import Fields, Grid, dense

    if view.problems:
        rows = [(p.code, f"{p.what}: {p.why}", p.where) for p in view.problems]
        yield dense(("rule", "what is wrong", "where"), rows, "Would be refused")
    yield Fields(
        [
            ("sunset of", view.product),
            ("number", view.number if view.number > 1 else ""),
            ("policy", view.policy),
            ("decided by", view.decided_by),
            ("public notice", view.notice_at),
            *((mark.replace("-", " "), at) for mark, at in view.dates.items()),
            ("owed", f"{view.minimum_notice} of notice (maturity {view.maturity})"),
            ("contracts until", view.contracts_until),
            ("moved", view.moved),
        ]
    )
    calendar = sorted(view.tasks, key=lambda task: task.at)  # what is listed first on a day, first
    yield dense(
        ("on", "task", "kind", "by", "overdue", "title", "note"),
        [(t.at, t.id, t.kind, t.by, t.overdue_at, t.title, _note(t)) for t in calendar],
        "Calendar",
    )
    yield dense(
        ("gate", "on", "asks", "voters", "criteria", "note"),
        [
            (
                gate.gate,
                gate.at,
                gate.requires,
                _voters(gate),
                gate.criteria,
                "the point of no return" if gate.point_of_no_return else "",
            )
            for gate in view.gates
        ],
        "Gates",
    )
    yield Grid(
        ("reminder", "of"),
        sorted((at, task.id) for task in view.tasks for at in task.reminders),
        "Reminders",
    )


def _note(task: PlannedTask) -> str:
    if task.skipped:
        return f"left out: {task.skipped}"
    words = [task.marks and f"marks {task.marks}", "added" if task.added else ""]
    if task.effect in ("irreversible", "deletion"):
        words.append("cannot be undone")
    return "; ".join(word for word in words if word)


def _voters(gate: PlannedGate) -> list[str]:
    return [f"{group}: {', '.join(people)}" for group, people in gate.voters.items()]
