"""The sunset: names and circles, the order of days, the point of no return, customers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from phasegate.adjusting import Adjustments
from phasegate.ids import MAIN_QUEUE
from phasegate.lint.acts import OF_REMINDER, act_findings, mail_findings
from phasegate.lint.clocks import public_date_findings
from phasegate.lint.findings import Finding
from phasegate.policy import Policy
from phasegate.problems import DocPath
from phasegate.queues import KINDS, queue_of
from phasegate.span import Span
from phasegate.sunset import (
    CUSTOMERS_SETTLED,
    ActingTask,
    DateTask,
    GateTask,
    MailTask,
    SunsetPlan,
    day_in_words,
)
from phasegate.sunset_days import Days, day_after
from phasegate.sunset_expand import Expanded, Leaf, expand
from phasegate.sunset_flaws import Flaw, raise_first
from phasegate.sunset_layout import circles, lay_out
from phasegate.sunset_rules import problems

NOTICE = datetime(2027, 1, 1, tzinfo=UTC)
"""A notice to reckon with, of a year and a month that no span makes shorter than it is."""


def sunset_findings(policy: Policy) -> Iterator[Finding]:
    """What is wrong with the plan by which products leave the market."""
    for i, phase in enumerate(policy.phases):
        for j, milestone in enumerate(phase.milestones):
            if milestone.id == CUSTOMERS_SETTLED:
                path: DocPath = ("phases", i, "milestones", j, "id")
                message = (
                    f"every sunset has a milestone {CUSTOMERS_SETTLED} of its own; rename this"
                )
                yield Finding("error", path, message)
    if policy.sunset is None:
        return
    said: set[Finding] = set()
    for finding in _plan(policy.sunset):
        if finding not in said:  # the copies of a plan within the plan are all alike
            said.add(finding)
            yield finding


def _plan(plan: SunsetPlan) -> Iterator[Finding]:
    others = {queue_of(MAIN_QUEUE, kind) for kind in KINDS if kind != "retirement"}
    if plan.task_queue in others:
        message = (
            f"{plan.task_queue} is where other work is done by default; name a queue of its own, "
            "or leave this out"
        )
        yield Finding("warning", ("sunset", "task_queue"), message)
    found = expand(plan)
    yield from map(_finding, found.flaws)
    yield from _no_return(found)
    yield from _customers(plan, found)
    try:
        raise_first(circles(found), "KEY")
        days = Days(found, Adjustments(), NOTICE).of
    except Flaw as flaw:  # a circle, or a day beyond the calendar: there are no days to judge
        yield _finding(flaw)
        return
    yield from _dates(plan, found, days)
    if not found.flaws:
        yield from _order(found, days)
        yield from _rules(plan, found)
        yield from public_date_findings(found, days)


def _at(leaf: Leaf, *below: str | int) -> DocPath:
    return ("sunset", *leaf.path, *below)


def _finding(flaw: Flaw) -> Finding:
    return Finding("error", ("sunset", *flaw.path), f"{flaw.what}: {flaw.why}")


def _order(found: Expanded, days: Mapping[str, datetime]) -> Iterator[Finding]:
    """Days that the gates between them put in another order. Tasks that give no day have that of
    what they wait for, and public dates are the rules' to judge."""
    above: list[Leaf] = []
    gate: Leaf | None = None
    for leaf in found.leaves:
        task, at, when = leaf.task, days[leaf.task.id], day_in_words(leaf.task)
        counted = task.relative_to is not None and task.relative_to not in found.groups
        gives = counted or task.at != Span()
        if gate and gives and at < days[gate.task.id] and not isinstance(task, DateTask):
            yield Finding(
                "error",
                _at(leaf, "at"),
                f"task {task.id} ({when}) is before gate {gate.task.id} "
                f"({day_in_words(gate.task)}), for which it waits, since that is listed above it; "
                "list the gate below, or give the task a later day",
            )
        if isinstance(task, GateTask):
            late = [other for other in above if days[other.task.id] > at]
            if late:
                last = max(late, key=lambda other: days[other.task.id])
                yield Finding(
                    "error",
                    _at(leaf, "at"),
                    f"gate {task.id} ({when}) waits for what is listed above it, and "
                    f"{last.task.id} ({day_in_words(last.task)}) is later; list that below the "
                    "gate, or give the gate a later day",
                )
            gate = leaf
        above.append(leaf)


BROKEN = {
    "sale-after-end-of-life": (
        "at",
        "{task} comes after the end of life, when all of it has ended; give it an earlier day",
    ),
    "irreversible-too-early": (
        "at",
        "nothing brings back what {task} does, and it comes before the end of life; give it a "
        "later day",
    ),
    "no-point-of-no-return": (
        "effect",
        "nothing brings back what {task} does; list it below a gate with point_of_no_return: true",
    ),
    "day-too-early": (
        "at",
        "{task} is a public date and waits for something later, so that it cannot be kept; give "
        "it a later day, or list it above what it waits for",
    ),
}
"""The rules that a policy can break before anybody gives a date: where, and what to say."""


def _rules(plan: SunsetPlan, found: Expanded) -> Iterator[Finding]:
    """The rules of every sunset, as far as a plan alone can break them."""
    paths = {leaf.task.id: leaf.path for leaf in found.leaves}
    free = plan.model_copy(update={"minimum_notice": {"ga": Span()}})
    layout = lay_out(free, Adjustments(), maturity="ga", now=NOTICE, notice=NOTICE)
    for flaw in problems(layout, free, Adjustments(), maturity="ga", now=NOTICE):
        if flaw.code in BROKEN:
            name = str(flaw.path[-1])
            field, message = BROKEN[flaw.code]
            yield Finding("error", ("sunset", *paths[name], field), message.format(task=name))


def _dates(plan: SunsetPlan, found: Expanded, days: Mapping[str, datetime]) -> Iterator[Finding]:
    """Public dates: what they mark, how long before the public knows, who is reminded."""
    marked: dict[str, str] = {}
    dates = [leaf.task for leaf in found.leaves if isinstance(leaf.task, DateTask)]
    reminded = {days[task.id] for task in dates if task.remind}
    for leaf in found.leaves:
        task = leaf.task
        if not isinstance(task, DateTask):
            continue
        if task.marks and task.marks in marked:
            message = f"{marked[task.marks]} marks {task.marks} already; one date does"
            yield Finding("error", _at(leaf, "marks"), message)
        elif task.marks:
            marked[task.marks] = task.id
        if task.marks == "end-of-life":
            yield from _notice(plan, leaf, days[task.id])
        yield from _reminders(leaf, task, days[task.id])
        if days[task.id] not in reminded:
            message = f"nobody is reminded of {task.id}; add remind: [90 days, 30 days]"
            yield Finding("warning", _at(leaf), message)
    if plan.customer_reminder and not reminded:
        message = "no date has reminders, so that this mail is never written; add remind to a date"
        yield Finding("warning", ("sunset", "customer_reminder"), message)


def _notice(plan: SunsetPlan, leaf: Leaf, end: datetime) -> Iterator[Finding]:
    """Products are generally available unless they say otherwise: that notice is the usual one."""
    owed = plan.notice_for("ga")
    if end < day_after(owed, NOTICE):
        yield Finding(
            "error",
            _at(leaf, "at"),
            f"{leaf.task.id} ({day_in_words(leaf.task)}) is too soon: the public is owed "
            f"{owed.words} for what is generally available (ga); give it a later day, or say in "
            "minimum_notice what you owe",
        )


def _reminders(leaf: Leaf, task: DateTask, at: datetime) -> Iterator[Finding]:
    seen: set[timedelta] = set()
    for j, span in enumerate(task.remind):
        path = _at(leaf, "remind", j)
        length = span.approximate
        if length < timedelta(0):
            message = f"{span.words} is after the date; reminders count back, without '-'"
            yield Finding("error", path, message)
        elif span.before(max(at, NOTICE)) < NOTICE:
            message = f"{span.words} before {task.id} is before the public notice; it is left out"
            yield Finding("warning", path, message)
        if length in seen:
            yield Finding("warning", path, f"{span.words} is listed twice; keep one")
        seen.add(length)


def _no_return(found: Expanded) -> Iterator[Finding]:
    """One gate after which nothing is undone, and what an abort before it can undo."""
    gates = [t for t in found.leaves if isinstance(t.task, GateTask) and t.task.point_of_no_return]
    for leaf in gates[1:]:
        message = f"{gates[0].task.id} is the point of no return already; there is one"
        yield Finding("error", _at(leaf, "point_of_no_return"), message)
    cut = found.leaves.index(gates[0]) if gates else 0
    ends = any(isinstance(t.task, DateTask) and t.task.marks == "end-of-life" for t in found.leaves)
    for i, leaf in enumerate(found.leaves):
        if not isinstance(leaf.task, ActingTask):
            continue
        each = leaf.path[2:3] == ("tasks",)
        yield from act_findings(_at(leaf), leaf.task, each=each, abortable=i < cut)
        if leaf.task.effect != "reversible" and not ends:
            yield Finding(
                "warning",
                _at(leaf, "effect"),
                f"no date of the plan marks the end of life, before which {leaf.task.id} must not "
                "be done; add marks: end-of-life to it",
            )
        if gates and i > cut and leaf.task.undo is not None and leaf.task.effect == "reversible":
            message = f"no abort comes after {gates[0].task.id}, so that this is never carried out"
            yield Finding("warning", _at(leaf, "undo"), message)


def _customers(plan: SunsetPlan, found: Expanded) -> Iterator[Finding]:
    """Where a plan has customers, nothing is switched off while one of them is open."""
    if plan.customer_reminder:
        path = ("sunset", "customer_reminder")
        yield from mail_findings(path, plan.customer_reminder, OF_REMINDER)
    asks = any(
        criterion.milestone == CUSTOMERS_SETTLED
        for leaf in found.leaves
        if isinstance(leaf.task, GateTask)
        for criterion in leaf.task.gate.criteria
    )
    mails = any(isinstance(leaf.task, MailTask) for leaf in found.leaves)
    if not (asks or mails or plan.customer_reminder):
        return
    for leaf in found.leaves:
        if isinstance(leaf.task, GateTask) and leaf.task.point_of_no_return:
            musts = [c for c in leaf.task.gate.criteria if c.kind == "must"]
            if all(criterion.milestone != CUSTOMERS_SETTLED for criterion in musts):
                yield Finding(
                    "error",
                    _at(leaf, "gate", "criteria"),
                    f"{leaf.task.id} is the point of no return, and does not ask whether customers "
                    f"are left; add {{id: customers-settled, text: No customer is open, milestone: "
                    f"{CUSTOMERS_SETTLED}}}",
                )
