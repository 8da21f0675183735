"""Criteria: must-meet knocks out, should-meet is scored, and silence earns nothing."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from committee import START, TWO, cast, sitting
from hypothesis import given
from hypothesis import strategies as st

from phasegate.casting import Attestation
from phasegate.gate import Criterion, Gate, Requirement
from phasegate.ports import CriterionFinding
from phasegate.review import Round
from phasegate.scorecard import Scorecard
from phasegate.votes import Outcome


def said(criterion: str, state: str, actor: str = "kim", **more: Any) -> Attestation:
    return Attestation(
        criterion=criterion,
        actor=actor,
        state=state,  # type: ignore[arg-type]
        note=more.pop("note", "seen"),
        at=START,
        revision="r1",
        **more,
    )


def card(
    *criteria: Criterion,
    found: dict[str, str] | None = None,
    attested: list[Attestation] | None = None,
    threshold: int | None = None,
) -> Scorecard:
    gate = Gate(
        id="g1",
        title="Idea",
        requires=(Requirement(group="eng"),),
        criteria=criteria,
        threshold=threshold,
    )
    findings = [
        CriterionFinding(id=name, kind="should", state=state, why=f"found {state}")
        for name, state in (found or {}).items()
    ]
    return Scorecard(gate, findings, attested or [], [])


def should(name: str, weight: int = 1, **more: Any) -> Criterion:
    return Criterion(id=name, text=f"The {name}", kind="should", weight=weight, **more)


SAFE = Criterion(id="safe", text="Safe", attested_by="qa")


def test_a_must_is_met_by_whoever_found_it_so_and_what_nobody_looked_at_is_not() -> None:
    musts = [Criterion(id=name, text=name) for name in ("a", "b", "c", "d")]
    found = card(*musts, found={"a": "met", "b": "unmet", "c": "judged"})
    assert found.unmet_musts() == ("b", "d")
    assert [(s.id, s.state, s.why) for s in found.views()] == [
        ("a", "met", "found met"),
        ("b", "unmet", "found unmet"),
        ("c", "judged", "found judged"),
        ("d", "unmet", "not looked at yet"),
    ]


@pytest.mark.parametrize(
    ("attested", "state", "why"),
    [
        ([], "unmet", "to be attested by qa"),
        ([said("safe", "met")], "met", "kim attests: seen"),
        ([said("safe", "met"), said("safe", "met", "pat")], "met", "pat attests: seen"),
        ([said("safe", "unmet", "pat"), said("safe", "met")], "unmet", "pat attests: seen"),
        ([said("safe", "met", voided=True)], "unmet", "to be attested by qa"),
        ([said("safe", "unmet", "pat", voided=True), said("safe", "met")], "met", "kim attests"),
        ([said("other", "met")], "unmet", "to be attested by qa"),
    ],
)
def test_an_attested_must_is_met_if_somebody_says_so_and_nobody_denies_it(
    attested: list[Attestation], state: str, why: str
) -> None:
    view = card(SAFE, attested=attested).views()[0]
    assert view.state == state
    assert view.why.startswith(why)


def test_without_a_threshold_every_should_that_is_unmet_is_weak() -> None:
    found = card(
        should("nps"),
        should("cost"),
        should("look"),
        should("speed", attested_by="qa"),
        found={"nps": "unmet", "cost": "met", "look": "judged"},
    )
    assert found.weak_shoulds() == ("nps", "speed")


def test_a_gate_of_musts_has_no_score() -> None:
    found = card(SAFE)
    assert found.percent() is None
    assert found.views()[0].score is None


def test_what_is_met_has_all_and_what_nobody_scored_has_nothing() -> None:
    found = card(should("a", 3), should("b", 2), should("c", 5), found={"a": "met", "c": "judged"})
    assert found.percent() == 30
    assert [view.score for view in found.views()] == [10, 0, 0]


def test_attesters_scores_are_averaged_and_go_before_met_and_unmet() -> None:
    speed = should("speed", attested_by="qa")
    scores = [said("speed", "met", "kim", score=7), said("speed", "met", "pat", score=10)]
    assert card(speed, attested=scores).percent() == 85
    assert card(speed, attested=[said("speed", "met")]).percent() == 100
    assert card(speed, attested=[said("speed", "unmet", score=4)]).percent() == 40
    assert card(speed, attested=[said("speed", "unmet", score=0)]).percent() == 0


def test_a_score_just_below_its_threshold_is_below_and_shown_so() -> None:
    """A third, three times: 66.67 % must not be shown as 67."""
    scores = [said("a", "met", actor, score=n) for actor, n in (("k", 7), ("l", 7), ("m", 6))]
    a = should("a", attested_by="qa")
    assert card(a, attested=scores).percent() == Fraction(200, 3)
    weak = card(a, attested=scores, threshold=67).weak_shoulds()
    assert weak == ("the score of 66 % (67 % is asked)",)
    assert card(a, attested=scores, threshold=66).weak_shoulds() == ()


@given(
    st.lists(st.tuples(st.integers(1, 100), st.integers(0, 10)), min_size=1, max_size=6),
    st.integers(1, 100),
)
def test_the_score_is_exact_whatever_the_weights(
    scored: list[tuple[int, int]], threshold: int
) -> None:
    criteria = [should(f"c{i}", weight, attested_by="qa") for i, (weight, _) in enumerate(scored)]
    attested = [said(f"c{i}", "met", score=score) for i, (_, score) in enumerate(scored)]
    found = card(*criteria, attested=attested, threshold=threshold)
    have = sum(weight * score for weight, score in scored)
    full = sum(weight * 10 for weight, _ in scored)
    assert found.percent() == Fraction(100 * have, full)
    assert bool(found.weak_shoulds()) is (100 * have < threshold * full)


# -- at the gate ----------------------------------------------------------------------------------


def scored(threshold: int | None = 60) -> Round:
    criteria = [
        {"id": "liked", "text": "Customers like it", "kind": "should", "weight": 3},
        {"id": "cheap", "text": "It is cheap", "kind": "should"},
    ]
    found = [{"id": name, "kind": "should", "state": "judged"} for name in ("liked", "cheap")]
    return sitting(
        TWO,
        {"eng": ("ann", "bob", "cyd")},
        criteria=criteria,
        threshold=threshold,
        found={"criteria": found},
    )


@pytest.mark.parametrize(
    ("ann", "bob", "outcome", "why"),
    [
        ({"liked": 9, "cheap": 9}, {"liked": 7}, "go", "every requirement is met"),
        ({"liked": 5, "cheap": 9}, {"cheap": 9}, "go", "every requirement is met"),
        (
            {"liked": 5},
            {"cheap": 8},
            "conditional-go",
            "every requirement is met, but the score of 57 % (60 % is asked) fell short",
        ),
        (
            {},
            {},
            "conditional-go",
            "every requirement is met, but the score of 0 % (60 % is asked) fell short",
        ),
    ],
)
def test_voters_scores_make_it_a_go_or_a_conditional_go(
    ann: dict[str, int], bob: dict[str, int], outcome: str, why: str
) -> None:
    state = scored()
    cast(state, "ann", "go", scores=ann)
    cast(state, "bob", "go", scores=bob)
    assert (state.outcome, state.why) == (outcome, why)


def test_scores_of_votes_that_do_not_stand_do_not_count() -> None:
    state = scored()
    cast(state, "ann", "go", scores={"liked": 10, "cheap": 10})
    cast(state, "ann", "go", scores={"liked": 2})
    assert state.scorecard().percent() == 15
    state.ballots.withdraw(state.ballots.votes[-1], "by ann")
    assert state.scorecard().percent() == 0


def test_without_a_threshold_a_judged_should_is_met_by_a_yes() -> None:
    state = scored(threshold=None)
    cast(state, "ann", "go")
    cast(state, "bob", "go")
    assert state.outcome is Outcome.go
