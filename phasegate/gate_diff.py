"""What differs between two gates of one id: who must agree, on what, and by when."""

from __future__ import annotations

from collections.abc import Iterator

from phasegate.gate import Gate, Requirement
from phasegate.policy_change import PolicyChange, as_json, field_change, there

_CLOCKS = {
    "respond": "approvers answer within",
    "resolve": "it decides within",
    "remind": "reminds before an answer is due",
    "escalate": "after a missed answer, managers may act in",
    "on_timeout": "undecided at its deadline",
}


def diff_gates(old: Gate, new: Gate) -> Iterator[PolicyChange]:
    """What differs between two gates of one id."""
    name = new.id
    for field, words in (
        ("title", f"the title of gate {name}"),
        ("question", f"what gate {name} asks in a sentence"),
        ("opens", f"gate {name} opens with"),
        ("threshold", f"percent that gate {name} asks of its should-criteria"),
        ("wait_for", f"gate {name} waits for"),
        ("assurance", f"how gate {name} must know who decides"),
    ):
        yield from field_change("gate", name, old, new, field, words)
    if sorted(old.reviewers) != sorted(new.reviewers):
        yield from field_change("gate", name, old, new, "reviewers", f"gate {name} asks advice of")
    yield from _requirements(old, new)
    yield from _criteria(old, new)
    for field, words in _CLOCKS.items():
        yield from field_change(
            "clock", name, old.clocks, new.clocks, field, f"gate {name}: {words}"
        )


def _requirements(old: Gate, new: Gate) -> Iterator[PolicyChange]:
    """They have no names: those of the same groups and step are taken for the same."""
    before, after = list(old.requires), list(new.requires)
    for one in list(before):
        if one in after:
            before.remove(one)
            after.remove(one)
    for key in (_groups_and_step, _groups):
        for one in list(before):
            if other := next((r for r in after if key(r) == key(one)), None):
                before.remove(one)
                after.remove(other)
                yield from _requirement(new.id, one, other)
    for one in before:
        text = f"gate {new.id} no longer asks {one.title}"
        yield there("removed", "requirement", new.id, text, old=as_json(one))
    for one in after:
        step = f" in step {one.step}" if one.step > 1 else ""
        text = f"gate {new.id} also asks {one.title}{step}"
        yield there("added", "requirement", new.id, text, new=as_json(one))


def _groups(requirement: Requirement) -> tuple[str, ...]:
    return tuple(sorted(requirement.groups))


def _groups_and_step(requirement: Requirement) -> tuple[str, ...]:
    return (*_groups(requirement), str(requirement.step))


def _requirement(gate: str, old: Requirement, new: Requirement) -> Iterator[PolicyChange]:
    groups = ", ".join(new.groups)
    for field, words in (
        ("need", f"votes that gate {gate} needs of {groups}"),
        ("include", f"who must be among them at gate {gate}"),
        ("veto", f"a veto of {groups} at gate {gate}"),
        ("step", f"the step in which gate {gate} asks {groups}"),
        ("tiers", f"the tiers for which gate {gate} asks {groups}"),
        ("when", f"when gate {gate} asks {groups}"),
    ):
        was, now = getattr(old, field), getattr(new, field)
        if isinstance(was, tuple) and sorted(was) == sorted(now):
            continue
        yield from field_change("requirement", gate, old, new, field, words)


def _criteria(old: Gate, new: Gate) -> Iterator[PolicyChange]:
    before = {criterion.id: criterion for criterion in old.criteria}
    after = {criterion.id: criterion for criterion in new.criteria}
    for name, one in before.items():
        if name not in after:
            text = f"gate {new.id} has no criterion {name} any more ({one.kind})"
            yield there("removed", "criterion", f"{new.id}/{name}", text)
    for name, one in after.items():
        where = f"{new.id}/{name}"
        if name not in before:
            text = f"gate {new.id} has a criterion {name} ({one.kind}): {one.text}"
            yield there("added", "criterion", where, text)
            continue
        for field in ("text", "kind", "milestone", "expression", "attested_by", "weight"):
            words = f"the {field.replace('_', ' ')} of criterion {where}"
            yield from field_change("criterion", where, before[name], one, field, words)
