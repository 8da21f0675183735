"""Where a rehearsed life is stuck, why, and whom it waits for."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from itertools import takewhile

from phasegate.past_round import PASSES
from phasegate.policy import Policy
from phasegate.rehearsal_cast import steady
from phasegate.rehearsal_view import StuckAt
from phasegate.sunset_views import SunsetView
from phasegate.views import GateView, ProductView
from phasegate.votes import SEVERITY

CIRCLES, SILENT_CIRCLES = 12, 3
"""So many rounds of a gate in a row without a pass, or that its deadline ended, and it goes round
in circles: the people who make it so are the same in every round."""

TIMEOUT = "the resolve deadline passed"


def in_circles(view: ProductView, gate: GateView | None, now: datetime) -> StuckAt | None:
    """The gate that is held again and again and never passes, if there is one. Whom its deadline
    waited for stands in the record of its rounds alone: `named` adds it."""
    if not view.gates:
        return None
    last = view.gates[-1]
    ways = [*takewhile(lambda g: g.gate == last.gate and g.outcome not in PASSES, view.gates[::-1])]
    silent = [*takewhile(lambda g: TIMEOUT in g.why, ways)]
    most = SILENT_CIRCLES if len(silent) >= SILENT_CIRCLES else CIRCLES
    if len(ways) < most or (gate is not None and gate.gate != last.gate):
        return None
    words = " or ".join(dict.fromkeys(held.outcome for held in ways[:most]))
    why = f"goes round in circles: {most} rounds in a row ended with {words}"
    if noes := [f"{who} says {said}" for who, said in last.votes.items() if said in SEVERITY]:
        why += f", in the last {', '.join(noes)}"
    return StuckAt(
        kind="gate",
        where=last.gate,
        round=last.round,
        rounds=most,
        since=steady(ways[-1].opened_at or ways[-1].decided_at),
        why=f"{why}; {last.why}",
    )


def named(
    stuck: StuckAt, missing: Mapping[str, Sequence[str]], titles: Mapping[str, str]
) -> StuckAt:
    """With the title of where it is, and, where a deadline goes round in circles, for whom: the
    people, and their groups, whose answers were `missing` when its last round ended."""
    stuck = stuck.model_copy(update={"title": stuck.title or titles.get(stuck.where, "")})
    if not stuck.rounds or not missing or TIMEOUT not in stuck.why:
        return stuck
    return stuck.model_copy(
        update={
            "waits_for": list(missing),
            "groups": sorted({group for groups in missing.values() for group in groups}),
            "why": f"waits for {', '.join(missing)}, and {stuck.why}",
        }
    )


def waiting_for_all(policy: Policy) -> set[str]:
    """The gates that go on only once everybody has answered, needed or not (gate rule 13)."""
    return {gate.id for gate in policy.gates() if gate.wait_for == "all"}


def where_stuck(
    view: ProductView,
    gate: GateView | None,
    sunset: SunsetView | None,
    refused: Sequence[str],
    now: datetime,
    for_all: Collection[str] = (),
) -> StuckAt:
    """What it waits for, when nobody is going to do it. `for_all` are the gates that wait for
    everybody."""
    if gate is not None and gate.decided_at is None:
        return _at_gate(gate, now, everybody=gate.gate in for_all or gate.cannot_pass)
    if sunset is not None and view.status == "sunsetting":
        waiting = [task for task in sunset.tasks if task.waits_for]
        return StuckAt(
            kind="task",
            where=", ".join(task.id for task in waiting),
            title=waiting[0].title,
            since=steady(min(task.begun_at or task.at for task in waiting)),
            waits_for=sorted({person for task in waiting for person in task.waits_for}),
            groups=sorted({task.by for task in waiting if task.by}),
            why=f"nobody confirms it who may: {sunset.waiting_for}",
        )
    since = steady(view.entered_at or now)
    goals = [
        goal
        for goal in view.milestones
        if goal.phase == view.phase and goal.state not in ("met", "waived")
    ]
    if view.status == "active" and goals:
        return StuckAt(
            kind="milestone",
            where=", ".join(goal.id for goal in goals),
            title=goals[0].title,
            since=since,
            waits_for=[view.owner],
            why=f"{view.phase} ends with milestones that nobody meets",
        )
    kind = "hold" if view.status == "on-hold" else "submit"
    why = f"waits for {view.waiting_for.partition(': phasegate')[0]}"
    if refused:
        why += f"; what was refused last: {refused[-1]}"
    return StuckAt(
        kind="hold" if kind == "hold" else "submit",
        where=view.ends_with or view.phase or "",
        since=steady(view.held_since or since),
        waits_for=[view.owner],
        why=why,
    )


def _at_gate(gate: GateView, now: datetime, *, everybody: bool) -> StuckAt:
    needed = {person for r in gate.requirements for person in r.candidates}
    asked = [p for p in gate.pending if everybody or p.approver in needed] or gate.pending
    pending = [p.approver for p in asked]
    acting = sorted({person for p in asked for person in p.acting})
    unmet = [r for r in gate.requirements if r.state != "met" and r.step == gate.step]
    of = [r.group for r in unmet] + [p.group for p in asked if everybody]
    groups = sorted({name for names in of for name in names.split(", ")})
    criteria = [c for c in gate.criteria if c.kind == "must" and c.state != "met"]
    if pending:
        why = f"waits for {', '.join(pending)}, who never answers, and nobody may act instead"
        if len(pending) > 1:
            why = f"waits for {', '.join(pending)}, who never answer, and nobody may act instead"
        if acting:
            why += f" but {', '.join(acting)}, of whom nothing comes either"
    elif criteria:
        why = f"nobody is left to vote, and not met: {', '.join(c.id for c in criteria)}"
        why += "".join(f"; {c.why}" for c in criteria if c.why)
        pending = sorted({person for c in criteria for person in c.waits_for})
    elif gate.open_conditions:
        kept = ", ".join(f"{c.id} of {c.owner}" for c in gate.open_conditions)
        why = f"conditions of an earlier gate are open: {kept}"
    else:
        why = gate.why or "undecided"
    return StuckAt(
        kind="gate",
        where=gate.gate,
        title=gate.title,
        round=gate.round,
        since=steady(gate.opened_at or now),
        waits_for=pending,
        groups=groups,
        why=why,
    )
