"""Which votes a round admits, for whom they count, and what everybody else is told."""

from __future__ import annotations

import pytest
from committee import (
    DAY,
    ONE,
    START,
    TWO,
    TWO_STEPS,
    again,
    away,
    cast,
    forbidden,
    hear,
    refused,
    says,
    sitting,
    take,
)

from phasegate.gate import Gate, Requirement
from phasegate.requests import ConfirmRequest
from phasegate.review import Round
from phasegate.standing_in import Delegation
from phasegate.votes import Outcome


def committee(**found: object) -> Round:
    """Two of three have to agree."""
    return sitting(TWO, {"eng": ("ann", "bob", "cyd")}, found=found)


def whose(state: Round) -> dict[str, str]:
    """Seat holder → who voted, of the votes that count."""
    return {vote.holder: vote.approver for vote in state.ballots.counted()}


# -- one's own seat -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "role"), [("owner", "owns the product"), ("sue", "submitted the gate")]
)
def test_nobody_approves_their_own_work_even_as_a_member(who: str, role: str) -> None:
    state = sitting(ONE, {"eng": ("ann", "owner", "sue")})
    forbidden("self-approval", lambda: cast(state, who, "go"), f"{who} {role}", "their own work")
    assert state.verdict(START).pending == ("ann",)


def test_a_stranger_is_told_whose_gate_it_is() -> None:
    groups = ("support", "legal", "qa", "eng", "fin")
    requires = [Requirement(any_of=groups), Requirement(group="eng", step=2)]
    state = sitting(requires, {"eng": ("ann",), "legal": ("lea",)})
    named = "zed sits in none of its groups (eng, fin, legal, qa, support)"
    found = forbidden("stranger", lambda: cast(state, "zed", "go"), named)
    assert found.hint == "phasegate directory show default"


def test_a_vote_for_a_step_that_is_not_open_says_which_one_is() -> None:
    state = sitting(TWO_STEPS, {"eng": ("ann",), "legal": ("lea",)})
    refused(
        "later-step",
        lambda: cast(state, "lea", "go"),
        "lea votes in step 2 of g1",
        "step 1 is still open",
    )


def test_a_vote_of_an_earlier_step_can_be_named_and_changed() -> None:
    requires = [Requirement(group="eng"), Requirement(group="eng", step=2, need=2)]
    state = sitting(requires, {"eng": ("ann", "bob")})
    cast(state, "ann", "go")
    cast(state, "ann", "go")
    assert [vote.step for vote in state.ballots.standing()] == [1, 2]
    vote = cast(state, "ann", "hold", step=1)
    assert (vote.step, state.verdict(START).step) == (1, 1)
    refused(
        "no-seat",
        lambda: cast(state, "ann", "go", step=2),
        "ann has no vote in step 2 of g1",
        "ann votes in step 1",
    )


def test_on_hold_no_vote_is_taken() -> None:
    state = committee()
    state.pause(START)
    found = refused("gate-on-hold", lambda: cast(state, "ann", "go"), "the product is on hold")
    assert found.hint == "phasegate product show kettle  # its owner can resume it"


def test_whoever_left_without_a_vote_has_no_say_and_whoever_left_with_one_cannot_change_it() -> (
    None
):
    state = committee()
    cast(state, "ann", "kill")
    state.clocks.ask_again("directory", "keep", START)
    again(state, {"eng": ("cyd", "dan", "eve")})
    for person in ("ann", "bob"):
        forbidden("stranger", lambda person=person: cast(state, person, "go"))
    assert [(v.approver, v.vote.value) for v in state.ballots.counted()] == [("ann", "kill")]


# -- for somebody else ----------------------------------------------------------------------------


def test_a_delegate_votes_with_the_seat_of_who_is_away_and_the_record_has_both() -> None:
    state = committee(absences={"ann": [away(START - DAY, START + DAY, "dan")]})
    vote = cast(state, "dan", "go")
    assert (vote.approver, vote.on_behalf_of, vote.holder) == ("dan", "ann", "ann")
    assert vote.groups == ("eng",)
    assert state.verdict(START).tallies[0].filled_by == ("ann",)


def test_nobody_counts_twice_with_their_own_and_a_borrowed_seat() -> None:
    state = committee(absences={"ann": [away(START, START + DAY, "bob")]})
    cast(state, "bob", "go")
    found = refused(
        "double-vote",
        lambda: cast(state, "bob", "go", on_behalf_of="ann"),
        "bob has given their own vote in step 1, and nobody counts twice",
    )
    assert found.hint == "phasegate gate withdraw kettle/g1 --as bob"
    assert state.outcome is None
    other = committee(absences={"ann": [away(START, START + DAY, "bob")]})
    cast(other, "bob", "go", on_behalf_of="ann")
    refused("double-vote", lambda: cast(other, "bob", "go"), "bob has given ann's vote in step 1")
    cast(other, "ann", "go")
    cast(other, "bob", "go")
    assert whose(other) == {"ann": "ann", "bob": "bob"}, "freed by ann's own vote"
    assert other.outcome is Outcome.go


def test_in_another_step_the_same_person_may_act_for_another() -> None:
    requires = [Requirement(group="eng"), Requirement(group="legal", step=2)]
    members = {"eng": ("ann",), "legal": ("lea",)}
    absences = {"lea": [away(START, START + DAY, "ann")]}
    state = sitting(requires, members, found={"absences": absences})
    cast(state, "ann", "go")
    cast(state, "ann", "go", on_behalf_of="lea")
    assert state.outcome is Outcome.go


def test_ones_own_vote_goes_before_the_delegates_whichever_came_first() -> None:
    state = committee(absences={"ann": [away(START, START + DAY, "dan")]})
    cast(state, "dan", "kill", on_behalf_of="ann")
    cast(state, "ann", "go")
    assert [(v.approver, v.state) for v in state.ballots.votes] == [
        ("dan", "changed"),
        ("ann", "standing"),
    ]
    refused(
        "voted-already",
        lambda: cast(state, "dan", "kill", on_behalf_of="ann"),
        "ann has voted in person, and only ann changes that",
    )


def test_nobody_changes_what_another_stand_in_has_said() -> None:
    """A deputy acts for who has not answered: a veto that a delegate gave must not vanish."""
    state = committee(
        absences={"ann": [away(START, START + 9 * DAY, "dan")]}, deputies={"ann": "eve"}
    )
    now = START + 5 * DAY
    assert state.stand_ins("ann", now) == ("dan", "eve")
    cast(state, "dan", "hold", now)
    refused(
        "voted-already",
        lambda: cast(state, "eve", "go", now, on_behalf_of="ann"),
        "ann has voted through dan, and only ann or dan changes that",
    )
    cast(state, "dan", "recycle", now)
    assert whose(state) == {"ann": "dan"}
    cast(state, "ann", "go", now)
    assert whose(state) == {"ann": "ann"}


def test_who_acts_for_several_is_asked_only_about_those_who_have_not_answered() -> None:
    gone = [away(START, START + DAY, "dan")]
    state = committee(absences={"ann": gone, "cyd": gone})
    cast(state, "ann", "go")
    cast(state, "dan", "go")
    assert whose(state) == {"ann": "ann", "cyd": "dan"}


def test_whoever_acts_for_several_says_for_whom() -> None:
    gone = [away(START, START + DAY, "dan")]
    state = committee(absences={"ann": gone, "cyd": gone})
    found = refused("for-whom", lambda: cast(state, "dan", "go"), "they are ann, cyd")
    assert found.hint == "phasegate gate vote kettle/g1 go --as dan --for ann"
    cast(state, "dan", "go", on_behalf_of="cyd")
    assert whose(state) == {"cyd": "dan"}


def test_nobody_votes_for_somebody_who_named_nobody() -> None:
    state = committee()
    found = forbidden(
        "no-mandate",
        lambda: cast(state, "dan", "go", on_behalf_of="ann"),
        "dan may not vote for ann on g1 of kettle",
        "ann has named nobody, or somebody else",
    )
    assert found.hint == "phasegate gate delegate kettle/g1 dan --as ann"
    forbidden("no-mandate", lambda: cast(state, "bob", "go", on_behalf_of="ann"))


def test_a_delegate_of_somebody_without_a_seat_has_none() -> None:
    state = committee(absences={"zed": [away(START, START + DAY, "dan")]})
    forbidden("stranger", lambda: cast(state, "dan", "go", on_behalf_of="zed"), "zed sits in none")
    forbidden("stranger", lambda: cast(state, "dan", "go"), "dan sits in none", "acts for nobody")


@pytest.mark.parametrize("who", ["owner", "sue"])
def test_a_delegate_who_is_barred_never_acts(who: str) -> None:
    state = committee(absences={"ann": [away(START, START + DAY, who)]}, deputies={"bob": who})
    late = START + 6 * DAY
    assert (state.stand_ins("ann", START), state.stand_ins("bob", late)) == ((), ())
    forbidden("self-approval", lambda: cast(state, who, "go", late, on_behalf_of="ann"))


def test_the_deputy_acts_once_somebody_is_late_and_managers_after_the_escalation() -> None:
    state = committee(
        deputies={"ann": "dan"}, managers={"ann": ("max", "moe"), "bob": ("sue", "moe")}
    )
    days = {day: state.stand_ins("ann", START + day * DAY) for day in (4, 5, 6, 7)}
    assert days == {4: (), 5: ("dan",), 6: ("dan",), 7: ("dan", "max")}
    assert state.stand_ins("bob", START + 7 * DAY) == ("moe",), "managers who are barred are passed"
    forbidden("no-mandate", lambda: cast(state, "max", "go", START + 6 * DAY, on_behalf_of="ann"))
    state.escalate(START + 10 * DAY)
    again(state)
    assert state.stand_ins("ann", START + 10 * DAY) == ("dan", "max", "moe")
    vote = cast(state, "moe", "go", START + 11 * DAY, on_behalf_of="ann")
    assert (vote.approver, vote.on_behalf_of) == ("moe", "ann")


def test_a_deputy_who_is_away_hands_on() -> None:
    state = committee(
        deputies={"ann": "dan"}, absences={"dan": [away(START, START + 9 * DAY, "eve")]}
    )
    assert state.stand_ins("ann", START + 5 * DAY) == ("eve",)
    assert state.acts_for("eve", START + 5 * DAY) == ("ann",)


# -- advice ---------------------------------------------------------------------------------------


def test_a_reviewer_advises_and_a_reviewer_with_a_seat_votes() -> None:
    members = {"eng": ("ann", "bob"), "qa": ("ann", "kim")}
    state = sitting(TWO, members, reviewers=("qa",))
    advice = cast(state, "kim", "kill")
    assert (advice.step, advice.groups, advice.holder) == (0, ("qa",), "kim")
    assert cast(state, "ann", "go").step == 1
    cast(state, "kim", "go")
    assert [(v.approver, v.vote.value) for v in state.advice()] == [("kim", "go")]


# -- what comes with a vote -----------------------------------------------------------------------


def test_a_vote_scores_what_approvers_judge_and_nothing_else() -> None:
    criteria = [
        {"id": "liked", "text": "Liked", "kind": "should"},
        {"id": "cheap", "text": "Cheap", "kind": "should", "attested_by": "fin"},
        {"id": "safe", "text": "Safe"},
    ]
    state = sitting(ONE, {"eng": ("ann",)}, criteria=criteria)
    refused(
        "unknown-criterion",
        lambda: cast(state, "ann", "go", scores={"cheap": 2, "liked": 1}),
        "the vote scores cheap",
        "it is checked, not judged by votes; approvers of g1 score: liked",
    )
    refused(
        "no-score",
        lambda: cast(state, "ann", "go", scores={"safe": 3}),
        "the vote scores safe",
        "a must is met or not",
    )
    assert cast(state, "ann", "hold", scores={"liked": 7}).scores == {"liked": 7}
    plain = sitting(ONE, {"eng": ("ann",)})
    refused(
        "unknown-criterion",
        lambda: cast(plain, "ann", "go", scores={"x": 1}),
        "approvers of g1 score: nothing",
    )


def test_a_condition_belongs_to_somebody_whom_the_round_knows() -> None:
    definition = {"definition": {"team": ["tim"]}}
    state = sitting(
        TWO, {"eng": ("ann", "bob"), "qa": ("kim",)}, reviewers=("qa",), facts=definition
    )
    for keeper in (None, "ann", "bob", "kim", "owner", "tim"):
        conditions = [{"text": "docs", "owner": keeper}]
        take(state, says("ann", "conditional-go", conditions=conditions))
    refused(
        "unknown-person",
        lambda: cast(state, "ann", "conditional-go", conditions=[{"text": "x", "owner": "zed"}]),
        "zed cannot keep a condition of g1",
        "owner or team, or to somebody at the gate",
    )


@pytest.mark.parametrize(
    "due",
    ["0001-01-01T00:00:00+23:00", "9999-12-31T23:59:59-05:00", "0001-01-01", "1969-12-31"],
)
def test_a_date_at_the_edge_of_the_calendar_is_refused_and_breaks_nothing(due: str) -> None:
    with pytest.raises(ValueError, match=r"conditions\.0\.due"):
        says("ann", "conditional-go", conditions=[{"text": "docs", "due": due}])


@pytest.mark.parametrize(
    ("vote", "conditions", "message"),
    [
        ("conditional-go", [], "needs at least one condition"),
        ("go", [{"text": "docs"}], "conditions go with conditional-go, not with go"),
        ("conditional-go", [{"text": "  "}], "at least 1 character"),
        ("conditional-go", [{"text": "x"}] * 6, "at most 5"),
        ("maybe", [], "go"),
    ],
)
def test_votes_that_make_no_sense(vote: str, conditions: list[object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        says("ann", vote, conditions=conditions)


@pytest.mark.parametrize("scores", [{"liked": 11}, {"liked": -1}, {"Liked": 1}, {"a": 1.5}])
def test_a_score_is_a_whole_number_from_0_to_10_of_a_named_criterion(scores: object) -> None:
    with pytest.raises(ValueError, match="scores"):
        says("ann", "go", scores=scores)


def test_a_retry_is_the_same_persons_with_the_same_id() -> None:
    assert says("ann", "go").key == says("ann", "kill").key
    assert says("ann", "go").key != says("bob", "go").key
    assert ConfirmRequest(actor="ann", task="t", note="n", request_id="r").key == "ann/r"


def test_before_it_is_convened_a_round_knows_nobody() -> None:
    state = Round(
        product=committee().product,
        gate=Gate(id="g1", title="x", requires=tuple(ONE)),
        round=1,
        submitter="s",
    )
    forbidden("stranger", lambda: cast(state, "ann", "go"))
    assert state.people_asked() == []


def test_nobody_acts_for_who_is_asked_anew_until_it_is_known_by_when() -> None:
    state = committee(deputies={"ann": "eve"}, managers={"ann": ("max",)})
    late = START + 8 * DAY
    assert state.stand_ins("ann", late) == ("eve", "max")
    hear(state, late)
    assert state.stand_ins("ann", late) == ()
    forbidden("no-mandate", lambda: cast(state, "max", "kill", late, on_behalf_of="ann"))


def test_who_was_named_and_is_away_is_told_who_acts_instead() -> None:
    state = committee()
    given = Delegation(approver="ann", to="dan", start=START)
    state.mandates.give(given)
    state.mandates.absences = {"dan": (away(START, START + DAY, "eve"),)}
    forbidden(
        "no-mandate",
        lambda: cast(state, "dan", "go", on_behalf_of="ann"),
        "dan is away or has delegated, so that eve acts for ann now",
    )
    cast(state, "eve", "go", on_behalf_of="ann")
