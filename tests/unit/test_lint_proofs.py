"""What lint calls impossible no committee of the directory ever does, and what it says nothing of
they can: random directories and gates, judged by the engine's own rule."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from typing import Any

from committee import DAY, START, away, sitting
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from phasegate.directory import Directory
from phasegate.expressions import evaluate, facts
from phasegate.gate import Gate
from phasegate.lint import Finding, lint_policy, lint_product
from phasegate.lint.leave import stuck
from phasegate.policy import Policy
from phasegate.product import Product
from phasegate.rules import Ballot, Situation, decide
from phasegate.seats import Step, in_force, seated, steps_of
from phasegate.votes import Outcome, Vote

PEOPLE = ("ann", "bob", "cy", "dee", "eve")
GROUPS = ("red", "green", "blue")
CONDITIONS = (
    None,
    None,
    "product.figures.x > 2",
    "product.figures.x <= 2.0",
    "product.tier == 1",
    "product.maturity != 'ga' || product.figures.x > 2",
)
FEW = settings(max_examples=50, deadline=None)  # the first ones compile CEL
PASSED = (Outcome.go, Outcome.conditional_go)

TODAY = date(2026, 11, 2)
LEAVE = {"start": "2026-11-01", "end": "2027-03-01"}

members = st.lists(st.sampled_from(PEOPLE), max_size=4, unique=True)
tiers = st.sampled_from([[], [], [1], [2, 3]])


def people(groups: dict[str, Any], *more: str) -> Directory:
    return Directory.model_validate(
        {"people": {name: {} for name in (*PEOPLE, "olga", *more)}, "groups": groups}
    )


directories = st.fixed_dictionaries(
    {name: st.fixed_dictionaries({"members": members, "approve": tiers}) for name in GROUPS}
).map(people)


@st.composite
def requirements(draw: st.DrawFn) -> dict[str, Any]:
    groups = draw(st.lists(st.sampled_from(GROUPS), min_size=1, max_size=2, unique=True))
    need = draw(st.integers(0, 2))
    include = groups[:1] if need and len(groups) > 1 and draw(st.booleans()) else []
    return {
        "any_of": groups,
        "need": need,
        "include": include,
        "veto": need == 0 or draw(st.booleans()),
        "tiers": draw(tiers),
        "when": draw(st.sampled_from(CONDITIONS)),
    }


@st.composite
def gates(draw: st.DrawFn) -> Gate:
    first = draw(st.lists(requirements(), min_size=1, max_size=3))
    second = draw(st.lists(requirements(), max_size=1))
    asked = [*first, *({**one, "step": 2} for one in second)]
    return Gate.model_validate({"id": "g", "title": "G", "requires": asked})


def rules(gate: Gate) -> Policy:
    phase = {"id": "a", "title": "A", "gate": gate.model_dump(mode="json")}
    return Policy.model_validate({"policy": "p", "version": "1", "title": "P", "phases": [phase]})


def goods(tier: int, x: float, maturity: str, **more: Any) -> Product:
    what = {"key": "k", "name": "K", "owner": "olga", "tier": tier, "maturity": maturity}
    return Product.model_validate({**what, "figures": {"x": x}, **more})


EVERY = [goods(t, x, m) for t in (1, 2, 3) for x in (2, 3) for m in ("alpha", "ga")]
IN_FORCE = {
    (when, p.tier, p.figures["x"], p.maturity): evaluate(when, facts(p.model_dump(mode="json"))).met
    for when in dict.fromkeys(CONDITIONS)
    if when
    for p in EVERY
}
"""Judged once: CEL takes a while to compile."""


def steps(gate: Gate, directory: Directory, product: Product, *barred: str) -> tuple[Step, ...]:
    """As the engine seats a product."""
    asked = [
        i
        for i in in_force(gate.requires, product.tier)
        if (when := gate.requires[i].when) is None
        or IN_FORCE[when, product.tier, product.figures["x"], product.maturity]
    ]
    sit = seated(directory.groups, directory, {}, tier=product.tier, barred=barred)
    return steps_of(gate.requires, sit, tier=product.tier, excluded=barred, applying=asked)


def passes(found: tuple[Step, ...], silent: Iterable[str] = ()) -> bool:
    """Whether it passes where everybody but these says go."""
    votes = [Ballot(p, Vote.go, s.number) for s in found for p in s.people if p not in silent]
    return decide(found, votes, Situation()).outcome in PASSED


def never(found: list[Finding]) -> list[Finding]:
    return [f for f in found if f.severity == "error" and "can never pass" in f.message]


@st.composite
def passable(draw: st.DrawFn) -> tuple[Gate, Directory, Product]:
    """A gate that a product can pass: people join groups, in any order, until they are enough."""
    gate = draw(gates())
    groups = draw(
        st.fixed_dictionaries(
            {g: st.lists(st.sampled_from(PEOPLE), max_size=2, unique=True) for g in GROUPS}
        )
    )
    approve = {g: draw(tiers) for g in GROUPS}
    crowd = people({g: {"members": PEOPLE} for g in GROUPS})
    fitting = [p for p in EVERY if passes(steps(gate, crowd, p))]
    assume(fitting)  # rarely not: tiers and conditions rule each other out, or six seats for five
    product = draw(st.sampled_from(fitting))
    joining = draw(st.permutations([(g, p) for g in GROUPS for p in PEOPLE if p not in groups[g]]))
    while True:
        found = people({g: {"members": groups[g], "approve": approve[g]} for g in GROUPS})
        if passes(steps(gate, found, product)):
            return gate, found, product
        group, person = joining.pop()
        groups[group], approve[group] = [*groups[group], person], []


def named(found: list[Finding]) -> set[str]:
    """Who alone can block, by what lint says."""
    for finding in found:
        if said := re.search(r"alone can block gate g: (.*?); it cannot pass", finding.message):
            return set(re.findall(r"(\w+) \(", said[1]))
    return set()


@FEW
@given(gates(), directories)
def test_a_gate_is_called_impossible_if_some_product_cannot_pass_it(
    gate: Gate, directory: Directory
) -> None:
    seatings = [found for product in EVERY if (found := steps(gate, directory, product))]
    said = never(lint_policy(rules(gate), directory))
    assert bool(said) == (not all(passes(found) for found in seatings))


@FEW
@given(gates(), directories, st.sampled_from(EVERY), st.data())
def test_no_votes_pass_what_is_called_impossible_for_a_product(
    gate: Gate, directory: Directory, product: Product, data: st.DataObject
) -> None:
    owned = product.model_copy(update={"owner": data.draw(st.sampled_from(PEOPLE))})
    found = steps(gate, directory, owned, owned.owner)
    assume(found)
    said = never(lint_product(owned, rules(gate), directory))
    assert bool(said) == (not passes(found))
    if said:
        seats = [(step.number, person) for step in found for person in step.people]
        votes = [Ballot(p, data.draw(st.sampled_from(list(Vote))), n) for n, p in seats]
        assert decide(found, votes, Situation()).outcome not in PASSED


@FEW
@given(gates(), directories)
def test_who_is_called_a_single_blocker_is_one_and_nobody_else_is(
    gate: Gate, directory: Directory
) -> None:
    sound = [p for p in EVERY if passes(steps(gate, directory, p))]
    assume(sound)
    said = named(lint_policy(rules(gate), directory))
    groups = {name: group.model_dump(mode="json") for name, group in directory.groups.items()}
    for person in PEOPLE:
        gone = {
            name: {**group, "members": [m for m in group["members"] if m != person]}
            for name, group in groups.items()
        }
        alone = any(not passes(steps(gate, people(gone), product)) for product in sound)
        assert alone == (person in said)
        if alone:  # and it fails for a product of theirs
            assert any(not passes(steps(gate, directory, p, person)) for p in sound)
            twice = {
                name: {**group, "members": [*group["members"], "new"]}
                if person in group["members"]
                else group
                for name, group in groups.items()
            }
            more = people(twice, "new")
            assert all(passes(steps(gate, more, product, person)) for product in sound)


@FEW
@given(passable(), st.sets(st.sampled_from(PEOPLE)), st.data())
def test_a_gate_stands_still_while_those_are_away_whom_it_needs_or_waits_for(
    case: tuple[Gate, Directory, Product], away: set[str], data: st.DataObject
) -> None:
    gate, directory, product = case
    found = steps(gate, directory, product)
    everybody = sorted({person for step in found for person in step.people})
    # A gate of vetoes alone needs no seat, and yet somebody's yes.
    away = away - {data.draw(st.sampled_from(everybody))}
    assert stuck(gate, found, away) == (not passes(found, silent=away))


@FEW
@given(passable(), st.sampled_from(PEOPLE))
def test_a_member_of_the_team_is_told_what_cannot_pass_if_they_submit_it(
    case: tuple[Gate, Directory, Product], member: str
) -> None:
    gate, directory, product = case
    own = product.model_copy(update={"team": (member,)})
    found = lint_product(own, rules(gate), directory)
    told = any(f.path == ("team", 0) and "cannot pass if" in f.message for f in found)
    assert told == (not passes(steps(gate, directory, own, own.owner, member)))


@FEW
@given(st.data())
def test_whom_lint_lets_act_for_somebody_are_those_whom_the_engine_lets(
    data: st.DataObject,
) -> None:
    """By deputy, manager and delegate, with an owner among them, who acts for nobody."""
    names = (*PEOPLE, "olga")
    entries: dict[str, Any] = {}
    for name in names:
        others = st.sampled_from([None, *(other for other in names if other != name)])
        entries[name] = {"deputy": data.draw(others), "manager": data.draw(others)}
        if data.draw(st.booleans()):
            entries[name]["absences"] = [{**LEAVE, "delegate": data.draw(others)}]
    directory = Directory.model_validate(
        {"people": entries, "groups": {"red": {"members": ["ann"]}}}
    )
    gate = Gate.model_validate({"id": "g", "title": "G", "requires": [{"group": "red"}]})
    policy, product = rules(gate), goods(1, 2, "ga")
    found = lint_product(product, policy, directory, TODAY)
    found += lint_policy(policy, directory, TODAY)  # what that says need not be said again
    gone = {n: entry["absences"][0]["delegate"] for n, entry in entries.items() if len(entry) > 2}

    def acting(leave: dict[str, Any]) -> tuple[str, ...]:
        """Once she is late, and escalations have reached everybody above her."""
        convened = {
            "deputies": {n: entry["deputy"] for n, entry in entries.items() if entry["deputy"]},
            "managers": {n: directory.managers(n) for n in names},
            "absences": {n: [away(START, START + 90 * DAY, to)] for n, to in leave.items()},
        }
        owned = {"owner": product.owner}
        state = sitting(gate.requires, {"red": ["ann"]}, found=convened, facts=owned)
        state.clocks.escalations = len(names)
        return state.stand_ins("ann", START + 9 * DAY)

    said = next(m[1] for f in found if (m := re.search(r"ann \((.*?)\);", f.message)))
    first = next(iter(acting({})), None)
    assert said.startswith(f"if late, {first} may act" if first else "nobody acts for them")
    still = any("cannot be passed from" in f.message for f in found)
    assert still == ("ann" in gone and all(other in gone for other in acting(gone)))
