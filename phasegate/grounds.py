"""What a decision rests on, so that it can be derived again from the record, by the same rule.

The record has the policy, the directory and every vote. What it would not have is what the round
had made of them when it decided: who sat in which step, which requirements asked this product,
which criteria were met and which deadlines had passed.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from phasegate.base import Wire
from phasegate.gate import Gate
from phasegate.review import Round
from phasegate.rules import Ballot, Situation, Verdict, decide
from phasegate.seats import steps_of


class SeatedStep(Wire):
    """Who may vote in a step: person → the groups that they sit in."""

    step: int
    people: dict[str, list[str]]


class Grounds(Wire):
    """What a round knew when it decided. `applying` are the indexes of the requirements in force;
    `barred` is who had no say, and why; `late` the steps whose respond deadline had passed."""

    directory_digest: str
    tier: int
    applying: tuple[int, ...]
    steps: list[SeatedStep]
    barred: dict[str, str] = {}
    unmet_musts: tuple[str, ...] = ()
    weak_shoulds: tuple[str, ...] = ()
    open_conditions: tuple[str, ...] = ()
    late: tuple[int, ...] = ()
    resolve_passed: bool = False


def grounds_of(state: Round, now: datetime) -> Grounds:
    """What the round decides on at `now`."""
    assert state.convened is not None, "a round decides only once it is convened"
    steps = state.steps()
    situation = state.situation(steps, now)
    return Grounds(
        directory_digest=state.convened.directory_digest,
        tier=state.product.tier,
        applying=state.convened.applying,
        steps=[
            SeatedStep(step=s.number, people={p: sorted(of) for p, of in s.people.items()})
            for s in steps
        ],
        barred=state.barred,
        unmet_musts=situation.unmet_musts,
        weak_shoulds=situation.weak_shoulds,
        open_conditions=situation.open_conditions,
        late=situation.late,
        resolve_passed=situation.resolve_passed,
    )


def judged_again(gate: Gate, grounds: Grounds, ballots: Iterable[Ballot]) -> Verdict:
    """The verdict of the gate rule on these votes, on these grounds."""
    found = {seated.step: seated.people for seated in grounds.steps}
    steps = [
        step.sitting({p: frozenset(of) for p, of in found.get(step.number, {}).items()})
        for step in steps_of(gate.requires, {}, tier=grounds.tier, applying=grounds.applying)
    ]
    situation = Situation(
        unmet_musts=grounds.unmet_musts,
        weak_shoulds=grounds.weak_shoulds,
        open_conditions=grounds.open_conditions,
        late=grounds.late,
        resolve_passed=grounds.resolve_passed,
        on_timeout=gate.clocks.on_timeout,
        wait_for_all=gate.wait_for == "all",
    )
    return decide(steps, ballots, situation)
