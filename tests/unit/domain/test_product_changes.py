"""A product over the years: evidence, another definition, another owner, overrides, revivals."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from phasegate.base import Figure, digest_of
from phasegate.changes import check_handover, check_update, hand_over, makes_smaller, update
from phasegate.check import HttpCheck
from phasegate.directory import Permission
from phasegate.errors import Forbidden, Refusal, Rejected
from phasegate.events import Outbox
from phasegate.evidence import EVIDENCE_BYTES, Evidence, require_room
from phasegate.facts import ProductFacts, revision_of
from phasegate.gate import Gate, Requirement
from phasegate.gate_requests import OverrideRequest
from phasegate.lifecycle import Lifecycle, PolicyRef, Revival, Status
from phasegate.milestones import Milestone, MilestoneStatus, start_again
from phasegate.overruling import check_override, override_demand, overrule, stopped_by
from phasegate.policy import MilestoneGoal, Phase, Review
from phasegate.ports import Authority, PhaseBrief
from phasegate.product import LARGEST, Product
from phasegate.product_view import product_page, product_view, waiting_for
from phasegate.promises import WEEK, Condition
from phasegate.requests import (
    ConditionRequest,
    HandoverRequest,
    Receipt,
    UpdateProductRequest,
)
from phasegate.retirement import Retirement
from phasegate.retirement_desk import require_owner_or_team as require_of_sunset
from phasegate.revival import LARGEST as LARGEST_STATE
from phasegate.revival import LEFT_OUT, remains, revive
from phasegate.sittings import GateReport
from phasegate.stewardship import (
    check_condition,
    require_closer,
    require_owner_or_team,
    require_same,
    require_waiver,
)
from phasegate.sunset_report import SunsetReport
from phasegate.views import ConditionView, GateSummaryView

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
DAY = timedelta(days=1)
GATE = Gate(id="g1", title="Idea", requires=(Requirement(group="eng"),))
REVIEW = Gate(id="plr", title="Review", requires=(Requirement(group="eng"),))
PHASE = Phase(
    id="scoping",
    title="Scoping",
    gate=GATE,
    milestones=(MilestoneGoal(id="beta", title="Beta"),),
    review=Review(gate=REVIEW, first="1 year", every="1 year"),
)
KETTLE = Product(key="kettle", name="Kettle", owner="olga", tier=2)


def living(**more: Any) -> Lifecycle:
    return Lifecycle.model_validate(
        {
            "product": KETTLE,
            "policy": PolicyRef(name="standard", version="1", digest="sha256:0"),
            "directory": "default",
            "outbox": Outbox(source="product/kettle", product="kettle"),
            "brief": PhaseBrief(phase=PHASE, next=None, has_sunset=True),
            **more,
        }
    )


def may(*permissions: str, **more: Any) -> Authority:
    return Authority.model_validate({"permissions": permissions, "known": True, **more})


def refused(code: str, kind: type[Refusal], ask: Any, why: str = "") -> None:
    with pytest.raises(kind) as told:
        ask()
    assert told.value.code == code
    assert why in told.value.why
    assert told.value.hint.startswith("phasegate ")


# -- evidence -------------------------------------------------------------------------------------


def piece(title: str = "plan", **more: Any) -> Evidence:
    return Evidence.model_validate({"title": title, "by": "olga", "at": NOW, **more})


def test_of_every_figure_the_latest_word_counts() -> None:
    state = living(
        evidence=[piece(figures={"stars": 3, "safe": True}), piece(figures={"stars": 4.5})]
    )
    assert state.facts("g1").figures == {"stars": 4.5, "safe": True}
    assert state.facts("g1").evidence[0] == {
        "title": "plan",
        "link": "",
        "digest": "",
        "by": "olga",
    }


def test_the_revision_follows_evidence_figures_and_definition_and_nothing_else() -> None:
    state = living(evidence=[piece()])
    seen = {state.revision()}
    state.milestones.append(Milestone(id="beta", title="Beta", phase="scoping"))
    state.conditions.append(promise())
    assert state.revision() == revision_of(state.facts("g1")) == seen.pop()
    for change in (
        {"evidence": [piece("other")]},
        {"evidence": [piece(figures={"stars": 3})]},
        {"product": KETTLE.model_copy(update={"owner": "ana"})},
    ):
        seen.add(state.model_copy(update=change).revision())
    assert len(seen) == 3
    assert state.revision() not in seen


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_what_json_has_no_word_for_is_no_figure(word: str) -> None:
    with pytest.raises(ValueError, match="finite number"):
        TypeAdapter(Figure).validate_json(word)


def test_figures_use_up_the_room_for_evidence() -> None:
    big = piece(figures={f"f{i}": "x" * 500 for i in range(50)})
    assert big.size > 25_000
    require_room("kettle", [big])
    with pytest.raises(Rejected, match="takes no more evidence"):
        require_room("kettle", [big] * (EVIDENCE_BYTES // 25_000))


@pytest.mark.parametrize("team", [(), ("tim", "eve")])
def test_the_owner_and_the_team_attach_and_submit(team: tuple[str, ...]) -> None:
    state = living(product=KETTLE.model_copy(update={"team": team}))
    for person in ("olga", *team):
        require_owner_or_team(state, person, "submit")
    why = "only its owner, olga, and its team may: tim, eve" if team else "only its owner, olga"
    refused("not-owner", Forbidden, lambda: require_owner_or_team(state, "zed", "submit"), why)


# -- another definition ---------------------------------------------------------------------------


def asks(who: str = "olga", **fields: Any) -> UpdateProductRequest:
    product = Product.model_validate({**KETTLE.model_dump(mode="json"), **fields})
    return UpdateProductRequest(actor=who, product=product, request_id="r")


@pytest.mark.parametrize(
    ("fields", "code", "why"),
    [
        ({}, "unchanged", "what the product has already"),
        ({"key": "pot", "name": "Pot"}, "other-product", "its key is pot"),
        ({"policy": "swift"}, "other-policy", "kettle runs under standard"),
        ({"owner": "ana"}, "other-owner", "kettle belongs to olga"),
        ({"tier": 3, "name": "K", "summary": "s"}, "tier-alone", "also changes name, summary"),
        ({"goals": [{"goal": "x" * 4000}] * 60}, "too-large", f"{LARGEST} are taken"),
    ],
)
def test_a_definition_that_is_no_newer_version(fields: dict[str, Any], code: str, why: str) -> None:
    refused(code, Rejected, lambda: check_update(living(), asks(**fields)), why)


def test_the_policy_may_be_named_or_left_out() -> None:
    named = living(product=KETTLE.model_copy(update={"policy": "mine"}))
    for policy in (None, "mine", "standard"):
        assert "summary" in check_update(named, asks(policy=policy, summary="s"))


def test_the_owner_may_ask_for_more_scrutiny_and_others_permit_less() -> None:
    state = living(milestones=[Milestone(id="beta", title="Beta", phase="scoping")])
    assert not makes_smaller(state, asks(tier=1))
    assert makes_smaller(state, asks(tier=3))
    refused("self-approval", Forbidden, lambda: update(state, asks(tier=3), may("waive")))
    refused("not-permitted", Forbidden, lambda: update(state, asks("zoe", tier=3), may("extend")))
    refused("not-owner", Forbidden, lambda: update(state, asks("zoe", tier=1), may("waive")))
    assert update(state, asks(tier=1), may()) == "kettle is updated: tier"
    assert update(state, asks("zoe", tier=3), may("waive")) == "kettle is updated: tier"
    assert state.product.tier == 3
    assert state.definition_digest == digest_of(state.product)


def test_who_owes_the_public_notice_does_not_make_it_shorter_alone() -> None:
    state = living()
    assert state.product.maturity == "ga"
    assert makes_smaller(state, asks(maturity="beta"))
    refused("self-approval", Forbidden, lambda: update(state, asks(maturity="alpha"), may("waive")))
    refused("not-owner", Forbidden, lambda: update(state, asks("zoe", summary="s"), may("waive")))
    assert "maturity" in update(state, asks("zoe", maturity="alpha"), may("waive"))
    assert not makes_smaller(state, asks(maturity="beta"))
    assert "maturity" in update(state, asks(maturity="beta"), may())


def road(*plans: tuple[str, str | None], phase: str = "scoping", **more: Any) -> dict[str, Any]:
    return {"milestones": [{"id": id, "phase": phase, "due": due, **more} for id, due in plans]}


def test_the_roadmap_follows_the_new_definition() -> None:
    settled = Milestone(id="met", title="Met", phase="scoping", state=MilestoneStatus.met)
    old = asks(**road(("gone", "2027-01-01"), ("moved", None), ("met", None), ("same", None)))
    names = ("gone", "moved", "same", "beta")
    state = living(
        product=old.product,
        milestones=[settled, *(Milestone(id=n, title=n, phase="scoping") for n in names)],
    )
    state.milestone("moved").state = MilestoneStatus.missed
    new = road(
        ("moved", "2028-01-01"), ("met", "2028-01-01"), ("same", None), ("beta", "2028-02-01")
    )
    new["milestones"] += road(("added", "2029-01-01"))["milestones"]
    new["milestones"] += road(("afar", None), phase="launch")["milestones"]
    text = update(state, asks(**new), may())
    assert text == (
        "kettle is updated: milestones; milestone gone stays, since a gate may ask for it; "
        "milestone moved is now due 2028-01-01 23:59 UTC; "
        "milestone beta is now due 2028-02-01 23:59 UTC; milestone added joins"
    )
    assert [m.id for m in state.milestones] == ["met", *names, "added"]
    assert state.milestone("moved").state is MilestoneStatus.planned
    assert settled.due is None


def test_a_date_goes_a_title_comes_and_a_check_stays() -> None:
    http = {"kind": "http", "url": "https://ci.example", "expression": "body.green"}
    before = asks(**road(("own", "2027-01-01"), check=http))
    own = Milestone(
        id="own", title="Own", phase="scoping", check=HttpCheck.model_validate(http), due=NOW
    )
    state = living(product=before.product, milestones=[own], brief=None)
    text = update(state, asks(**road(("own", None), title="New")), may())
    assert "milestone own is now without a date" in text
    assert "milestone own keeps the check it has" in text
    assert "beta" not in text, "its phase is not entered yet"
    assert (own.title, own.due, own.check.kind) == ("New", None, "http")
    update(state, asks(**road(("own", None), title="Newer")), may())
    assert (own.title, own.state.value) == ("Newer", "planned")


def test_nothing_joins_on_the_way_into_a_phase() -> None:
    state = living(entering=True)
    update(state, asks(**road(("added", None))), may())
    assert state.milestones == []


def test_a_phase_that_is_entered_again_starts_again() -> None:
    product = asks(**road(("own", "2027-01-01"), ("other", None))).product
    milestones = [
        Milestone(id="other", title="Other", phase="launch"),
        Milestone(id="beta", title="Beta", phase="scoping", state=MilestoneStatus.met, due=NOW),
        Milestone(id="own", title="Own", phase="scoping", state=MilestoneStatus.missed, due=NOW),
    ]
    assert start_again(milestones, PHASE, product) == {"beta": "met", "own": "missed"}
    assert [(m.id, m.phase, m.state.value, m.due) for m in milestones] == [
        ("other", "launch", "planned", None),
        ("beta", "scoping", "planned", None),
        ("own", "scoping", "planned", None),
    ]


# -- another owner --------------------------------------------------------------------------------


def gives(to: str, who: str = "olga") -> HandoverRequest:
    return HandoverRequest(actor=who, to=to, reason="a new job", request_id="r")


def test_a_product_is_handed_over_with_its_owners_open_conditions() -> None:
    state = living(
        conditions=[promise("c1"), promise("c2", owner="lea"), promise("c3", state="closed")]
    )
    text = hand_over(state, gives("ana"), may(), may())
    assert text.endswith("from olga to ana: a new job; so do its owner's open conditions: c1")
    assert [c.owner for c in state.conditions] == ["ana", "lea", "olga"]
    hand_over(state, gives("max", "ana"), may(), may())
    assert (state.conditions[0].owner, state.conditions[0].promised_by) == ("max", "olga")
    hand_over(state, gives("ana", "max"), may(), may())
    assert state.product.owner == "ana"
    assert state.definition_digest == digest_of(state.product)
    assert "conditions" not in hand_over(living(), gives("ana", "max"), may(manages=True), may())


def test_a_handover_says_what_it_does_to_an_open_gate() -> None:
    state = living()
    state.sittings.begin("g1", "phase", workflow_id="w", token="t")
    leaving_now = living(sunset=SunsetReport(token="t", text="", gate="g1"))
    for product in (state, leaving_now):
        text = hand_over(product, gives("ana"), may(), may())
        assert "yes-votes on g1, which is open, are void, and ana votes on it no longer" in text


def test_who_may_not_hand_a_product_over_and_to_whom() -> None:
    refused("same-owner", Rejected, lambda: check_handover(living(), gives("olga")))
    why = "for its owner, olga or max (a manager of olga)"
    above = may(about_managers=("max",))
    refused(
        "not-owner", Forbidden, lambda: hand_over(living(), gives("ana", "zed"), above, may()), why
    )
    unknown = Authority()
    refused("unknown-person", Rejected, lambda: hand_over(living(), gives("ana"), may(), unknown))


def test_an_answer_about_another_owner_or_tier_is_good_for_nothing() -> None:
    require_same(living(), "olga", 2)
    refused("changed-meanwhile", Rejected, lambda: require_same(living(), "ana", 2))
    refused("changed-meanwhile", Rejected, lambda: require_same(living(), "olga", 3))


# -- conditions -----------------------------------------------------------------------------------


def promise(id: str = "c1", owner: str = "olga", state: str = "open", **more: Any) -> Condition:
    return Condition(id=id, text="docs", owner=owner, state=state, **{"due": None, **more})


def settles(action: str, who: str = "olga") -> ConditionRequest:
    return ConditionRequest.model_validate(
        {
            "actor": who,
            "condition": "c1",
            "action": action,
            "note": "see there",
            "link": "https://x",
            "digest": "sha256:1",
            "request_id": "r",
        }
    )


@given(st.integers(-30, 4000))
def test_a_condition_is_reminded_of_once_and_then_asked_for_weekly(days: int) -> None:
    view = ConditionView(id="c", text="docs", owner="lea", due=NOW + days * DAY, state="open")
    condition = Condition.promised(view, NOW, "g1")
    assert (condition.gate, condition.promised_by) == ("g1", "lea")
    assert condition.due is not None
    said = []
    while len(said) < 4:
        turn = condition.next_turn()
        assert turn is not None
        assert condition.turn(turn - timedelta(seconds=1)) is None
        said.append((condition.turn(max(turn, NOW)), max(turn, NOW)))
    first = [("reminder", condition.due - min(WEEK, days * DAY / 2))] if days > 0 else []
    late = max(condition.due, NOW)
    rest = [("overdue", late)] + [("escalated", late + n * WEEK) for n in (1, 2, 3)]
    assert said == (first + rest)[:4]
    assert condition.escalations == len([word for word, _ in said if word == "escalated"])


def test_a_condition_without_a_date_or_settled_has_no_clock() -> None:
    for condition in (promise(), promise(due=NOW, state="closed")):
        assert condition.next_turn() is None
        assert condition.turn(NOW + 99 * DAY) is None


def test_a_hold_moves_open_conditions_and_their_clocks() -> None:
    never = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    state = living(
        status=Status.on_hold,
        held_since=NOW,
        held_by="g1",
        conditions=[
            promise(due=NOW + DAY, remind_at=NOW),
            promise(due=NOW - DAY, overdue=True, escalate_at=NOW),
            promise(due=NOW, state="closed"),
            promise(due=never),
            promise(),
        ],
    )
    assert state.next_wake(NOW) is None
    state.resume(NOW + 9 * DAY)
    assert [c.due for c in state.conditions] == [
        NOW + 10 * DAY,
        NOW + 8 * DAY,
        NOW,
        never,
        None,
    ]
    assert (state.conditions[0].remind_at, state.conditions[1].escalate_at) == (
        NOW + 9 * DAY,
        NOW + 9 * DAY,
    )
    assert state.held_by == ""
    assert state.next_wake(NOW) == NOW + 9 * DAY


def test_conditions_have_clocks_in_the_sunset_and_not_after_the_end() -> None:
    state = living(status=Status.sunsetting, review_due=NOW, conditions=[promise(due=NOW + DAY)])
    assert state.next_wake(NOW) == NOW + DAY
    state.status = Status.retired
    assert state.next_wake(NOW) is None


@pytest.mark.parametrize(("action", "word"), [("close", "closed"), ("waive", "waived")])
def test_a_settled_condition_keeps_who_and_what_shows_it(action: str, word: str) -> None:
    state = living(conditions=[promise(due=NOW)])
    condition = check_condition(state, settles(action))
    assert condition.settle(settles(action), NOW) == f"c1 is {word}"
    shown = (condition.state, condition.closed_by, condition.closed_at, condition.note)
    assert shown == (word, "olga", NOW, "see there")
    assert (condition.link, condition.digest) == ("https://x", "sha256:1")
    assert condition.next_turn() is None
    assert state.open_conditions() == []


def test_who_may_close_a_condition_and_who_may_waive_it() -> None:
    state, condition = living(), promise(owner="lea")
    for person in ("lea", "olga"):
        require_closer(state, condition, person)
    refused("not-owner", Forbidden, lambda: require_closer(state, condition, "zed"))
    require_waiver(state, condition, "zoe", may("waive"))
    for person in ("lea", "olga"):
        refused(
            "self-approval",
            Forbidden,
            lambda who=person: require_waiver(state, condition, who, may("waive")),
        )
    given = [promise(owner="lea", promised_by="eve"), promise(owner="eve")]
    for asked in given:
        refused("self-approval", Forbidden, lambda c=asked: require_waiver(state, c, "eve", ALL))
    refused(
        "not-permitted",
        Forbidden,
        lambda: require_waiver(state, condition, "zed", may()),
        "has the permission waive at tier 2",
    )


# -- overruling -----------------------------------------------------------------------------------


def stopped(outcome: str = "recycle", gate: str = "g1", **more: Any) -> Lifecycle:
    summary = GateSummaryView(
        gate=gate, round=3, outcome=outcome, decided_at=NOW, votes={}, submitter="tim"
    )
    state = living(**{"needs_submit": True, **more})
    state.sittings.closed.append(summary)
    return state


def overrides(outcome: str = "go", who: str = "zoe", gate: str | None = None) -> OverrideRequest:
    return OverrideRequest.model_validate(
        {"actor": who, "outcome": outcome, "reason": "we must", "gate": gate, "request_id": "r"}
    )


HELD = {"status": Status.on_hold, "held_since": NOW, "needs_submit": False}


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        (stopped(), "phase"),
        (stopped("abandoned"), "phase"),
        (stopped("hold", held_by="g1", **HELD), "phase"),
        (stopped("hold", "plr", held_by="plr", **HELD), "review"),
        (stopped("recycle", "plr"), None),
        (stopped("go"), None),
        (stopped("kill"), None),
        (stopped(needs_submit=False), None),
        (stopped("recycle", "of-a-phase-before"), None),
        (stopped("hold", **HELD), None),
        (stopped(status=Status.on_hold, held_since=NOW), "phase"),
        (stopped(status=Status.cancelled), None),
        (stopped(entering=True), None),
        (stopped(brief=None), None),
        (living(needs_submit=True), None),
        (
            stopped("hold", "plr", held_by="plr", **HELD).model_copy(
                update={
                    "brief": PhaseBrief(phase=Phase(id="p", title="P"), next=None, has_sunset=False)
                }
            ),
            None,
        ),
    ],
)
def test_when_a_product_waits_because_of_a_gate(state: Lifecycle, kind: str | None) -> None:
    found = stopped_by(state)
    assert (found[0] if found else None) == kind
    if kind is None:
        refused("not-stopped", Rejected, lambda: check_override(state, overrides()))
    else:
        assert check_override(state, overrides(gate=state.sittings.closed[-1].gate)) == found


def test_an_override_that_makes_no_sense() -> None:
    sitting = stopped()
    sitting.sittings.begin("g1", "phase", workflow_id="w", token="t")
    refused("gate-open", Rejected, lambda: check_override(sitting, overrides()))
    refused("other-gate", Rejected, lambda: check_override(stopped(), overrides(gate="plr")))
    refused("unchanged", Rejected, lambda: check_override(stopped(), overrides("recycle")))


def test_nobody_overrides_for_themselves_or_without_permission() -> None:
    given = may("override")
    for who in ("olga", "tim"):
        ask = lambda who=who: overrule(stopped(), overrides(who=who), given, NOW)  # noqa: E731
        refused("self-approval", Forbidden, ask)
    refused("not-permitted", Forbidden, lambda: overrule(stopped(), overrides(), may("waive"), NOW))


def test_an_override_of_a_stop_takes_the_proof_that_its_gate_takes() -> None:
    state = stopped()
    assert state.brief
    assert not override_demand(state, overrides()).required
    phase = state.brief.phase
    assert phase.gate
    signed = phase.gate.model_copy(update={"assurance": "signed"})
    state.brief = state.brief.model_copy(
        update={"phase": phase.model_copy(update={"gate": signed})}
    )
    demand = override_demand(state, overrides())
    last = state.sittings.closed[-1]
    assert (demand.required, demand.since, demand.newest) == (True, last.decided_at, None)
    assert (demand.place.gate, demand.place.round) == (last.gate, last.round)
    spoken = overrides().model_copy(update={"signature": "sig", "signed_at": NOW})
    overrule(state, spoken, may("override"), NOW)
    assert state.override_signed_at == NOW, "what was signed before is past"


def test_an_override_of_a_held_review_takes_the_proof_of_the_review() -> None:
    state = stopped("hold", "plr", held_by="plr", **HELD)
    assert override_demand(state, overrides()).place.gate == "plr"


Use = Callable[[Lifecycle, str], object]


def waives(state: Lifecycle, who: str) -> None:
    require_waiver(state, promise(owner="lea"), who, may("waive"))


def revives(state: Lifecycle, who: str) -> None:
    revive(state.model_copy(update={"revival": Revival(by=who, reason="", key="k")}), ALL, NOW)


ALL = may("override", "waive")
USES: dict[str, Use] = {
    "override": lambda state, who: overrule(state, overrides(who=who), ALL, NOW),
    "waive": waives,
    "revive": revives,
    "smaller": lambda state, who: update(state, asks(who, tier=3, owner=state.product.owner), ALL),
}


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize(
    ("who", "why"),
    [
        ("olga", "olga owned it until it was handed over, and nobody decides on their own work"),
        ("ana", "ana owned it until it was handed over"),
        ("max", "max owns the product"),
        ("tim", "tim submitted a gate of it"),
        ("sue", "sue submitted a gate of it"),
        ("dan", "dan submitted evidence for it"),
    ],
)
def test_whoever_had_a_hand_in_a_product_uses_no_permission_on_it(
    use: str, who: str, why: str
) -> None:
    """Neither before nor after it has got another owner, nor when it comes back to the first."""
    state = stopped(evidence=[piece(by="dan")], had_a_hand={"sue": "submitted a gate of it"})
    hand_over(state, gives("ana"), may(), may())
    hand_over(state, gives("max", "ana"), may(), may())
    saved = Lifecycle.model_validate_json(state.model_dump_json())
    refused("self-approval", Forbidden, lambda: USES[use](saved, who), why)
    USES[use](saved, "zoe")


def test_a_round_bars_who_owned_the_product_in_its_phase() -> None:
    state = living()
    for to, who in (("ana", "olga"), ("olga", "ana"), ("max", "olga")):
        hand_over(state, gives(to, who), may(), may())
    assert state.facts("g1").former_owners == ["olga", "ana"]
    assert state.revision() == revision_of(state.facts("").model_copy(update={"former_owners": []}))


def test_the_product_follows_the_new_outcome_and_keeps_the_old() -> None:
    state = stopped("hold", held_by="g1", submitted_by="olga", **HELD)
    old = overrule(state, overrides(), may(Permission.override), NOW + DAY)
    assert (old.outcome, old.round) == ("hold", 3)
    assert [(s.round, s.outcome, s.submitter) for s in state.sittings.closed] == [
        (3, "hold", "tim"),
        (3, "go", "tim"),
    ]
    assert (state.status, state.submitted_by, state.needs_submit) == (Status.active, None, False)
    assert state.verdict is not None
    assert (state.verdict.kind, state.verdict.report.outcome) == ("phase", "go")
    assert state.verdict.report.why == "overridden by zoe: we must"
    again = stopped(status=Status.on_hold, held_since=NOW - DAY)
    overrule(again, overrides("kill"), may("override"), NOW)
    assert again.status is Status.active
    refused("not-stopped", Rejected, lambda: check_override(state, overrides("kill")))


def test_a_product_shows_what_holds_it_and_what_is_overdue() -> None:
    state = stopped("hold", held_by="g1", **HELD)
    assert "to resume it, which g1 holds: phasegate product resume" in waiting_for(state)
    state.held_by = ""
    assert "olga to resume it: phasegate" in waiting_for(state)
    state.conditions = [promise("late", due=NOW, overdue=True), promise("open")]
    view = product_view(state, "product/kettle")
    assert view.revision == state.revision()
    page = product_page(view, "")
    assert "`late` (olga, overdue), due 2026-11-23 09:00 UTC: docs" in page
    assert "`open` (olga), due –: docs" in page


# -- a second life --------------------------------------------------------------------------------


def killed(**more: Any) -> Lifecycle:
    return living(status=Status.killed, ended_at=NOW, submitted_by="olga", **more)


def test_what_remains_of_a_killed_product_is_its_state() -> None:
    state = killed(evidence=[piece(link="https://x")], refusals=3)
    state.outbox.add("x", "x", run="r", at=NOW)
    state.remember("k", Receipt(workflow_id="w", text=""))
    left = Lifecycle.model_validate(remains(state))
    assert left.outbox == Outbox(source="product/kettle", product="kettle", count=1)
    assert (left.handled, left.refusals) == ({}, 0)
    same = state.model_copy(update={"outbox": left.outbox, "handled": {}, "refusals": 0})
    assert left == same
    assert state.handled


def test_what_is_too_large_for_the_record_loses_the_texts_of_its_evidence() -> None:
    state = killed(evidence=[piece("x" * LARGEST_STATE, link="https://x", figures={"stars": 3})])
    (left,) = Lifecycle.model_validate(remains(state)).evidence
    assert (left.title, left.link, left.figures) == (LEFT_OUT, "", {"stars": 3})
    assert len(state.evidence[0].title) == LARGEST_STATE


def test_a_revived_product_waits_for_its_owner_and_its_dates_have_moved() -> None:
    late = Milestone(id="beta", title="Beta", phase="scoping", due=NOW + DAY)
    state = killed(milestones=[late], revival=Revival(by="zoe", reason="now", key="zoe/r"))
    back = NOW + 100 * DAY
    assert revive(state, may("override"), back).startswith("zoe revives Kettle: now; ")
    assert (state.status, state.ended_at, state.revival) == (Status.active, None, None)
    assert (state.needs_submit, state.submitted_by) == (True, None)
    assert late.due == back + DAY


@pytest.mark.parametrize(("who", "code"), [("olga", "self-approval"), ("zed", "not-permitted")])
def test_a_killed_product_stays_dead_without_permission(who: str, code: str) -> None:
    state = killed(revival=Revival(by=who, reason="now", key="k"))
    given = may("override") if who == "olga" else may()
    refused(code, Forbidden, lambda: revive(state, given, NOW))
    assert (state.status, state.ended_at) == (Status.killed, NOW)


# -- the sunset -----------------------------------------------------------------------------------


def leaving(product: Product = KETTLE) -> Retirement:
    return Retirement(
        product=living(product=product).facts(""),
        reports_to="product/kettle",
        token="t",
        outbox=Outbox(source="s", product="kettle"),
    )


def test_the_sunset_hears_of_another_owner_and_other_approvers() -> None:
    state = leaving()
    new = KETTLE.model_copy(update={"owner": "ana", "approvers": {"down": {"eng": ("bo",)}}})
    state.hear(living(product=new).facts(""))
    assert state.product.owner == "ana"
    assert state.facts("down").narrowed == {"eng": ("bo",)}
    assert state.facts("other").narrowed == {}
    bare = ProductFacts.model_validate({**state.product.model_dump(), "definition": {}})
    state.hear(bare)
    assert state.approvers == {}


def test_the_team_submits_gates_of_the_sunset_too() -> None:
    state = leaving(KETTLE.model_copy(update={"team": ("tim",)}))
    require_of_sunset(state, "tim", "submit a gate of")
    require_of_sunset(state, "olga", "submit a gate of")
    refused("not-owner", Forbidden, lambda: require_of_sunset(state, "zed", "submit a gate of"))


def test_a_condition_says_which_gate_of_the_sunset_it_comes_from() -> None:
    view = ConditionView(id="down-1-1", text="docs", owner="lea", due=None, state="open")
    report = GateReport(
        gate="down",
        round=1,
        token="t",
        outcome="conditional-go",
        why="",
        decided_at=NOW,
        conditions=[view],
    )
    state, product = leaving(), living(sunset_token="t")
    state.take_conditions(report)
    assert state.open_conditions == ["down-1-1"]
    assert product.take_sunset(SunsetReport(token="t", text="", conditions=state.conditions), NOW)
    assert [c.gate for c in product.conditions] == ["down"]
