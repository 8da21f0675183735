"""The rules that a sunset has to keep, wherever its days come from.

Sources: the words and the order of public dates are those of OASIS OpenEoX (Core Schema 1.0, the
tests of section 7.1: nothing public comes after the end of life). The notice by maturity follows
the Kubernetes deprecation policy, unless a policy says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from phasegate.adjusting import Adjustments
from phasegate.sunset import DateTask, GateTask, Maturity, SunsetPlan
from phasegate.sunset_days import day_after, is_today
from phasegate.sunset_flaws import Flaw, raise_first
from phasegate.sunset_layout import Layout, Placed


def problems(
    layout: Layout,
    plan: SunsetPlan,
    adjustments: Adjustments,
    *,
    maturity: Maturity,
    now: datetime,
    contracts_until: datetime | None = None,
    before: Layout | None = None,
    product: str = "KEY",
) -> list[Flaw]:
    """Every rule that the layout breaks; empty where it may be carried out.

    `before` is the layout that was made public, if one was. Of a sunset that runs, only what is
    new may not be in the past.
    """
    public = before if before is not None and before.notice_at <= now else None
    contracts = [at for at in (adjustments.contracts_until, contracts_until) if at]
    return [
        *_past(layout, now, before, product),
        *_end_of_life(layout, plan, maturity, contracts),
        *_skipped(layout),
        *_irreversible(layout),
        *_late_needs(layout),
        *(_notice_given(adjustments, public, now, product) if public else ()),
        *(_public(layout, public, now) if public else ()),
    ]


def require_sound(
    layout: Layout,
    plan: SunsetPlan,
    adjustments: Adjustments,
    *,
    maturity: Maturity,
    now: datetime,
    contracts_until: datetime | None = None,
    before: Layout | None = None,
    product: str = "KEY",
) -> None:
    """Raise Flaw, which is Rejected, for the first rule that is broken; it names the others."""
    raise_first(
        problems(
            layout,
            plan,
            adjustments,
            maturity=maturity,
            now=now,
            contracts_until=contracts_until,
            before=before,
            product=product,
        ),
        product,
    )


def day(at: datetime) -> str:
    """A day as refusals name it."""
    return f"{at:%Y-%m-%d}"


def _past(layout: Layout, now: datetime, before: Layout | None, product: str) -> Iterator[Flaw]:
    given = before is not None and before.notice_at <= now
    if not given and layout.notice_at < now:
        what = f"the public notice cannot be on {day(layout.notice_at)}"
        why = f"that is past: today is {day(now)}"
        yield Flaw("date-in-the-past", what, why, _later(product), path=("notice",))
        return
    known = {placed.task.id: placed.at for placed in before.tasks} if before else {}
    for placed in layout.tasks:
        name, at = placed.task.id, placed.at
        if placed.skipped or at >= now or known.get(name) == at or is_today(at, now):
            continue
        what = f"{name} cannot be on {day(at)}"
        why = f"that is past: today is {day(now)}"
        yield Flaw("date-in-the-past", what, why, _later(product), path=("dates", name))


def _later(product: str) -> str:
    return f"phasegate sunset plan {product} --dry-run  # without a notice it takes the earliest"


def _end_of_life(
    layout: Layout, plan: SunsetPlan, maturity: Maturity, contracts: list[datetime]
) -> Iterator[Flaw]:
    end = layout.marked("end-of-life")
    if end is None:
        return
    here = ("dates", end.task.id)
    owed = plan.notice_for(maturity)
    if end.at < (earliest := day_after(owed, layout.notice_at)):
        what = f"{end.task.id} cannot be on {day(end.at)}"
        why = (
            f"the notice is on {day(layout.notice_at)}, and a product of maturity {maturity} owes "
            f"the public {owed.words}: {day(earliest)} at the earliest"
        )
        yield Flaw("notice-too-short", what, why, path=here)
    if contracts and end.at < max(contracts):
        what = f"{end.task.id} cannot be on {day(end.at)}"
        why = f"a contract runs until {day(max(contracts))}"
        yield Flaw("contract-cut-short", what, why, path=here)
    for mark in ("end-of-sales", "end-of-security-support"):
        placed = layout.marked(mark)
        if placed is not None and placed.at > end.at:
            what = f"{placed.task.id} cannot be on {day(placed.at)}"
            why = f"that is after {end.task.id}, {day(end.at)}, when all of it has ended"
            yield Flaw("sale-after-end-of-life", what, why, path=("dates", placed.task.id))


def _skipped(layout: Layout) -> Iterator[Flaw]:
    for placed in layout.tasks:
        task = placed.task
        if not placed.skipped:
            continue
        if isinstance(task, GateTask):
            why = "it is a gate: who decides there is the policy's to say"
        elif isinstance(task, DateTask) and task.marks:
            why = f"it is the date that marks {task.marks}, which the public is told"
        else:
            continue
        yield Flaw("not-skippable", f"{task.id} cannot be left out", why, path=("skip", task.id))


def _irreversible(layout: Layout) -> Iterator[Flaw]:
    """What cannot be undone comes after the end of life, and below the point of no return."""
    end = layout.marked("end-of-life")
    beyond = False
    for placed in layout.tasks:
        if isinstance(placed.task, GateTask) and placed.task.point_of_no_return:
            beyond = True
        if not placed.irreversible or placed.skipped:
            continue
        what = f"{placed.task.id} cannot be on {day(placed.at)}"
        here = ("dates", placed.task.id)
        if not beyond:
            why = "nothing brings back what it does, and no point of no return is listed above it"
            yield Flaw("no-point-of-no-return", what, why, path=here)
        elif end is not None and placed.at < end.at:
            why = f"nothing brings back what it does, and {end.task.id} is on {day(end.at)}"
            yield Flaw("irreversible-too-early", what, why, path=here)


def _late_needs(layout: Layout) -> Iterator[Flaw]:
    """A public date, or a day that the owner gave, is not kept if it waits for something later."""
    at = {placed.task.id: placed for placed in layout.tasks}
    for placed in layout.tasks:
        late = [at[need] for need in placed.needs if at[need].at > placed.at]
        if late and not placed.skipped:
            other = max(late, key=lambda need: need.at)
            what = f"{placed.task.id} cannot be on {day(placed.at)}"
            why = f"it waits for {other.task.id}, which is planned for {day(other.at)}"
            yield Flaw("day-too-early", what, why, path=("dates", placed.task.id))


def _notice_given(
    adjustments: Adjustments, public: Layout, now: datetime, product: str
) -> Iterator[Flaw]:
    """Everything counts from the notice that was given: another one would change nothing."""
    if adjustments.notice is not None and adjustments.notice > now:
        what = f"the public notice cannot be moved to {day(adjustments.notice)}"
        why = f"it was given on {day(public.notice_at)}"
        hint = f"phasegate sunset show {product}"
        yield Flaw("public-date-reached", what, why, hint, path=("notice",))


def _public(layout: Layout, public: Layout, now: datetime) -> Iterator[Flaw]:
    """Customers plan by public dates: they are kept, or moved later while they are ahead."""
    for told in public.tasks:
        if not isinstance(told.task, DateTask) or told.skipped:
            continue
        name, here = told.task.id, ("dates", told.task.id)
        placed: Placed | None = layout.placed(name)
        if placed is None or placed.skipped:
            why = f"the public was told of {day(told.at)}"
            yield Flaw("not-skippable", f"{name} cannot be left out", why, path=("skip", name))
        elif told.at <= now and placed.at != told.at:
            why = f"it was reached on {day(told.at)}"
            yield Flaw("public-date-reached", f"{name} cannot be moved", why, path=here)
        elif placed.at < told.at:
            what = f"{name} cannot be moved to {day(placed.at)}"
            why = f"the public was told of {day(told.at)}, and dates move later only"
            yield Flaw("public-date-moved-earlier", what, why, path=here)
