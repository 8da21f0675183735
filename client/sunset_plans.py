"""A product's sunset as it would be: laid out here, from its policy, its customers and a file.

The engine lays it out again when it takes the plan; here the owner sees it first, and what is
wrong with a file is said with its lines.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pydantic import TypeAdapter, ValidationError

from client.documents import read_text
from client.plan import voters_of
from client.sunset_ground import Ground
from client.usage import UsageError
from phasegate.adjusting import Adjustments
from phasegate.base import Beginning, digest_of
from phasegate.plan_view import (
    PlanView,
    dates_of,
    owed,
    planned_gates,
    planned_tasks,
    problems_of,
)
from phasegate.problems import DocumentError
from phasegate.reading import Parsed, parse
from phasegate.sunset_flaws import Flaw, raise_first
from phasegate.sunset_layout import lay_out
from phasegate.sunset_rules import problems

_NOTICE: TypeAdapter[datetime] = TypeAdapter(Beginning)


@dataclass(frozen=True)
class Wanted:
    """What an owner asks for: `parsed` is the file, where one was given."""

    adjustments: Adjustments
    parsed: Parsed[Adjustments] | None = None


def read_adjustments(file: str) -> Parsed[Adjustments]:
    """A product's adjustments from their file. Raises UsageError and DocumentError."""
    return parse(Adjustments, read_text(file), file)


def wanted(ground: Ground, file: str | None, notice: str | None) -> Wanted:
    """What the owner asks for: the file, or else what is recorded, with that notice."""
    parsed = read_adjustments(file) if file else None
    adjustments = parsed.model if parsed else ground.adjustments
    if notice is not None:
        try:
            day = _NOTICE.validate_python(notice)
        except ValidationError:
            raise UsageError(
                f"--notice {notice!r} is no day",
                "needs a date such as 2030-02-01, or an instant with a time zone",
                f"phasegate sunset plan {ground.product.key} --notice 2030-02-01 --dry-run",
            ) from None
        adjustments = adjustments.model_copy(update={"notice": day})
    return Wanted(adjustments, parsed)


def lay_out_on(ground: Ground, asked: Wanted, now: datetime) -> tuple[PlanView, list[Flaw]]:
    """The plan as it would be at `now`, and the rules that it breaks.

    Raises DocumentError, or Flaw without a file, where it cannot be laid out at all.
    """
    key, maturity = ground.product.key, ground.product.maturity
    standing = ground.before.notice_at if ground.before else None
    try:
        layout = lay_out(
            ground.plan,
            asked.adjustments,
            maturity=maturity,
            now=now,
            notice=asked.adjustments.notice or standing,
            contracts_until=ground.contracts_until,
            before=ground.before,
            product=key,
        )
    except Flaw as broken:
        raise (_in_file(asked, [broken]) or broken) from None
    found = problems(
        layout,
        ground.plan,
        asked.adjustments,
        maturity=maturity,
        now=now,
        contracts_until=ground.contracts_until,
        before=ground.before,
        product=key,
    )
    gates = planned_gates(layout)
    if ground.directory is not None:
        for gate in gates:
            theirs = next(g for g in ground.policy.gates() if g.id == gate.gate)
            gate.voters = voters_of(theirs, ground.product, ground.directory)
    ends = [at for at in (asked.adjustments.contracts_until, ground.contracts_until) if at]
    view = PlanView(
        product=key,
        policy=f"{ground.policy.policy} {ground.policy.version}",
        policy_digest=digest_of(ground.policy),
        maturity=maturity,
        number=ground.number,
        running=ground.before is not None,
        notice_at=layout.notice_at,
        minimum_notice=owed(ground.plan, maturity),
        contracts_until=max(ends, default=None),
        dates=dates_of(layout),
        decided_by=ground.decided_by,
        tasks=planned_tasks(layout, asked.adjustments),
        gates=gates,
        moved=layout.moved,
        problems=problems_of(found),
    )
    for problem, flaw in zip(view.problems, found, strict=True):
        problem.where = _where(asked, flaw)
    return view, found


def refuse(asked: Wanted, flaws: list[Flaw], key: str) -> None:
    """Raise DocumentError with the lines of the file, or Rejected, if a rule is broken."""
    if error := _in_file(asked, flaws):
        raise error
    raise_first(flaws, key)


def strangers(ground: Ground, asked: Wanted) -> list[str]:
    """Warnings: added tasks for groups that nobody is in, which only the owner could confirm."""
    if ground.directory is None:
        return []
    groups = ground.directory.groups
    return [
        f"added task {task.id}: the directory has no group {task.by}, so that only the owner "
        "answers for it"
        for task in asked.adjustments.add
        if task.by and not (groups.get(task.by) and groups[task.by].members)
    ]


def _where(asked: Wanted, flaw: Flaw) -> str:
    if asked.parsed is None or not flaw.path or flaw.path[0] == "tasks":
        return ""
    problem = asked.parsed.problem(flaw.path, "")
    return f"{problem.source}:{problem.line}:{problem.column}"


def _in_file(asked: Wanted, flaws: list[Flaw]) -> DocumentError | None:
    """The flaws as problems of the file; None where there are none, or no file was given."""
    if asked.parsed is None or not flaws:
        return None
    parsed = asked.parsed
    found = tuple(parsed.problem(flaw.path, f"{flaw.what}: {flaw.why}") for flaw in flaws)
    return DocumentError(found)
