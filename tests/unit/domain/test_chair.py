"""What people ask of a round beside voting: who may, what it does, and what others are told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

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
    may,
    refused,
    sitting,
)

from phasegate import chair
from phasegate.gate_requests import (
    AttestRequest,
    ExtendRequest,
    NeedsWorkRequest,
    OverrideRequest,
    WithdrawRequest,
)
from phasegate.ports import Authority
from phasegate.requests import SubmitRequest
from phasegate.review import Round
from phasegate.votes import Outcome

CRITERIA = [
    {"id": "safe", "text": "Safe", "attested_by": "qa"},
    {"id": "cheap", "text": "Cheap", "kind": "should", "attested_by": "qa"},
    {"id": "liked", "text": "Liked", "kind": "should"},
]
MEMBERS = {"eng": ("ann", "bob", "cyd"), "qa": ("kim", "owner", "pat")}


def withdraw(state: Round, who: str, whose: str | None = None, reason: str = "") -> str:
    request = WithdrawRequest(actor=who, on_behalf_of=whose, reason=reason, request_id="r")
    return chair.withdraw(state, request)


def attest(state: Round, who: str, criterion: str, word: str, **more: Any) -> str:
    said = {"actor": who, "criterion": criterion, "state": word, "note": "tested", **more}
    return chair.attest(state, AttestRequest.model_validate({**said, "request_id": "r"}), START)


def ask(state: Round, who: str, now: timedelta = timedelta(0)) -> str:
    request = NeedsWorkRequest(actor=who, what="a test plan", request_id="r")
    return chair.ask_for_work(state, request, START + now)


def submit(state: Round, who: str, now: timedelta = timedelta(0)) -> str:
    return chair.submit(state, SubmitRequest(actor=who, request_id="r"), START + now)


def extend(state: Round, who: str, days: int, rights: Authority, respond: int | None = None) -> str:
    request = ExtendRequest(
        actor=who,
        resolve=START + days * DAY,
        respond=START + respond * DAY if respond else None,
        reason="holidays",
        request_id="r",
    )
    return chair.extend(state, request, rights, START)


def override(state: Round, who: str, rights: Authority, outcome: str = "go") -> str:
    request = OverrideRequest.model_validate(
        {"actor": who, "outcome": outcome, "reason": "a contract", "request_id": "r"}
    )
    return chair.override(state, request, rights, START + DAY)


def committee(**gate: Any) -> Round:
    return sitting(TWO, MEMBERS, criteria=CRITERIA, **gate)


# -- withdrawing ----------------------------------------------------------------------------------


def test_a_vote_is_taken_back_and_the_record_keeps_it() -> None:
    state = committee()
    cast(state, "ann", "kill")
    assert withdraw(state, "ann", reason="I misread it") == "ann withdraws their kill on g1"
    assert [(v.approver, v.state, v.why) for v in state.ballots.votes] == [
        ("ann", "withdrawn", "I misread it")
    ]
    assert state.verdict(START).pending == ("ann", "bob", "cyd")
    cast(state, "ann", "go")
    withdraw(state, "ann")
    assert state.ballots.votes[-1].why == "by ann"


def test_the_vote_of_a_stand_in_is_taken_back_by_either_of_the_two() -> None:
    for actor in ("dan", "ann"):
        gone = {"ann": [away(START, START + DAY, "dan")]}
        state = sitting(TWO, MEMBERS, found={"absences": gone})
        cast(state, "dan", "go")
        whose = "their" if actor == "ann" else "ann's"
        assert withdraw(state, actor) == f"{actor} withdraws {whose} go on g1"
        assert state.ballots.standing() == []


def test_of_several_votes_the_latest_is_meant_unless_one_is_named() -> None:
    gone = {"ann": [away(START, START + DAY, "lea")]}
    state = sitting(TWO_STEPS, {"eng": ("ann", "bob"), "legal": ("lea",)}, found={"absences": gone})
    state.open_conditions.append("g0-1-1")
    cast(state, "lea", "go", on_behalf_of="ann")
    cast(state, "lea", "go")
    assert withdraw(state, "lea", "ann") == "lea withdraws ann's go on g1"
    assert [vote.holder for vote in state.ballots.standing()] == ["lea"]
    found = refused("no-vote", lambda: withdraw(state, "lea", "ann"), "lea has nothing to withdraw")
    assert found.why == "no vote of theirs for ann stands in round 1"


def test_there_is_nothing_to_withdraw_for_others_or_on_hold_or_afterwards() -> None:
    state = committee()
    cast(state, "ann", "hold")
    refused("no-vote", lambda: withdraw(state, "bob"), "no vote of theirs stands in round 1")
    state.pause(START)
    refused("gate-on-hold", lambda: withdraw(state, "ann"), "takes no withdrawals now")
    state.abandon("cancelled", START)
    refused("gate-decided", lambda: withdraw(state, "ann"), "takes no more withdrawals")


def test_advice_is_withdrawn_as_well() -> None:
    state = committee(reviewers=("qa",))
    cast(state, "kim", "kill")
    assert withdraw(state, "kim") == "kim withdraws their kill on g1"
    assert state.advice() == []


# -- attesting ------------------------------------------------------------------------------------


def test_a_member_of_the_group_attests_and_may_change_their_mind() -> None:
    state = committee()
    assert state.scorecard().unmet_musts() == ("safe",)
    assert attest(state, "kim", "safe", "met") == "kim attests that safe is met: tested"
    assert state.scorecard().unmet_musts() == ()
    assert state.attestations[0].revision == state.revision
    attest(state, "kim", "safe", "unmet")
    assert state.scorecard().unmet_musts() == ("safe",)
    assert len(state.attestations) == 1


def test_who_may_not_attest() -> None:
    state = committee()
    forbidden(
        "not-attester",
        lambda: attest(state, "ann", "safe", "met"),
        "ann may not attest safe of g1 of kettle",
        "that is for members of qa",
    )
    forbidden(
        "self-approval",
        lambda: attest(state, "owner", "safe", "met"),
        "owner may not attest anything of kettle",
        "owner owns the product, and nobody decides on their own work",
    )
    assert state.attestations == []


def test_an_attestation_names_the_evidence_it_saw_and_is_refused_when_that_has_changed() -> None:
    state = committee()
    seen = state.revision
    hear(state)
    stale = refused(
        "stale-revision",
        lambda: attest(state, "kim", "safe", "met", revision=seen),
        f"the attestation names evidence {seen}",
        f"the evidence is now {state.revision}",
    )
    assert f"then attest with --revision {state.revision}" in stale.hint
    assert state.attestations == []
    attest(state, "kim", "safe", "met", revision=state.revision)
    attest(state, "kim", "cheap", "met")
    assert {said.revision for said in state.attestations} == {state.revision}


def test_what_is_not_attested() -> None:
    state = committee()
    refused("unknown-criterion", lambda: attest(state, "kim", "liked", "met"), "safe, cheap")
    refused("no-score", lambda: attest(state, "kim", "safe", "met", score=3), "met or not")
    plain = sitting(ONE, MEMBERS)
    refused("unknown-criterion", lambda: attest(plain, "kim", "x", "met"), "none of its criteria")
    state.pause(START)
    refused("gate-on-hold", lambda: attest(state, "kim", "safe", "met"), "takes no attestations")


@pytest.mark.parametrize("more", [{"score": 11}, {"score": -1}, {"state": "maybe"}, {"note": " "}])
def test_attestations_that_make_no_sense(more: dict[str, Any]) -> None:
    said = {"actor": "kim", "criterion": "c", "state": "met", "note": "n", "request_id": "r"}
    with pytest.raises(ValueError, match=next(iter(more))):
        AttestRequest.model_validate({**said, **more})


# -- work of the owner ----------------------------------------------------------------------------


def test_the_clocks_stand_still_while_the_owner_owes_work_and_votes_are_taken() -> None:
    state = committee()
    assert ask(state, "ann", 2 * DAY) == "ann asks owner for work: a test plan"
    assert state.status == "waiting-on-owner"
    assert state.next_wake(START + 50 * DAY) is None
    cast(state, "bob", "go", START + 3 * DAY)
    refused("work-asked", lambda: ask(state, "bob"), "waits for owner already", "ann asked")
    text = submit(state, "owner", 22 * DAY)
    assert text == "owner submits g1 again; ann had asked for work"
    assert (state.status, state.work) == ("open", None)
    assert [done.actor for done in state.work_done] == ["ann"]
    again(state)
    assert state.clocks.timetable
    assert state.clocks.timetable.resolve == START + 30 * DAY


def test_those_who_sit_and_those_who_act_for_them_ask_for_work_and_nobody_else() -> None:
    gone = {"ann": [away(START, START + DAY, "dan")]}
    state = sitting(TWO, MEMBERS, found={"absences": gone})
    forbidden("stranger", lambda: ask(state, "kim"), "kim may not ask for work on g1 of kettle")
    forbidden("self-approval", lambda: ask(state, "owner"), "owner may not ask for work on a gate")
    assert ask(state, "dan").startswith("dan asks")


def test_only_the_owner_and_the_team_submit_and_who_does_has_no_vote_from_then() -> None:
    state = sitting(TWO, MEMBERS, facts={"definition": {"team": ["cyd"]}})
    refused("gate-open", lambda: submit(state, "owner"), "nobody asks for work")
    cast(state, "cyd", "go")
    ask(state, "ann")
    forbidden("not-owner", lambda: submit(state, "bob"), "only its owner, owner, and its team may")
    submit(state, "cyd")
    again(state)
    assert state.ballots.counted() == []
    assert state.verdict(START).pending == ("ann", "bob")
    assert state.barred["cyd"] == "submitted the gate"


def test_work_that_is_done_on_hold_starts_no_clock_before_the_product_is_resumed() -> None:
    state = committee()
    ask(state, "ann", DAY)
    state.pause(START + 2 * DAY)
    submit(state, "owner", 3 * DAY)
    assert (state.status, state.clocks.running) == ("on-hold", False)
    state.resume(START + 5 * DAY)
    again(state)
    assert state.clocks.timetable
    assert state.clocks.timetable.resolve == START + 14 * DAY, "still since day one"


def test_a_product_that_is_resumed_while_its_owner_owes_work_waits_on() -> None:
    state = committee()
    ask(state, "ann", DAY)
    state.pause(START + 2 * DAY)
    state.resume(START + 3 * DAY)
    assert (state.status, state.clocks.again) == ("waiting-on-owner", [])


# -- more time ------------------------------------------------------------------------------------


def test_more_time_is_for_who_may_extend() -> None:
    state = committee()
    forbidden(
        "not-permitted",
        lambda: extend(state, "max", 20, may("override", "waive", "reassign")),
        "max may not extend g1 of kettle",
        "none of their groups has the permission extend at tier 1",
    )
    forbidden("self-approval", lambda: extend(state, "sue", 20, may("extend")))
    assert extend(state, "max", 20, may("extend"), 8) == "max extends g1 to 2026-12-13 09:00 UTC"
    table = state.clocks.timetable
    assert table
    assert (table.resolve, table.respond["ann"]) == (START + 20 * DAY, START + 8 * DAY)


def test_time_is_not_given_back_into_the_past() -> None:
    state = committee()
    for days, respond in ((-1, None), (20, -1)):
        refused("in-the-past", lambda d=days, r=respond: extend(state, "max", d, may("extend"), r))
    with pytest.raises(ValueError, match="respond would end after resolve"):
        extend(state, "max", 5, may("extend"), 6)


def test_an_extension_shortens_nothing() -> None:
    state = committee()
    for days, respond in ((9, None), (10, None), (10, 5)):
        refused(
            "not-later",
            lambda d=days, r=respond: extend(state, "max", d, may("extend"), r),
            "it has until 2026-12-03 09:00 UTC already",
        )
    extend(state, "max", 10, may("extend"), 6)
    assert state.clocks.timetable
    assert state.clocks.timetable.respond["ann"] == START + 6 * DAY


def test_nobody_uses_a_permission_on_what_they_ever_had_a_hand_in() -> None:
    state = committee()
    state.product.hands = {"max": "submitted a gate of it"}
    forbidden("self-approval", lambda: override(state, "max", may("override")), "a gate of it")
    forbidden("self-approval", lambda: extend(state, "max", 20, may("extend")), "a gate of it")


# -- overriding -----------------------------------------------------------------------------------


def test_an_authority_decides_in_the_place_of_the_approvers_and_it_is_loud() -> None:
    state = committee()
    cast(state, "ann", "kill")
    cast(state, "bob", "kill")
    text = override(state, "max", may("override"))
    assert text == "max overrides g1 to go: a contract"
    assert (state.outcome, state.decided_at) == (Outcome.go, START + DAY)
    assert state.why == "overridden by max: a contract"
    assert state.override
    assert state.override.votes_said == "too few people are left who could say yes"
    assert state.settle(START + 50 * DAY).outcome is not Outcome.go, "the votes say what they said"
    assert state.outcome is Outcome.go


def test_an_override_is_for_who_may_and_never_for_ones_own_work_nor_a_second_time() -> None:
    state = committee()
    forbidden("not-permitted", lambda: override(state, "max", may("extend")), "permission override")
    forbidden("self-approval", lambda: override(state, "owner", may("override")))
    hear(state, by="pat")
    forbidden(
        "self-approval", lambda: override(state, "pat", may("override")), "submitted evidence"
    )
    assert state.outcome is None
    state.pause(START)
    override(state, "max", may("override"), "hold")
    assert state.outcome is Outcome.hold, "also on hold"
    refused("gate-decided", lambda: override(state, "max", may("override")), "is decided: hold")


@pytest.mark.parametrize(
    ("what", "do"),
    [
        ("attestations", lambda s: attest(s, "kim", "safe", "met")),
        ("requests for work", lambda s: ask(s, "ann")),
        ("submissions", lambda s: submit(s, "owner")),
        ("extensions", lambda s: extend(s, "max", 20, may("extend"))),
        ("overrides", lambda s: override(s, "max", may("override"))),
    ],
)
def test_a_decided_round_takes_nothing_more(what: str, do: Any) -> None:
    state = committee()
    state.abandon("cancelled", START)
    before = state.model_dump()
    found = refused("gate-decided", lambda: do(state), f"g1 of kettle takes no more {what}")
    assert found.hint == "phasegate gate show kettle/g1"
    assert state.model_dump() == before
