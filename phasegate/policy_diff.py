"""What differs between two policies in what they mean: a pure function of both.

Documents are compared as they are read, so that a default that is written out is no difference,
nor is the order of what has none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from difflib import SequenceMatcher

from phasegate.base import Wire
from phasegate.gate_diff import diff_gates
from phasegate.policy import MilestoneGoal, Phase, Policy
from phasegate.policy_change import PolicyChange, field_change, said, there
from phasegate.policy_meaning import gates_by_place, goals_of
from phasegate.sunset import GateTask, SunsetPlan, Task, day_in_words


class PolicyDiff(Wire):
    """All of them, in the order in which a product would meet them. `phases` are those that seem
    to be renamed, old name to new."""

    schema_version: int = 1
    old: str
    new: str
    old_digest: str = ""
    new_digest: str = ""
    same: bool
    phases: dict[str, str] = {}
    changes: list[PolicyChange]


def diff_policies(old: Policy, new: Policy) -> PolicyDiff:
    """What differs. The version alone is no difference."""
    renamed = renamed_phases(old, new)
    changes = [
        *_own(old, new),
        *_phases(old, new, renamed),
        *_milestones(old, new, renamed),
        *_gates(old, new, renamed),
        *_sunset(old.sunset, new.sunset),
    ]
    return PolicyDiff(
        old=f"{old.policy} {old.version}",
        new=f"{new.policy} {new.version}",
        same=not changes,
        phases=renamed,
        changes=changes,
    )


def renamed_phases(old: Policy, new: Policy) -> dict[str, str]:
    """Phases that are gone, and one that came with the same gate, or the same milestones."""
    gone = [phase for phase in old.phases if phase.id not in {p.id for p in new.phases}]
    come = [phase for phase in new.phases if phase.id not in {p.id for p in old.phases}]
    found: dict[str, str] = {}
    for before in gone:
        alike = [p for p in come if p.id not in found.values() and _alike(before, p)]
        if alike:
            found[before.id] = alike[0].id
    return found


def _alike(old: Phase, new: Phase) -> bool:
    if old.gate and new.gate:
        return old.gate.id == new.gate.id
    goals = {goal.id for goal in old.milestones}
    return bool(goals) and goals == {goal.id for goal in new.milestones}


def _own(old: Policy, new: Policy) -> Iterator[PolicyChange]:
    for field in ("policy", "title", "description", "source"):
        yield from field_change("policy", new.policy, old, new, field, f"its {field}")


# -- phases ---------------------------------------------------------------------------------------


def _phases(old: Policy, new: Policy, renamed: Mapping[str, str]) -> Iterator[PolicyChange]:
    before = {renamed.get(phase.id, phase.id): phase for phase in old.phases}
    after = {phase.id: phase for phase in new.phases}
    for was, now in renamed.items():
        text = f"phase {was} is called {now}"
        yield PolicyChange(change="renamed", what="phase", where=now, old=was, new=now, text=text)
    for name in before:
        if name not in after:
            yield there("removed", "phase", name, f"phase {name} is gone")
    moved = _moved(before, after)
    for name, phase in after.items():
        if name not in before:
            text = f"phase {name} is new, after {_previous(new, name)}"
            yield there("added", "phase", name, text)
            continue
        if name in moved:
            text = f"phase {name} comes after {_previous(new, name)}"
            yield there("moved", "phase", name, text)
        yield from _phase(before[name], phase, name)
        leads = old.following(before[name].id)
        led, to = renamed.get(leads, leads) if leads else None, new.following(name)
        if led != to:
            text = f"a Go at the end of {name} leads to {to or 'the end'}, not {led or 'the end'}"
            yield PolicyChange(
                change="changed", what="phase", where=name, field="next", old=led, new=to,
                text=text,
            )  # fmt: skip


def _phase(old: Phase, new: Phase, name: str) -> Iterator[PolicyChange]:
    for field, words in (
        ("title", f"the title of {name}"),
        ("description", f"the description of {name}"),
        ("in_market", f"in the market during {name}"),
        ("at_risk", f"milestones of {name} are at risk before they are due by"),
    ):
        yield from field_change("phase", name, old, new, field, words)
    if old.review and new.review:
        for field, words in (
            ("first", f"the first review of {name} comes after"),
            ("every", f"reviews of {name} come every"),
            ("invest", f"an investment from {name} leads to"),
        ):
            yield from field_change("review", name, old.review, new.review, field, words)


def _previous(policy: Policy, name: str) -> str:
    ids = [phase.id for phase in policy.phases]
    index = ids.index(name)
    return ids[index - 1] if index else "the start"


# -- milestones -----------------------------------------------------------------------------------


def _milestones(old: Policy, new: Policy, renamed: Mapping[str, str]) -> Iterator[PolicyChange]:
    before, after = goals_of(old), goals_of(new)
    for name, (phase, _) in before.items():
        if name not in after:
            yield there("removed", "milestone", name, f"milestone {name} of {phase.id} is gone")
    for name, (phase, goal) in after.items():
        if name not in before:
            yield there("added", "milestone", name, f"milestone {name} of {phase.id} is new")
            continue
        was, old_goal = before[name]
        if renamed.get(was.id, was.id) != phase.id:
            text = f"milestone {name} belongs to {phase.id}, not {was.id}"
            yield there("moved", "milestone", name, text)
        yield from _goal(old_goal, goal)


def _goal(old: MilestoneGoal, new: MilestoneGoal) -> Iterator[PolicyChange]:
    yield from field_change(
        "milestone", new.id, old, new, "title", f"the title of milestone {new.id}"
    )
    if old.check != new.check:
        yield PolicyChange(
            change="changed",
            what="milestone",
            where=new.id,
            field="check",
            old=old.check.model_dump(mode="json"),
            new=new.check.model_dump(mode="json"),
            text=f"milestone {new.id} is met when something else is so: {_check(old, new)}",
        )


def _check(old: MilestoneGoal, new: MilestoneGoal) -> str:
    was, now = old.check.model_dump(mode="json"), new.check.model_dump(mode="json")
    if was["kind"] != now["kind"]:
        return f"{now['kind']}, not {was['kind']}"
    fields = [field for field in now if was.get(field) != now[field]]
    return "; ".join(f"{f} is {said(now[f])}, not {said(was.get(f))}" for f in fields)


# -- gates ----------------------------------------------------------------------------------------


def _gates(old: Policy, new: Policy, renamed: Mapping[str, str]) -> Iterator[PolicyChange]:
    before = {gate.id: (place, gate) for place, gate in gates_by_place(old)}
    after = {gate.id: (place, gate) for place, gate in gates_by_place(new)}
    for name, (place, _) in before.items():
        if name not in after:
            yield there("removed", "gate", name, f"gate {name} at {place} is gone")
    for name, (place, gate) in after.items():
        if name not in before:
            asks = ", ".join(requirement.title for requirement in gate.requires)
            text = f"gate {name} at {place} is new: it asks {asks}"
            yield there("added", "gate", name, text)
            continue
        was, old_gate = before[name]
        head, _, phase = was.rpartition(" ")
        if place != f"{head} {renamed.get(phase, phase)}":
            yield there("moved", "gate", name, f"gate {name} stands at {place}, not at {was}")
        yield from diff_gates(old_gate, gate)


# -- the sunset -----------------------------------------------------------------------------------


def _sunset(old: SunsetPlan | None, new: SunsetPlan | None) -> Iterator[PolicyChange]:
    if old is None or new is None:
        if new is not None:
            yield there("added", "sunset", "sunset", "it plans a sunset")
        if old is not None:
            yield there("removed", "sunset", "sunset", "it plans no sunset any more")
        return
    before = {task.id: task for task in old.tasks}
    after = {task.id: task for task in new.tasks}
    for name in before:
        if name not in after:
            yield there("removed", "sunset", name, f"sunset task {name} is gone")
    moved = _moved(before, after)
    for name, task in after.items():
        if name not in before:
            text = f"sunset task {name} is new: {task.kind}, {day_in_words(task)}"
            yield there("added", "sunset", name, text)
            continue
        if name in moved:
            yield there("moved", "sunset", name, f"sunset task {name} stands elsewhere in the plan")
        yield from _task(before[name], task)
    for field in ("minimum_notice", "customer_reminder", "abort_by", "legal_hold_by", "task_queue"):
        words = f"the sunset's {field.replace('_', ' ')}"
        yield from field_change("sunset", "sunset", old, new, field, words)


def _task(old: Task, new: Task) -> Iterator[PolicyChange]:
    if old.kind != new.kind:
        text = f"sunset task {new.id} is of another kind: {new.kind}, not {old.kind}"
        yield PolicyChange(
            change="changed", what="sunset", where=new.id, field="kind", old=old.kind,
            new=new.kind, text=text,
        )  # fmt: skip
        return
    for field in type(new).model_fields:
        if field != "gate" or not isinstance(new, GateTask):
            yield from field_change(
                "sunset", new.id, old, new, field, f"the {field} of sunset task {new.id}"
            )


def _moved(before: Collection[str], after: Collection[str]) -> set[str]:
    """Of the names in both orders, those that have changed their place among the others."""
    was, now = [n for n in before if n in after], [n for n in after if n in before]
    matcher = SequenceMatcher(a=was, b=now, autojunk=False)
    kept = [was[b.a : b.a + b.size] for b in matcher.get_matching_blocks()]
    return set(now).difference(*kept)
