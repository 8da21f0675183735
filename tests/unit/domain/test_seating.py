"""Delegating and reassigning: whom somebody may put in their own or another's place."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from committee import (
    DAY,
    ONE,
    START,
    TWO,
    again,
    away,
    cast,
    forbidden,
    hear,
    may,
    refused,
    sitting,
)

from phasegate import seating
from phasegate.gate import Requirement
from phasegate.gate_requests import DelegateRequest, ReassignRequest
from phasegate.ports import Authority
from phasegate.review import Round
from phasegate.votes import Outcome


def committee(**found: Any) -> Round:
    return sitting(TWO, {"eng": ("ann", "bob", "cyd", "owner")}, found=found)


def delegate(
    state: Round, who: str, to: str, start: int | None = None, end: int | None = None, **found: Any
) -> str:
    request = DelegateRequest(
        actor=who,
        to=to,
        start=START + start * DAY if start is not None else None,
        end=START + end * DAY if end is not None else None,
        reason="leave",
        request_id="r",
    )
    return seating.delegate(state, request, may(**found), START)


def reassign(
    state: Round,
    who: str,
    approver: str,
    to: str,
    rights: Authority | None = None,
    now: datetime = START,
    **found: Any,
) -> str:
    request = ReassignRequest(
        actor=who, approver=approver, to=to, reason="she left", request_id="r"
    )
    rights = may(manages=True) if rights is None else rights
    return seating.reassign(state, request, rights, may(**found), now)


# -- delegating -----------------------------------------------------------------------------------


def test_somebody_lets_another_act_for_them_in_this_round() -> None:
    state = committee()
    assert delegate(state, "ann", "dan") == "dan acts for ann on g1"
    again(state)
    cast(state, "dan", "go")
    cast(state, "bob", "go")
    assert state.outcome is Outcome.go
    assert [w.why for w in state.clocks.again] == []


def test_a_delegation_for_some_days() -> None:
    state = committee()
    text = delegate(state, "ann", "dan", 1, 3)
    assert text == "dan acts for ann on g1 until 2026-11-26 09:00 UTC"
    acting = [state.stand_ins("ann", START + day * DAY) for day in (0, 1, 3)]
    assert acting == [(), ("dan",), ()]
    assert state.mandates.given[0].reason == "leave"


def test_a_delegate_who_is_away_has_their_own_delegate_act() -> None:
    state = committee()
    delegate(state, "ann", "dan", absences={"dan": (away(START, START + DAY, "eve"),)})
    assert state.stand_ins("ann", START) == ("eve",)


def test_a_delegation_that_leads_back_is_refused_and_leaves_no_trace() -> None:
    state = committee()
    delegate(state, "ann", "bob", 2)
    before = state.model_dump()
    found = refused(
        "delegation-circle",
        lambda: delegate(state, "bob", "ann"),
        "bob cannot delegate to ann",
        "ann is away or has delegated, and that leads back to bob",
    )
    assert found.hint.endswith("then name somebody who is there")
    gone = {"dan": (away(START, START + DAY, "eve"),), "eve": (away(START, START + DAY, "cyd"),)}
    refused("delegation-circle", lambda: delegate(state, "cyd", "dan", absences=gone))
    later = {"dan": (away(START + DAY, START + 2 * DAY, "cyd"),)}
    refused("delegation-circle", lambda: delegate(state, "cyd", "dan", absences=later))
    assert state.model_dump() == before
    assert (
        delegate(state, "bob", "ann", end=2) == "ann acts for bob on g1 until 2026-11-25 09:00 UTC"
    )


@pytest.mark.parametrize("to", ["owner", "sue"])
def test_nobody_who_had_a_hand_in_it_acts_for_anybody(to: str) -> None:
    found = forbidden("self-approval", lambda: delegate(committee(), "ann", to))
    assert found.what == f"{to} may not act for anybody in a gate of kettle"


def test_only_who_has_a_seat_gives_it_and_only_to_somebody_known() -> None:
    state = committee()
    forbidden("stranger", lambda: delegate(state, "zed", "dan"), "zed may not delegate in g1")
    forbidden("self-approval", lambda: delegate(state, "owner", "dan"), "owner owns the product")
    refused(
        "unknown-person",
        lambda: delegate(state, "ann", "dna", about_known=False),
        "dna cannot act in g1 of kettle",
        "directory default does not know dna",
    )
    refused("in-the-past", lambda: delegate(state, "ann", "dan", -3, -1), "2026-11-22 09:00 UTC")
    state.abandon("cancelled", START)
    refused("gate-decided", lambda: delegate(state, "ann", "dan"), "takes no more delegations")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"to": "ann"}, "nobody delegates to themselves"),
        ({"to": "bob", "start": "2027-01-02", "end": "2027-01-01"}, "ends before it starts"),
    ],
)
def test_delegations_that_make_no_sense(more: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DelegateRequest.model_validate({"actor": "ann", "request_id": "r", **more})


def test_a_delegation_is_taken_back_and_what_was_voted_stands() -> None:
    state = committee()
    delegate(state, "ann", "dan")
    cast(state, "dan", "go", on_behalf_of="ann")
    taken = DelegateRequest(actor="ann", request_id="s")
    assert seating.delegate(state, taken, may(), START) == "dan acts no longer for ann on g1"
    assert state.stand_ins("ann", START) == ()
    assert [(v.holder, v.state) for v in state.ballots.votes] == [("ann", "standing")]
    forbidden("no-mandate", lambda: cast(state, "dan", "kill", on_behalf_of="ann"))
    refused("no-delegation", lambda: seating.delegate(state, taken, may(), START), "nobody acts")
    with pytest.raises(ValueError, match="neither a start nor an end"):
        DelegateRequest(actor="ann", end=START + DAY, request_id="s")


def test_who_leaves_the_directory_acts_for_nobody_and_loses_a_given_seat() -> None:
    state = committee()
    delegate(state, "ann", "dan")
    reassign(state, "max", "bob", "zoe")
    again(state, {"eng": ("ann", "bob", "cyd", "owner")}, gone=("dan", "zoe"))
    assert state.members() == {"eng": ("ann", "bob", "cyd", "owner")}
    forbidden("no-mandate", lambda: cast(state, "dan", "go", on_behalf_of="ann"))
    forbidden("stranger", lambda: cast(state, "zoe", "go"))
    cast(state, "bob", "go")


def test_a_seat_whose_heirs_have_left_goes_back_to_the_last_who_has_not() -> None:
    state = committee()
    reassign(state, "max", "ann", "dan")
    reassign(state, "max", "dan", "eve")
    everybody = {"eng": ("ann", "bob", "cyd", "owner")}
    again(state, everybody, gone=("eve",))
    assert state.members() == {"eng": ("bob", "cyd", "dan", "owner")}
    state.clocks.ask_again("directory", "keep", START)
    again(state, everybody, gone=("dan", "eve"))
    assert state.members() == everybody
    state.clocks.ask_again("directory", "keep", START)
    again(state, {"eng": ("bob", "cyd", "owner")}, gone=("dan", "eve"))
    assert state.members() == {"eng": ("bob", "cyd", "owner")}
    state.clocks.ask_again("directory", "keep", START)
    again(state, everybody, gone=("dan",))
    assert state.members() == {"eng": ("bob", "cyd", "eve", "owner")}


def test_a_given_seat_has_no_say_where_its_group_has_none() -> None:
    state = committee()
    reassign(state, "max", "ann", "dan")
    again(state, {"eng": ()}, silent=("eng",))
    assert state.members() == {"eng": ()}
    assert state.verdict(START).cannot_pass


def test_advice_and_attesting_do_not_go_with_a_seat() -> None:
    state = sitting(ONE, {"eng": ("ann",), "docs": ("ann", "ben")}, reviewers=("docs",))
    reassign(state, "max", "ann", "ben")
    assert state.members() == {"eng": ("ben",), "docs": ("ann", "ben")}


def test_who_ever_had_a_hand_in_it_gives_no_seat_away() -> None:
    state = committee()
    state.product.hands = {"max": "owned the product"}
    forbidden(
        "self-approval", lambda: reassign(state, "max", "ann", "dan"), "max owned the product"
    )


# -- reassigning ----------------------------------------------------------------------------------


@pytest.mark.parametrize("rights", [may(manages=True), may("reassign")])
def test_a_seat_is_given_to_somebody_else_for_good(rights: Authority) -> None:
    state = committee()
    later = START + DAY
    text = reassign(state, "max", "ann", "dan", rights, later)
    assert text == "dan takes ann's seat on g1: she left"
    again(state)
    assert state.members() == {"eng": ("bob", "cyd", "dan", "owner")}
    assert (state.asked_since("dan"), state.asked_since("bob")) == (later, START)
    forbidden("stranger", lambda: cast(state, "ann", "go"))
    cast(state, "dan", "go")
    assert state.verdict(START).pending == ("bob", "cyd")


def test_a_seat_given_on_and_back_is_where_it_was_given_last() -> None:
    state = committee()
    reassign(state, "max", "ann", "dan")
    reassign(state, "max", "dan", "ann")
    assert state.members() == {"eng": ("ann", "bob", "cyd", "owner")}


def test_a_seat_in_several_groups_goes_with_all_of_them() -> None:
    asked = [*ONE, Requirement(group="qa"), Requirement(group="ops")]
    state = sitting(asked, {"eng": ("ann",), "qa": ("ann", "kim"), "ops": ("oli",)})
    reassign(state, "max", "ann", "dan")
    assert state.members() == {"eng": ("dan",), "qa": ("dan", "kim"), "ops": ("oli",)}
    assert state.reassigned[0].groups == ("eng", "qa")


def test_a_seat_that_was_given_stays_given_when_the_directory_changes() -> None:
    state = committee()
    reassign(state, "max", "ann", "dan")
    again(state, {"eng": ("ann", "bob", "zoe")})
    assert state.members() == {"eng": ("bob", "dan", "zoe")}


def test_who_gave_a_seat_away_and_has_another_is_voted_for_in_that_one() -> None:
    state = committee(deputies={"ann": "max"})
    reassign(state, "max", "ann", "dan")
    assert state.heir_of("ann") == "dan"
    again(state, {"eng": ("ann", "bob"), "legal": ("ann",)})
    state.gate = state.gate.model_copy(update={"requires": (*TWO, Requirement(group="legal"))})
    assert state.convened
    state.convened.applying = (0, 1)
    late = START + 6 * DAY
    assert cast(state, "max", "go", late, on_behalf_of="ann").groups == ("legal",)
    assert cast(state, "dan", "go", late).groups == ("eng",)


def test_whoever_neither_manages_nor_may_reassign_gives_nobodys_seat_away() -> None:
    state = committee()
    found = forbidden(
        "not-permitted",
        lambda: reassign(state, "bob", "ann", "dan", may("extend", "override")),
        "bob may not give ann's seat in g1 of kettle away",
        "a manager of ann, or for who may reassign at tier 1",
    )
    assert found.hint == "phasegate directory show default"
    forbidden(
        "self-approval",
        lambda: reassign(state, "owner", "ann", "dan"),
        "owner may not choose approvers of kettle",
    )
    assert state.reassigned == []


def test_a_seat_that_has_voted_is_not_given_away() -> None:
    state = committee()
    cast(state, "ann", "go")
    found = refused("has-voted", lambda: reassign(state, "max", "ann", "dan"), "ann has voted")
    assert found.hint == "phasegate gate withdraw kettle/g1 --as ann"
    hear(state, by="ann")
    reassign(state, "max", "ann", "dan")


def test_a_seat_nobody_has_and_one_for_who_sits_there_already() -> None:
    state = committee()
    refused("no-seat", lambda: reassign(state, "max", "zed", "dan"), "zed sits in none")
    refused("has-seat", lambda: reassign(state, "max", "ann", "bob"), "nobody counts twice")
    refused(
        "unknown-person",
        lambda: reassign(state, "max", "ann", "dna", about_known=False),
        "does not know dna",
    )
    forbidden("self-approval", lambda: reassign(state, "max", "ann", "sue"))
    with pytest.raises(ValueError, match="ann has the seat already"):
        reassign(state, "max", "ann", "ann")
    state.abandon("cancelled", START)
    refused("gate-decided", lambda: reassign(state, "max", "ann", "dan"), "no more reassignments")
