"""A sunset laid out: every task with its day, and with what it waits for.

The public notice is T0. A day counts from it, or from a date of the plan; what comes after
something has no earlier day than that. End of life is never before contracts end, nor before the
notice that the product's maturity asks for: where only the policy gives its day, it is moved.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime

from phasegate.adjusting import Adjustments
from phasegate.base import Instant, Wire
from phasegate.problems import DocPath
from phasegate.sunset import ActingTask, DateTask, GateTask, Maturity, SunsetPlan
from phasegate.sunset_days import day_after, earliest_notice, is_today, reckon, required_end, skips
from phasegate.sunset_expand import Expanded, FlatTask, Leaf, expand
from phasegate.sunset_flaws import Flaw, meant, raise_first
from phasegate.sunset_graph import Edges, cycle, in_order, waiting_for


class Placed(Wire):
    """A task in its place. `needs` are the tasks that it waits for, beside its day.

    `skipped` is the reason why it is left out. Of several gates above a task only the nearest is
    among its needs, since that one waits for the others.
    """

    task: FlatTask
    at: Instant
    overdue_at: Instant | None = None
    needs: list[str] = []
    skipped: str = ""

    @property
    def irreversible(self) -> bool:
        """Whether nothing brings back what it does; deletions are irreversible, too."""
        return isinstance(self.task, ActingTask) and self.task.effect != "reversible"

    @property
    def deletes(self) -> bool:
        """Whether a legal hold stops it."""
        return isinstance(self.task, ActingTask) and self.task.effect == "deletion"


class Layout(Wire):
    """The whole sunset. `moved` says which days are not the policy's, and why."""

    notice_at: Instant
    tasks: list[Placed] = []
    moved: list[str] = []

    def placed(self, task_id: str) -> Placed | None:
        """The task of that name."""
        return next((placed for placed in self.tasks if placed.task.id == task_id), None)

    def marked(self, mark: str) -> Placed | None:
        """The date that marks something, such as end-of-life."""
        for placed in self.tasks:
            if isinstance(placed.task, DateTask) and placed.task.marks == mark:
                return placed
        return None

    @property
    def point_of_no_return(self) -> str | None:
        """The task of the gate after which no abort is possible."""
        for placed in self.tasks:
            if isinstance(placed.task, GateTask) and placed.task.point_of_no_return:
                return placed.task.id
        return None


def lay_out(
    plan: SunsetPlan,
    adjustments: Adjustments,
    *,
    maturity: Maturity,
    now: datetime,
    notice: datetime | None = None,
    contracts_until: datetime | None = None,
    before: Layout | None = None,
    product: str = "KEY",
) -> Layout:
    """Give every task its place. Without a notice it is as early as leaves no task in the past.

    `contracts_until` is the latest contract of customers who are open. `before` is the layout that
    has been made public: where its notice is past, end of life is not moved back before its day.
    Raises Flaw where a plan cannot be laid out at all; `sunset_rules` has the other rules.
    """
    found = expand(plan, adjustments)
    raise_first([*found.flaws, *_strangers(found, adjustments), *circles(found)], product)
    public = before if before is not None and before.notice_at <= now else None
    t0 = _notice(found, adjustments, now, notice, public)
    ended = public.marked("end-of-life") if public else None
    contracts = (adjustments.contracts_until, contracts_until)
    end = required_end(plan, maturity, t0, contracts, ended.at if ended else None)
    days, moved = reckon(found, adjustments, t0, end)
    leaves = _listed(found, days)
    reasons = skips(found, adjustments)
    edges = waiting_for(leaves, found, reasons)
    raise_first(_waiting(edges, [leaf for leaf in leaves if leaf.added]), product)
    at = _after_needs(leaves, days, edges, adjustments.dates)
    tasks = [
        Placed(
            task=leaf.task,
            at=at[leaf.task.id],
            overdue_at=day_after(leaf.task.due, at[leaf.task.id]) if leaf.task.due else None,
            needs=list(edges[leaf.task.id]),
            skipped=reasons.get(leaf.task.id, ""),
        )
        for leaf in leaves
    ]
    return Layout(notice_at=t0, tasks=tasks, moved=moved)


def _notice(
    found: Expanded,
    adjustments: Adjustments,
    now: datetime,
    notice: datetime | None,
    public: Layout | None,
) -> datetime:
    if public is not None:
        return public.notice_at
    wanted = notice or adjustments.notice
    if wanted is None:
        return earliest_notice(found, adjustments, now)
    if wanted <= now and is_today(wanted, now):
        return now  # today has begun
    return wanted


def _listed(found: Expanded, days: Mapping[str, datetime]) -> list[Leaf]:
    """All tasks in their order. What a product adds comes below the gates whose day is before its
    own, and below those that its `after` is below; at the end of what is between two gates."""
    planned = [leaf for leaf in found.leaves if not leaf.added]
    added = [leaf for leaf in found.leaves if leaf.added]
    section: dict[str, int] = {}
    gates: list[datetime] = []
    for leaf in planned:
        section[leaf.task.id] = len(gates)
        if isinstance(leaf.task, GateTask):
            gates.append(days[leaf.task.id])
    for leaf in added:
        section[leaf.task.id] = sum(at < days[leaf.task.id] for at in gates)
    below = {leaf.task.id: 1 for leaf in planned if isinstance(leaf.task, GateTask)}
    for _ in added:  # what is added may come after what is added below it
        for leaf in added:
            others = found.ids_of(leaf.task.after)
            deepest = max((section[o] + below.get(o, 0) for o in others), default=0)
            section[leaf.task.id] = max(section[leaf.task.id], deepest)
    listed: list[Leaf] = []
    for i in range(len(gates) + 1):
        here = [leaf for leaf in planned if section[leaf.task.id] == i]
        mine = [leaf for leaf in added if section[leaf.task.id] == i]
        last = len(here) - (i < len(gates))
        listed += [*here[:last], *mine, *here[last:]]
    return listed


def _after_needs(
    leaves: Sequence[Leaf], days: Mapping[str, datetime], edges: Edges, given: Collection[str]
) -> dict[str, datetime]:
    """Days that are not before those of what is waited for. Public dates, and days that the owner
    gave, are what they are."""
    fixed = {t.task.id for t in leaves if isinstance(t.task, DateTask) or t.task.id in given}
    at: dict[str, datetime] = {}
    for name in in_order(edges):
        needs = [] if name in fixed else edges[name]
        at[name] = max([days[name], *(at[other] for other in needs)])
    return at


def _strangers(found: Expanded, adjustments: Adjustments) -> Iterator[Flaw]:
    """Names in the adjustments that the plan does not have."""
    dated, all_names = found.days.keys(), found.days.keys() | found.groups.keys()
    for field, names, known in (
        ("dates", adjustments.dates, dated),
        ("skip", adjustments.skip, all_names),
    ):
        for name in names:
            if name not in known:
                what = f"{name} cannot be {'moved' if field == 'dates' else 'left out'}"
                why = f"the sunset has no such task{meant(name, known)}"
                yield Flaw("unknown-task", what, why, path=(field, name))


def circles(found: Expanded) -> Iterator[Flaw]:
    """Dates that count from each other, and tasks that wait for each other.

    Days that the owner gave, and what is left out, do not undo a circle of the policy's.
    """
    anchors = {
        name: [anchor.relative_to] if anchor.relative_to else []
        for name, anchor in found.days.items()
    }
    if way := cycle(anchors):
        why = f"{' counts from '.join(way)}, so that none of them has a day"
        yield Flaw(
            "cycle", "dates of the sunset go round in a circle", why, path=_path(found.leaves, way)
        )
    planned = [leaf for leaf in found.leaves if not leaf.added]
    yield from _waiting(waiting_for(planned, found), planned)


def _waiting(edges: Edges, leaves: Sequence[Leaf]) -> Iterator[Flaw]:
    """A circle of tasks that wait for each other; its place is that of the first of `leaves`."""
    if way := cycle(edges):
        why = f"{' waits for '.join(way)}, so that none of them begins"
        path = _path(leaves, way)
        yield Flaw("cycle", "tasks of the sunset go round in a circle", why, path=path)


def _path(leaves: Sequence[Leaf], way: Sequence[str]) -> DocPath:
    return next((leaf.path for leaf in leaves if leaf.task.id in way), ())
