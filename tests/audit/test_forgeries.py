"""Forgers with the ledger in their hands: whatever they can make anew, they make anew.

The chain has no key, so they can chain what they like: what is found here is found by deriving
everything again, and by signatures. The rest takes a head that was kept elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from forging import Body, bodies, changed, forged, with_document, without

from client.audit_checks import verify_record
from client.audit_heads import Head
from phasegate.audit.record import Record
from phasegate.events import Anchor


def is_(type: str, **fields: Any) -> Callable[[Body], bool]:
    """Whether an entry is of that type, and says that."""
    own = ("actor", "product")

    def meant(body: Body) -> bool:
        said = {**body["data"], **{name: body[name] for name in own}}
        return bool(body["type"] == type and fields.items() <= said.items())

    return meant


def vote(who: str, round: int = 2) -> Callable[[Body], bool]:
    return is_("gate.vote", actor=who, round=round)


DECIDED = is_("gate.decided", gate="launch", round=2)


def set_data(**data: Any) -> Callable[[Body], None]:
    return lambda body: body["data"].update(data)


def outcome(word: str) -> Callable[[Body], None]:
    def change(body: Body) -> None:
        body["data"]["outcome"] = word
        body["data"]["view"]["outcome"] = word

    return change


def in_view(who: str, **fields: Any) -> Callable[[Body], None]:
    def change(body: Body) -> None:
        votes = [v for v in body["data"]["view"]["votes"] if v["approver"] == who]
        assert votes
        votes[-1].update(fields)

    return change


def not_in_view(who: str) -> Callable[[Body], None]:
    def change(body: Body) -> None:
        view = body["data"]["view"]
        view["votes"] = [v for v in view["votes"] if v["approver"] != who]

    return change


def add_seat(who: str) -> Callable[[Body], None]:
    def change(body: Body) -> None:
        body["data"]["grounds"]["steps"][0]["people"][who] = ["eng"]

    return change


def forget_seat(who: str) -> Callable[[Body], None]:
    def change(body: Body) -> None:
        del body["data"]["grounds"]["steps"][0]["people"][who]

    return change


def grounds(**fields: Any) -> Callable[[Body], None]:
    return lambda body: body["data"]["grounds"].update(fields)


def both(record: Record, who: str, word: str) -> Record:
    """A vote changed in its own entry and in the decision."""
    first = changed(record, vote(who), set_data(vote=word))
    return changed(first, DECIDED, in_view(who, vote=word))


def moved_signature(record: Record) -> Record:
    """What ana signed in the first round stands for her vote of the second."""
    said = bodies(record)
    old = next(body for body in said if vote("ana", 1)(body))["data"]["signed"]
    for body in said:
        if vote("ana")(body):
            body["data"]["signed"] = old
    return forged(record, said)


def ballot_of_another(record: Record) -> Record:
    """A vote of dan's, who gave none in this round, with a signature of his from the first."""
    said = bodies(record)
    place = next(n for n, body in enumerate(said) if vote("cy")(body))
    mine = next(body for body in said if vote("dan", 1)(body))
    new = {**said[place], "actor": "dan", "id": said[place]["id"] + "x"}
    new["data"] = {**said[place]["data"], "signed": mine["data"]["signed"]}
    said.insert(place, new)

    def count(body: Body) -> None:
        votes = body["data"]["view"]["votes"]
        votes.append({**votes[-1], "approver": "dan"})

    return changed(forged(record, said), DECIDED, count)


def reordered(record: Record) -> Record:
    said = bodies(record)
    first = next(n for n, body in enumerate(said) if vote("ana")(body))
    second = next(n for n, body in enumerate(said) if vote("cy")(body))
    said[first], said[second] = said[second], said[first]
    return forged(record, said)


def without_round(record: Record) -> Record:
    return without(record, lambda body: body["source"].endswith("gate/launch/1"))


def without_passing(record: Record) -> Record:
    return without(record, lambda body: body["source"].endswith("gate/launch/2"))


def lowered(record: Record) -> Record:
    def change(policy: Body) -> None:
        policy["phases"][0]["gate"]["requires"][1]["need"] = 1

    return with_document(record, "policy", change)


def no_signatures_needed(record: Record) -> Record:
    def change(policy: Body) -> None:
        policy["phases"][0]["gate"]["assurance"] = "claimed"

    forgery = with_document(record, "policy", change)
    return changed(forgery, vote("ana"), lambda body: body["data"].pop("signed"))


FOUND: dict[str, tuple[Callable[[Record], Record], str]] = {
    "a vote changed": (
        lambda r: changed(r, is_("gate.vote", gate="retire"), set_data(vote="hold")),
        "is not among the votes of the decision",
    ),
    "a signed vote changed": (lambda r: changed(r, vote("cy"), set_data(vote="hold")), "signed is"),
    "a signed vote changed everywhere": (lambda r: both(r, "cy", "conditional-go"), "signed is"),
    "a comment changed": (lambda r: changed(r, vote("bo"), set_data(comment="?")), "signed is"),
    "a vote removed": (lambda r: without(r, vote("cy")), "no such vote"),
    "a vote removed everywhere": (
        lambda r: changed(without(r, vote("cy")), DECIDED, not_in_view("cy")),
        "by its votes and the policy it is no outcome yet",
    ),
    "a vote added": (ballot_of_another, "signed is something else"),
    "a vote of a stranger": (
        lambda r: changed(r, vote("cy"), lambda body: body.update(actor="eve")),
        "signed is something else",
    ),
    "a signed vote for somebody else": (
        lambda r: changed(r, vote("cy"), set_data(on_behalf_of="dan")),
        "said for somebody else",
    ),
    "what was attested": (
        lambda r: changed(
            r, is_("gate.attested"), lambda body: body.update(text="pia attests: all red")
        ),
        "its note is another",
    ),
    "an unsigned vote": (
        lambda r: changed(r, vote("cy"), lambda body: body["data"].pop("signed")),
        "did not sign it",
    ),
    "an outcome turned": (lambda r: changed(r, DECIDED, outcome("kill")), "it was decided kill"),
    "half an outcome turned": (
        lambda r: changed(r, DECIDED, set_data(outcome="kill")), "are not the same"),
    "a seat invented": (lambda r: changed(r, DECIDED, add_seat("eve")), "gives them no seat"),
    "a seat forgotten": (
        lambda r: changed(r, DECIDED, forget_seat("dan")), "does by the directory"),
    "a requirement left out": (
        lambda r: changed(r, DECIDED, grounds(applying=[0])), "the directory gives them no seat"),
    "a requirement that nobody used left out": (
        lambda r: changed(r, is_("gate.decided", gate="retire"), grounds(applying=[], steps=[])),
        "the directory gives them no seat",
    ),
    "nobody barred": (
        lambda r: changed(r, DECIDED, grounds(barred={})), "is not among those without a say"),
    "a deadline that had not passed": (
        lambda r: changed(r, DECIDED, grounds(resolve_passed=True)), "counts its deadline"),
    "an attestation removed": (
        lambda r: without(r, is_("gate.attested")), "nobody attested it"),
    "evidence removed": (lambda r: without(r, is_("product.evidence")), "nobody attached"),
    "another digest of evidence": (
        lambda r: changed(r, is_("product.evidence"), set_data(digest="sha256:" + "b" * 64)),
        "nobody attached",
    ),
    "a need lowered": (lowered, "did not sign this"),
    "no signature demanded any more": (no_signatures_needed, "signed is something else"),
    "a signature moved": (moved_signature, "signed is something else: its round"),
    "entries reordered": (reordered, "it was said before the entry that precedes it"),
    "a refusal removed": (
        lambda r: without(r, is_("gate.refused", actor="eve")), "the record lacks its entry"),
    "a refusal hushed up": (
        lambda r: changed(r, is_("gate.decided", round=1),
                          lambda body: body["data"]["view"].update(refused=[])),
        "does not show it",
    ),
    "a round left out": (without_round, "round 1 of launch is not in the record"),
    "the round that passed it left out": (without_passing, "and launch came to"),
    "a phase skipped": (
        lambda r: without(r, is_("product.phase-entered", phase="build")), "it begins in market"),
    "another owner": (
        lambda r: changed(r, is_("product.started"),
                          lambda body: body["data"]["product"].update(owner="zed")),
        "owned the product",
    ),
    "the start left out": (lambda r: without(r, is_("product.started")), "does not begin with"),
    "an entry twice": (lambda r: forged(r, [*bodies(r), bodies(r)[-1]]), "is there twice"),
}  # fmt: skip


@pytest.mark.parametrize("name", FOUND)
def test_a_forgery_is_found(lives: Any, name: str) -> None:
    forge, why = FOUND[name]
    report = verify_record(forge(lives.signed))
    assert not report.ok
    assert report.fault is not None
    everything = [report.fault.text, *(found.text for found in report.unchecked)]
    assert why in report.fault.text, everything


def test_what_is_not_forged_adds_up(lives: Any) -> None:
    report = verify_record(lives.signed)
    assert report.ok, report.fault
    assert (report.rounds, report.derived) == (3, 3)
    assert report.signatures == 9
    assert not report.unchecked
    assert not report.remarks
    # The forger's own way of writing entries adds nothing that could be found.
    assert verify_record(forged(lives.signed, bodies(lives.signed))).ok


def turned(record: Record) -> Record:
    """Nobody signed at the last gate: whoever can write everything can have ana say no, and the
    product stay."""
    said = [body for body in bodies(record) if not body["type"].startswith("sunset.")]
    said = [b for b in said if b["type"] not in ("product.sunsetting", "product.retired")]
    for body in said:
        if body["data"].get("gate") == "retire" and body["type"] == "gate.vote":
            body["data"]["vote"] = "hold"
        if body["data"].get("gate") == "retire" and body["type"] == "gate.decided":
            outcome("hold")(body)
            in_view("ana", vote="hold")(body)
    return forged(record, said)


ONLY_BY_HEAD: dict[str, Callable[[Record], Record]] = {
    "an unsigned vote, and its decision": lambda r: changed(
        changed(r, is_("gate.vote", gate="retire"), set_data(comment="never said")),
        is_("gate.decided", gate="retire"),
        in_view("ana", comment="never said"),
    ),
    "a refusal, and its mention": lambda r: changed(
        without(r, is_("gate.refused", round=1)),
        is_("gate.decided", round=1),
        lambda body: body["data"]["view"].update(refused=[]),
    ),
    "the last entries cut off": lambda r: forged(r, bodies(r)[:-1]),
    "a gate that nobody signed turned round": turned,
}


@pytest.mark.parametrize("name", ONLY_BY_HEAD)
def test_what_can_be_made_anew_whole_is_found_by_a_head(lives: Any, name: str) -> None:
    record = lives.signed
    forgery = ONLY_BY_HEAD[name](record)
    assert verify_record(forgery).ok
    known = [Head("lamp", Anchor(seq=record.entries[-1].seq, hash=record.entries[-1].hash))]
    assert verify_record(record, known).ok
    report = verify_record(forgery, known)
    assert not report.ok
    assert report.fault is not None
    assert "was known" in report.fault.text


def test_a_committee_adds_up(lives: Any) -> None:
    report = verify_record(lives.town)
    assert report.ok, report.fault
    assert (report.rounds, report.derived, report.overridden) == (4, 3, 1)
    assert not report.unchecked
    assert not report.remarks


LAUNCH = is_("gate.decided", gate="launch")


def of_gate(gate: str, round: int = 1) -> Callable[[Body], bool]:
    return lambda body: bool(body["source"].endswith(f"gate/{gate}/{round}"))


def by(actor: str) -> Callable[[Body], None]:
    return lambda body: body.update(actor=actor)


def of_tier_one(record: Record) -> Record:
    """The product was of the first tier all along: another group is asked there."""
    forgery = changed(
        record, is_("product.started"), lambda body: body["data"]["product"].update(tier=1)
    )
    return changed(forgery, LAUNCH, grounds(tier=1))


def another_overrider(record: Record) -> Record:
    retire = is_("gate.overridden", gate="retire", round=2)
    forgery = changed(record, retire, by("max"))
    return changed(
        forgery,
        is_("gate.decided", gate="retire", round=2),
        lambda body: body["data"]["view"]["override"].update(actor="max"),
    )


def another_directory(record: Record) -> Record:
    return with_document(record, "directory", lambda content: content.update(directory="village"))


def milestone_state(state: str) -> Callable[[Body], None]:
    return lambda body: body["data"]["view"]["criteria"][0].update(state=state)


FOUND_AT_A_COMMITTEE: dict[str, tuple[Callable[[Record], Record], str]] = {
    "a mandate removed": (lambda r: without(r, is_("gate.delegated")), "nothing shows a mandate"),
    "a mandate that ended": (
        lambda r: changed(r, is_("gate.delegated"), set_data(end="2020-01-01T00:00:00+00:00")),
        "nothing shows a mandate",
    ),
    "somebody else for cy": (
        lambda r: changed(r, is_("gate.vote", actor="eva"), by("lea")), "nothing shows a mandate"),
    "a seat given to nobody": (lambda r: without(r, is_("gate.reassigned")), "gives them no seat"),
    "a seat given by anybody": (
        lambda r: changed(r, is_("gate.reassigned"), by("dan")), "may not give ana's seat"),
    "a seat given that nobody had": (
        lambda r: changed(r, is_("gate.reassigned"), set_data(approver="dan")),
        "sits in none of its groups",
    ),
    "a withdrawal removed": (lambda r: without(r, is_("gate.withdrawn")), "it was changed"),
    "a withdrawal by another": (
        lambda r: changed(r, is_("gate.withdrawn"), by("zed")), "and it was changed"),
    "news of evidence removed": (lambda r: without(r, is_("gate.changed")), "is voided in the"),
    "nothing voided": (
        lambda r: changed(r, is_("gate.changed"), set_data(voided=[])),
        "is voided in the decision",
    ),
    "advice of a stranger": (
        lambda r: changed(r, is_("gate.advice"), by("max")), "is in none of its reviewers"),
    "a vote that is none": (
        lambda r: changed(r, is_("gate.vote", actor="max"), set_data(vote="maybe")), "is no vote"),
    "a vote in a step that is none": (
        lambda r: changed(r, is_("gate.vote", actor="max"), set_data(step=7)), "no seat"),
    "a comment of a decision": (
        lambda r: changed(r, LAUNCH, in_view("lea", comment="never")), "the comment of lea's"),
    "a promise of a decision": (
        lambda r: changed(r, LAUNCH, in_view("max", conditions=[])), "the conditions of max's"),
    "a vote that was void": (
        lambda r: changed(r, LAUNCH, lambda b: b["data"]["view"]["votes"][1].update(
            state="standing")), "and was changed before"),
    "an extension by anybody": (
        lambda r: changed(r, is_("gate.extended"), by("dan")), "may not extend"),
    "an override by anybody": (another_overrider, "may not override"),
    "an override removed": (
        lambda r: without(r, is_("gate.overridden", round=2)), "the record lacks the entry"),
    "an override of a stop by anybody": (
        lambda r: changed(r, is_("gate.overridden", round=1), by("dan")), "may not override"),
    "an override of another outcome": (
        lambda r: changed(r, is_("gate.overridden", round=1), lambda b: b["data"].update(
            {"from": "kill"})), "had not come to kill"),
    "an override of a gate that is none": (
        lambda r: changed(r, is_("gate.overridden", round=1), set_data(gate="moon")),
        "which its policy does not have"),
    "an overrider without a say": (
        lambda r: changed(r, is_("gate.decided", gate="retire", round=2), lambda b: b["data"][
            "grounds"]["barred"].update(zoe="owned it")), "zoe overrode it, who owned it"),
    "an attestation by anybody": (
        lambda r: changed(r, is_("gate.attested"), by("zoe")), "is not of legal"),
    "an attestation of other evidence": (
        lambda r: changed(r, is_("gate.attested"), set_data(revision="r000")),
        "on the evidence that it was decided on"),
    "an attestation of nothing": (
        lambda r: changed(r, is_("gate.attested"), set_data(criterion="liked")),
        "for people to attest"),
    "a milestone never met": (lambda r: without(r, is_("milestone.met")), "had not come to met"),
    "a milestone waived in the decision": (
        lambda r: changed(r, LAUNCH, milestone_state("judged")), "had not come to waived"),
    "a figure of the decision": (
        lambda r: changed(r, LAUNCH, lambda b: b["data"]["view"]["figures"].update(uptime=1.0)),
        "do not make the revision"),
    "an expression that was true": (
        lambda r: changed(r, LAUNCH, lambda b: b["data"]["view"]["criteria"][1].update(
            state="unmet")), "is unmet: evidence.uptime >= 99.0"),
    "a criterion left out": (
        lambda r: changed(r, LAUNCH, lambda b: b["data"]["view"]["criteria"].pop()),
        "its criteria are not those of the policy"),
    "a criterion of another kind": (
        lambda r: changed(r, LAUNCH, lambda b: b["data"]["view"]["criteria"][0].update(
            kind="should")), "is not as the policy has it"),
    "a must that was not met": (
        lambda r: changed(r, LAUNCH, grounds(unmet_musts=["built"])), "are not those of its"),
    "a score that fell short": (
        lambda r: changed(r, LAUNCH, grounds(weak_shoulds=["the score of 1 % (50 % is asked)"])),
        "is not what attestations and votes make of it"),
    "a judged criterion found": (
        lambda r: changed(r, LAUNCH, lambda b: b["data"]["view"]["criteria"][3].update(
            state="met")), "is for approvers to judge"),
    "an open condition": (
        lambda r: changed(r, is_("gate.decided", gate="down"), grounds(open_conditions=["x"])),
        "it passed over the condition x"),
    "a condition never closed": (lambda r: without(r, is_("condition.closed")), "was open"),
    "a tier that asks more": (of_tier_one, "was not asked: product.tier == 1 is true"),
    "a tier that the product never had": (
        lambda r: changed(r, LAUNCH, grounds(tier=3)), "which the product was not"),
    "requirements that are none": (
        lambda r: changed(r, LAUNCH, grounds(applying=[0, 2, 9])), "its gate does not have"),
    "people late before their day": (
        lambda r: changed(r, LAUNCH, grounds(late=[1])), "it counts people as late"),
    "a seat for another group": (
        lambda r: changed(r, LAUNCH, lambda b: b["data"]["grounds"]["steps"][0]["people"].update(
            max=["legal"])), "sits in step 1 for legal"),
    "a directory of another name": (another_directory, "and not town"),
    "a directory that is not there": (
        lambda r: r.model_copy(update={"documents": [
            one for one in r.documents if one.kind != "directory"]}), ""),
    "a gate that is none": (
        lambda r: changed(r, of_gate("down"), lambda b: b.update(
            source=b["source"].replace("down", "moon"))), "has no gate moon"),
    "a round that names another": (
        lambda r: changed(r, is_("gate.advice"), set_data(round=2)), "it names another round"),
    "a view of another round": (
        lambda r: changed(r, LAUNCH, lambda b: b["data"]["view"].update(round=2)),
        "that of another round"),
    "a view that is none": (
        lambda r: changed(r, LAUNCH, set_data(view={"product": "town"})), "cannot be read"),
    "another policy in the view": (
        lambda r: changed(r, LAUNCH, lambda b: b["data"]["view"].update(policy_digest="sha256:0")),
        "which is not its policy"),
    "the gate of the sunset left out": (
        lambda r: without(r, of_gate("down")), "down of its sunset did not pass"),
    "a phase that is none": (
        lambda r: changed(r, is_("product.phase-entered", phase="market"), set_data(phase="moon")),
        "which its policy does not have"),
    "the first phase entered twice": (
        lambda r: changed(r, is_("product.phase-entered", phase="market"), set_data(phase="build")),
        "its policy leads to market"),
    "a source that is none": (
        lambda r: changed(r, is_("milestone.met"), lambda b: b.update(source="mail/olga")),
        "which is no workflow of the product"),
}  # fmt: skip


@pytest.mark.parametrize("name", FOUND_AT_A_COMMITTEE)
def test_a_forgery_at_a_committee_is_found(lives: Any, name: str) -> None:
    forge, why = FOUND_AT_A_COMMITTEE[name]
    report = verify_record(forge(lives.town))
    if not why:
        assert any("is not in the record" in found.text for found in report.unchecked)
        return
    assert report.fault is not None
    assert why in report.fault.text, [report.fault.text, report.more_faults]


def told_after_the_attestation(*said: tuple[str, dict[str, Any]]) -> Callable[[Record], Record]:
    """The round says this, too, once `safe` is attested."""

    def forge(record: Record) -> Record:
        told = []
        for body in bodies(record):
            told.append(body)
            if body["type"] == "gate.attested":
                about = {"gate": body["data"]["gate"], "round": body["data"]["round"]}
                told += [
                    {**body, "id": f"{body['id']}-{n}", "type": type, "data": {**about, **data}}
                    for n, (type, data) in enumerate(said)
                ]
        return forged(record, told)

    return forge


def back_again(record: Record) -> Record:
    """Other evidence, and then what was attested on."""
    attested = next(body for body in bodies(record) if body["type"] == "gate.attested")
    first, other = attested["data"]["revision"], {"revision": "r000", "voided": []}
    again = {"revision": first, "voided": []}
    return told_after_the_attestation(("gate.changed", other), ("gate.changed", again))(record)


VOID = {
    "with a key that was revoked": told_after_the_attestation(
        ("gate.key-revoked", {"attested": [{"criterion": "safe", "actor": "lea"}], "voided": []})
    ),
    "before the evidence changed, and came back": back_again,
}


@pytest.mark.parametrize("name", VOID)
def test_what_was_attested_and_is_void_makes_no_criterion_met(lives: Any, name: str) -> None:
    report = verify_record(VOID[name](lives.town))
    assert report.fault is not None
    assert "safe is met, and nobody attested it" in report.fault.text


def test_who_may_not_vote_may_not_attest_either(lives: Any) -> None:
    def found(name: str) -> int:
        report = verify_record(changed(lives.town, LAUNCH, lambda b: barred(b, name)))
        assert report.fault is not None
        assert report.fault.text == f"{name}'s go counts, and {name} owned it"
        return report.more_faults

    def barred(body: Body, name: str) -> None:
        body["data"]["grounds"]["barred"][name] = "owned it"

    assert found("lea") == found("cy") + 2  # the criterion that she alone attested, and the score


def test_news_that_voids_nothing_of_it_leaves_an_attestation_as_it_is(lives: Any) -> None:
    others = {"attested": [{"criterion": "safe", "actor": "zoe"}, "lea"], "voided": []}
    forge = told_after_the_attestation(
        ("gate.key-revoked", others), ("gate.key-revoked", {"attested": "lea"})
    )
    report = verify_record(forge(lives.town))
    assert "attested" not in (report.fault.text if report.fault else "")
