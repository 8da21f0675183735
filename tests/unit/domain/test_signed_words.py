"""What a gate asks of a signature, and what becomes of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from committee import HOUR, ONE, START, again, forbidden, may, refused, says, sitting
from hypothesis import given
from hypothesis import strategies as st

from phasegate.admission import admit, vote_of
from phasegate.casting import Attestation
from phasegate.errors import Forbidden
from phasegate.events import SIGNED_BYTES, Outbox
from phasegate.gate_requests import DelegateRequest, OverrideRequest
from phasegate.ports import SignatureFinding
from phasegate.requests import VoteRequest
from phasegate.review import Round
from phasegate.revoking import void_revoked
from phasegate.seating import delegate
from phasegate.signed_words import (
    AHEAD,
    BEHIND,
    Demand,
    asked_of,
    demand_of,
    require_named_seat,
    require_same_place,
    require_still,
    signed_by,
)
from phasegate.signing import Place, Signed, statement_of
from phasegate.standing_in import Delegation

PLACE = Place(product="kettle", gate="g1", round=1, policy="sha256:0")
SECOND = timedelta(seconds=1)
MEMBERS = {"eng": ["ann", "ben", "cat"], "sec": ["sue"]}


def round_of(**gate: Any) -> Round:
    return sitting(ONE, MEMBERS, assurance="signed", **gate)


def signed(at: datetime | None = START, **more: Any) -> VoteRequest:
    who, word = more.pop("approver", "ann"), more.pop("vote", "go")
    return says(who, word, signed_at=at, signature="sig", **{"revision": "r", **more})


def ask(state: Round, request: VoteRequest, now: datetime = START, channel: str = "update") -> Any:
    demand = demand_of(state, request.approver)
    return asked_of(demand, "vote", request.approver, request, channel, now)


def good(
    state: Round, request: VoteRequest, now: datetime = START, key: str = "SHA256:k"
) -> Signed:
    query = ask(state, request, now)
    finding = SignatureFinding(key=key, directory="sha256:1")
    return signed_by(demand_of(state, request.approver), "vote", request, query, finding)


def cast(state: Round, who: str, vote: str, key: str, **more: Any) -> None:
    """Take a signed vote, as the workflow does."""
    at = START + SECOND * (1 + len(state.ballots.votes))
    request = signed(at, approver=who, vote=vote, **more)
    seat = admit(state, request, at)
    state.ballots.cast(
        vote_of(state, request, seat, at, "update", good(state, request, at, key=key))
    )
    state.signed_at[who] = at
    state.settle(at)


def test_a_gate_that_believes_names_asks_nothing_until_somebody_signs() -> None:
    state = sitting(ONE, MEMBERS)
    assert ask(state, says("ann", "go")) is None
    assert ask(state, says("ann", "go"), channel="signal") is None
    assert ask(state, signed()).person == "ann"
    state.signed_at["ann"] = START
    forbidden("unsigned", lambda: ask(state, says("ann", "hold")), "has no signature", "--sign")
    assert ask(state, says("ben", "go")) is None


def test_what_is_asked_is_the_statement_of_this_round_and_no_other() -> None:
    state = round_of()
    query = ask(state, signed())
    assert query.statement == statement_of("vote", PLACE, signed())
    assert (query.directory_digest, query.directory) == ("sha256:1", "default")
    assert (query.at, query.signed_at, query.signature) == (START, START, "sig")
    state.convened = None
    assert ask(state, signed()).directory_digest == ""


@pytest.mark.parametrize(
    ("at", "taken"),
    [
        (START, True),
        (START + HOUR + AHEAD, True),
        (START + HOUR + AHEAD + SECOND, False),
        (START - AHEAD, True),
        (START - AHEAD - SECOND, False),
        (None, False),
    ],
)
def test_a_signature_is_of_its_time(at: datetime | None, taken: bool) -> None:
    state, now = round_of(), START + HOUR
    if taken:
        assert ask(state, signed(at), now) is not None
    else:
        forbidden("signed-at-another-time", lambda: ask(state, signed(at), now), "signed")


def test_a_signature_is_good_for_a_day_and_not_before_the_last_one() -> None:
    state = round_of()
    assert ask(state, signed(), START + BEHIND)
    late = START + BEHIND + SECOND
    forbidden("signed-at-another-time", lambda: ask(state, signed(), late), "24 hours ago")
    state.signed_at["ann"] = START
    forbidden("signed-earlier", lambda: ask(state, signed()), "taken already")
    assert ask(state, signed(START + SECOND))
    assert ask(state, signed(approver="ben"))


def test_what_is_signed_comes_by_update_and_names_the_evidence() -> None:
    state = round_of()
    for request in (signed(), says("ann", "go")):
        forbidden("signature-required", lambda r=request: ask(state, r, channel="signal"))
    refused("no-revision", lambda: ask(state, signed(revision=None)), "--revision")
    override = OverrideRequest(
        actor="max", outcome="go", reason="x", request_id="r", signed_at=START, signature="sig"
    )
    demand = demand_of(state, "max")
    assert asked_of(demand, "override", "max", override, "update", START)


@pytest.mark.parametrize("code", ["bad-signature", "unknown-key", "expired-key", "revoked-key"])
def test_a_finding_is_refused_by_its_code(code: str) -> None:
    state = round_of()
    query, demand = ask(state, signed()), demand_of(state, "ann")
    finding = SignatureFinding(key="SHA256:k", code=code, problem="it is so")
    with pytest.raises(Forbidden) as caught:
        signed_by(demand, "needs_work", signed(), query, finding)
    assert (caught.value.code, caught.value.why) == (code, "it is so")
    what = f"ann's request for work on {demand.what} was not taken"
    assert caught.value.what == what, "it says what came of it"
    hints = {"bad-signature": demand.again(signed())}
    keys = "phasegate directory show default  # lists the keys of ann"
    assert caught.value.hint == hints.get(code, keys)


def test_an_unsigned_vote_is_told_how_it_is_signed() -> None:
    state = round_of()
    request = says("ann", "go", on_behalf_of="ben")
    with pytest.raises(Forbidden) as caught:
        ask(state, request)
    place = f"{state.product.key}/{state.gate.id}"
    assert caught.value.hint == f"phasegate gate vote {place} go --as ann --for ben --sign"


def test_an_answer_that_says_nothing_is_no_good_signature() -> None:
    state = round_of()
    query, demand = ask(state, signed()), demand_of(state, "ann")
    for finding in (SignatureFinding(), SignatureFinding(key="SHA256:k", problem="odd")):
        forbidden("bad-signature", lambda f=finding: signed_by(demand, "vote", signed(), query, f))
    kept = signed_by(
        demand, "vote", signed(), query, SignatureFinding(key="SHA256:k", directory="sha256:2")
    )
    assert (kept.key, kept.directory, kept.statement) == ("SHA256:k", "sha256:2", query.statement)


def test_what_is_checked_may_come_to_nothing_meanwhile() -> None:
    state = round_of()
    found = good(state, signed())
    require_still(state, "ann", signed(), found, START + SECOND)
    state.signed_at["ann"] = START + SECOND
    later = START + 2 * SECOND
    forbidden("signed-earlier", lambda: require_still(state, "ann", signed(), found, later))
    state.signed_at.clear()
    assert state.convened
    state.convened.revoked = ("SHA256:k",)
    forbidden("revoked-key", lambda: require_still(state, "ann", signed(), found, later))
    state.convened.revoked, state.convened.directory_digest = (), "sha256:2"
    refused("changed-meanwhile", lambda: require_still(state, "ann", signed(), found, later))


def test_an_override_of_a_stop_is_signed_about_that_stop() -> None:
    demand = Demand(place=PLACE, required=True, since=None)
    request = OverrideRequest(
        actor="max", outcome="go", reason="x", request_id="r", signed_at=START, signature="sig"
    )
    found = Signed(
        statement=statement_of("override", PLACE, request),
        signature="sig",
        key="SHA256:k",
        directory="",
        at=START,
    )
    later = START + SECOND
    require_same_place(demand, found, request, later)
    other = Demand(place=PLACE.model_copy(update={"round": 2}), required=True, since=None)
    forbidden("bad-signature", lambda: require_same_place(other, found, request, later))
    newer = Demand(place=PLACE, required=True, since=None, newest=START)  # taken meanwhile
    forbidden("signed-earlier", lambda: require_same_place(newer, found, request, later))


def test_what_is_signed_are_these_bytes_in_every_release() -> None:
    """Of the request what was set, and not the signature: it is made of them."""
    assert statement_of("vote", PLACE, signed()) == (
        '{"action":"vote","gate":"g1","policy":"sha256:0","product":"kettle","request":'
        '{"approver":"ann","request_id":"r","revision":"r","signed_at":"2026-11-23T09:00:00Z",'
        '"vote":"go"},"round":1,"statement":"phasegate/1"}'
    )


CHANGES: dict[str, st.SearchStrategy[Any]] = {
    "comment": st.text(min_size=1, max_size=5).filter(str.strip),
    "revision": st.just("r2"),
    "on_behalf_of": st.just("cat"),
    "scores": st.dictionaries(st.just("fit"), st.integers(0, 10), min_size=1),
    "step": st.integers(1, 9),
    "request_id": st.just("another"),
    "signed_at": st.integers(1, 10**9).map(lambda n: (START + n * SECOND).isoformat()),
    "approver": st.just("ben"),
    "vote": st.sampled_from(["hold", "kill", "recycle", "abstain"]),
}


@given(st.sampled_from(sorted(CHANGES)), st.data())
def test_whatever_is_changed_of_a_request_is_another_statement(
    name: str, data: st.DataObject
) -> None:
    before = signed()
    changed = VoteRequest.model_validate(
        {**before.model_dump(mode="json"), name: data.draw(CHANGES[name])}
    )
    assert statement_of("vote", PLACE, changed) != statement_of("vote", PLACE, before)
    sent = VoteRequest.model_validate_json(changed.model_dump_json())
    assert statement_of("vote", PLACE, sent) == statement_of("vote", PLACE, changed)


@given(st.sampled_from(["product", "gate", "round", "policy"]))
def test_another_place_or_action_is_another_statement(part: str) -> None:
    elsewhere = PLACE.model_copy(update={part: 2 if part == "round" else "other"})
    texts = {statement_of("vote", place, signed()) for place in (PLACE, elsewhere)}
    assert len(texts | {statement_of("attest", PLACE, signed())}) == 3


def test_a_signed_vote_names_the_seat_it_fills() -> None:
    state = round_of()
    delegate(state, DelegateRequest(actor="ben", to="dee", request_id="r"), may(), START)
    unnamed = signed(approver="dee")
    seat = admit(state, unnamed, START)
    refused("for-whom", lambda: require_named_seat(state, unnamed, seat), "--for ben")
    require_named_seat(state, signed(approver="dee", on_behalf_of="ben"), seat)
    require_named_seat(state, says("dee", "go"), seat)


def test_a_revoked_key_voids_votes_attestations_and_delegations_and_no_more() -> None:
    state = round_of(
        wait_for="all", criteria=[{"id": "safe", "text": "Safe", "attested_by": "sec"}]
    )
    assert not void_revoked(state, START)
    for who, to, key in (("ben", "dee", "stolen"), ("cat", "eli", "cat")):
        request = DelegateRequest(actor=who, to=to, request_id="r")
        delegate(state, request, may(), START, f"SHA256:{key}")
    cast(state, "ann", "kill", "SHA256:stolen")
    cast(state, "dee", "go", "SHA256:dee", on_behalf_of="ben")
    cast(state, "eli", "go", "SHA256:eli", on_behalf_of="cat")
    state.attestations = [
        Attestation(
            criterion="safe",
            actor="sue",
            state="met",
            note="n",
            at=START,
            revision=state.revision,
            key=key,
        )
        for key in ("SHA256:stolen", "SHA256:sue")
    ]
    again(state, revoked=("SHA256:stolen",))
    later = START + HOUR
    undone = void_revoked(state, later)
    assert undone.again == ["ann", "ben"]
    assert undone.people == ["ann", "sue", "ben"]
    assert [(d.approver, d.to) for d in undone.delegations] == [("ben", "dee")]
    assert [said.key for said in undone.attested] == ["SHA256:stolen"]
    assert [(v.approver, v.state) for v in state.ballots.votes] == [
        ("ann", "voided"),
        ("dee", "voided"),
        ("eli", "standing"),
    ]
    assert [said.voided for said in state.attestations] == [True, False]
    assert [d.approver for d in state.mandates.given] == ["cat"]
    assert state.asked_since("ann") == later
    assert not void_revoked(state, later), "once"
    state.abandon("cancelled", later)
    assert not void_revoked(state, later)


@pytest.mark.parametrize("how", ["handed on", "named another", "took it back", "as deputy's"])
def test_a_lost_key_takes_what_was_voted_by_its_delegation_also_when_that_has_changed(
    how: str,
) -> None:
    state = round_of(wait_for="all")
    giver = "ben"
    if how == "as deputy's":
        assert state.convened
        assert state.clocks.timetable
        state.convened.deputies, state.clocks.timetable.respond["ben"] = {"ben": "dee"}, START
        giver = "dee"

    def give(actor: str, to: str | None, key: str, at: datetime = START) -> None:
        request = DelegateRequest(actor=actor, to=to, request_id="r")
        delegate(state, request, may(), at, f"SHA256:{key}")

    if giver == "dee":
        given = Delegation(approver="dee", to="eli", start=START, key="SHA256:stolen")
        state.mandates.give(given)
    else:
        give("ben", "dee", "stolen")
    who = "dee"
    if how in ("handed on", "as deputy's"):
        who = "eli"
    if how == "handed on":
        state.mandates.give(Delegation(approver="dee", to="eli", start=START, key="SHA256:dee"))
    cast(state, who, "go", "SHA256:own", on_behalf_of="ben")
    later = START + HOUR
    if how == "named another":
        give("ben", "fay", "fresh", later)
    elif how == "took it back":
        give("ben", None, "fresh", later)
    assert state.convened
    state.convened.revoked = ("SHA256:stolen",)
    undone = void_revoked(state, later)
    assert [(v.approver, v.state) for v in state.ballots.votes] == [(who, "voided")]
    assert (undone.again, undone.people) == (["ben"], [giver])


def test_a_vote_that_came_before_the_stolen_delegation_stands() -> None:
    state = round_of(wait_for="all")
    for key in ("own", "stolen"):
        request = DelegateRequest(actor="ben", to="dee", request_id="r")
        delegate(state, request, may(), START, f"SHA256:{key}")
        if key == "own":
            cast(state, "dee", "go", "SHA256:dee", on_behalf_of="ben")
    assert state.convened
    state.convened.revoked = ("SHA256:stolen",)
    undone = void_revoked(state, START + HOUR)
    assert (undone.votes, undone.people, state.mandates.given) == ([], ["ben"], [])


def test_a_signature_waits_whole_for_a_ledger_that_is_dead_for_long() -> None:
    outbox = Outbox(source="product/kettle/gate/g1", product="kettle")

    def add(**data: Any) -> dict[str, Any]:
        return outbox.add("gate.vote", "text", run="run", at=START, **data).data

    for _ in range(6):
        add(comment="x" * 100_000)
    assert add(comment="x", signed={"key": "k"}) == {"shortened": True, "signed": {"key": "k"}}
    assert add(comment="x") == {"shortened": True}
    while outbox.bytes_waiting() < SIGNED_BYTES:
        add(view={}, comment="x" * 100_000)
    assert add(comment="x", signed={"key": "k"}) == {"shortened": True}
