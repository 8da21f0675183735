"""What seldom stands in a record: what is no fault, what is one, and what cannot be told."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from forging import (
    PSEUDONYM,
    Body,
    bodies,
    changed,
    forged,
    with_document,
    with_redactions,
    without,
)
from signers import raw_sign

from client.audit_checks import verify_record
from phasegate.audit import voting
from phasegate.audit.container import MANIFEST, RECORD, BundleBroken, _zipped, unpack
from phasegate.audit.definitions import _digest
from phasegate.audit.findings import Verified
from phasegate.audit.record import Record
from phasegate.base import canonical
from phasegate.events import Anchor

Forge = Callable[[Record], Record]
MOMENT = timedelta(microseconds=1)


def after(record: Record, seq: int, *more: tuple[str, str, Body]) -> Record:
    """The record with entries (type, actor, data) of its product that follow this one."""
    said = bodies(record)
    last = datetime.fromisoformat(said[seq - 1]["at"])
    new = [
        {
            **said[0],
            "id": f"new-{n}",
            "at": (last + n * MOMENT).isoformat(),
            "type": type,
            "actor": actor,
            "data": data,
        }
        for n, (type, actor, data) in enumerate(more, 1)
    ]
    return forged(record, [*said[:seq], *new, *said[seq:]])


def seq_of(record: Record, type: str, **data: Any) -> int:
    for seq, body in enumerate(bodies(record), 1):
        if body["type"] == type and all(body["data"].get(k) == v for k, v in data.items()):
            return seq
    raise LookupError(type)


def data_of(type: str, change: Callable[[Body], object], **of: Any) -> Forge:
    """Forge the data of every entry of a type that says this."""

    def meant(body: Body) -> bool:
        said = body["data"]
        return body["type"] == type and all(said.get(k) == v for k, v in of.items())

    return lambda record: changed(record, meant, lambda body: change(body["data"]))


def launch(change: Callable[[Body], object]) -> Forge:
    """Forge the grounds of the decision at launch."""
    return data_of("gate.decided", lambda data: change(data["grounds"]), gate="launch")


def told(report: Verified) -> str:
    return "\n".join(found.text for found in report.unchecked)


def product(record: Record) -> Body:
    found: Body = bodies(record)[0]["data"]["product"]
    return found


def handed(**more: Any) -> Forge:
    data = {"from": "olga", "to": "dan", **more}
    return lambda record: after(record, 2, ("product.handed-over", "olga", data))


def handed_whole(record: Record) -> Record:
    before, to = product(record), {**product(record), "owner": "dan"}
    return handed(product=to, before=_digest(before), digest=_digest(to))(record)


def of_other_tiers(record: Record) -> Record:
    def change(policy: Body) -> None:
        policy["phases"][0]["gate"]["requires"][0]["tiers"] = [3]

    return with_document(record, "policy", change)


def reviewed(record: Record, gate: str) -> Record:
    """As if the gate out of the market had been its review, which sends it back to build; and what
    it did then."""

    def change(policy: Body) -> None:
        market = policy["phases"][1]
        review = {"first": "30 days", "every": "30 days", "invest": "build"}
        market["review"] = {**review, "gate": {**market["gate"], "id": gate}}

    return after(
        with_document(record, "policy", change),
        seq_of(record, "product.back-to-work"),
        ("product.investing", "", {"gate": gate, "to": "build"}),
        ("product.phase-entered", "", {"phase": "build"}),
        ("product.phase-entered", "", {"phase": "market"}),
    )


def investment_ended(record: Record) -> Record:
    kill: Body = {"outcome": "kill", "to": "kill"}
    forgery = data_of("gate.overridden", lambda data: data.update(kill), round=1)(record)
    back = seq_of(record, "product.back-to-work")
    ended = {"gate": "retire", "to": "market"}
    return after(forgery, back, ("product.investment-ended", "", ended))


def lapsed(record: Record) -> Record:
    """A condition of the sunset is over with it, and nobody had to be allowed to waive it."""
    waived = {"condition": "launch-1-1", "gate": "launch", "note": "x"}
    return after(
        record,
        seq_of(record, "product.sunsetting"),
        ("product.back-in-market", "olga", {"sunset": 1, "phase": "market"}),
        ("condition.waived", "olga", waived),
    )


RIGHT: dict[str, Forge] = {
    "a definition of which only the text is left": lambda r: after(
        r, 2, ("product.updated", "olga", {"shortened": True})),
    "handed over by an early release": handed(),
    "handed over with its definition": handed_whole,
    "when somebody was to answer cannot be read": data_of(
        "gate.opened", lambda data: data["respond"].update(bo="soon", cy="soon"), gate="launch"),
    "invested again, and back in the market": lambda r: reviewed(r, "retire"),
    "an investment that a kill has ended": investment_ended,
    "a condition of a sunset that was aborted": lapsed,
    "votes that do not say their conditions": data_of(
        "gate.vote", lambda data: data.pop("conditions")),
}  # fmt: skip


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_no_fault(lives: Any, name: str) -> None:
    report = verify_record(RIGHT[name](lives.town))
    assert report.ok, report.fault


WRONG: dict[str, tuple[Forge, str]] = {
    "a definition that is none": (
        lambda r: handed(product={**product(r), "owner": "dan", "tier": "x"})(r),
        "more of its definition is another than its owner"),
    "a round that nobody opened": (
        lambda r: without(r, lambda b: b["source"].endswith("launch/1")
                          and b["type"] == "gate.opened"),
        "the directory gives them no seat there"),
    "a vote of somebody barred": (
        launch(lambda grounds: grounds["barred"].update(lea="owns half of it")),
        "lea's go counts, and lea owns half of it"),
    "a step that nobody sits in": (
        launch(lambda grounds: grounds["steps"].append({"step": 9, "people": {}})),
        "who sat is not what the directory says"),
    "a requirement of other tiers": (of_other_tiers, "is for other tiers, and was asked"),
    "approvers that the product did not choose": (
        data_of("product.started", lambda data: data["product"].update(
            approvers={"launch": {"eng": ["ana", "bo"], "legal": "lea"}, "x": 1})),
        "cy has a vote in step 1, and the directory gives them no seat"),
    "a mandate that was taken back": (
        data_of("gate.delegated", lambda data: data.update(to=None)),
        "dan votes for bo, and nothing shows a mandate"),
    "a sunset that its policy does not have": (
        lambda r: with_document(r, "policy", lambda policy: policy.update(sunset=None)),
        "its sunset begins, and its policy has none"),
    "invested by a review that did not say so": (
        lambda r: reviewed(r, "look"), "it invests, and look did not decide recycle"),
    "an attestation of nothing": (
        lambda r: changed(r, lambda b: b["type"] == "gate.advice", lambda b: b.update(
            type="gate.attested", actor="lea", data={"criterion": "nope", "gate": "launch",
                                                     "round": 1, "state": "met", "revision": "r"})),
        "the gate has no criterion nope for people to attest"),
    "an unmet of somebody who does not attest": (
        lambda r: changed(r, lambda b: b["type"] == "gate.advice", lambda b: b.update(
            type="gate.attested", data={"criterion": "safe", "gate": "launch", "round": 1,
                                        "state": "unmet", "score": None, "revision": "r"})),
        "zoe attests safe, and is not of legal"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_is_one(lives: Any, name: str) -> None:
    forge, why = WRONG[name]
    report = verify_record(forge(lives.town))
    assert report.fault is not None, told(report)
    assert why in report.fault.text


def test_a_product_is_completed_only_when_its_gate_has_passed_it(lives: Any) -> None:
    report = verify_record(without(lives.short, lambda body: body["type"].startswith("gate.")))
    assert report.fault is not None
    assert report.fault.text == "it is completed, and launch did not pass it"


def test_a_product_may_be_killed_by_its_gate(lives: Any) -> None:
    def kill(body: Body) -> None:
        if body["type"] == "gate.vote":
            body["data"]["vote"] = "kill"
        elif body["type"] == "gate.decided":
            body["data"]["outcome"] = body["data"]["view"]["outcome"] = "kill"
            body["data"]["view"]["votes"][0]["vote"] = "kill"
        elif body["type"] == "product.completed":
            body["type"] = "product.killed"

    report = verify_record(changed(lives.short, lambda _: True, kill))
    assert report.ok, report.fault


def test_a_definition_that_lost_words_has_no_digest_to_check(lives: Any) -> None:
    first = bodies(lives.town)[0]["text"]
    report = verify_record(with_redactions(lives.town, {1: {first: "[redacted]"}}))
    assert report.ok, report.fault
    assert "words of the definition were erased: its digest" in told(report)
    other = {"document": "sha256:1", "digest": "sha256:2"}
    record = with_redactions(lives.town, {}, documents=[other])
    assert verify_record(record).ok, "a document of another product lost words"
    known = data_of("record.redacted", lambda data: data.update(pseudonym="ana"))(record)
    assert verify_record(known).ok, "nobody is gone who is known by that name"


def test_words_that_were_taken_out_of_evidence_are_named_where_they_are_missed(lives: Any) -> None:
    seq = seq_of(lives.town, "product.evidence")
    text = bodies(lives.town)[seq - 1]["text"]
    report = verify_record(with_redactions(lives.town, {seq: {text: "[redacted]"}}))
    assert report.ok, report.fault
    assert "the criterion up: words of the definition were erased" in told(report)


def test_whose_seat_is_missing_may_be_who_was_taken_out(lives: Any) -> None:
    forget = data_of(
        "gate.decided",
        lambda data: data["grounds"]["steps"][0]["people"].pop("dan"),
        gate="launch",
        round=2,
    )
    record = forget(lives.signed)
    assert not verify_record(record).ok
    gone = {seq_of(record, "gate.opened", gate="launch", round=2): {"dan": PSEUDONYM}}
    report = verify_record(with_redactions(record, gone))
    assert report.ok, report.fault
    assert "dan does not sit in step 1" in told(report)


def test_votes_that_a_large_round_has_forgotten_are_not_missed(
    lives: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forget(data: Body) -> None:
        data["view"]["votes"] = [v for v in data["view"]["votes"] if v["state"] != "changed"]

    record = data_of("gate.decided", forget, gate="launch")(lives.town)
    report = verify_record(record)
    assert report.fault is not None
    assert "is not among the votes of the decision" in report.fault.text
    monkeypatch.setattr(voting, "CHANGED_TEXT_KEPT", 1_000)
    assert verify_record(record).ok


def test_who_submits_a_gate_again_may_have_lost_their_votes(lives: Any) -> None:
    record = changed(
        lives.town,
        lambda body: body["type"] == "gate.resubmitted",
        lambda body: body.update(actor="max"),
    )
    assert verify_record(record).ok


def overrides(lives: Any, *minutes: int) -> Record:
    """A round that had come to recycle is overridden twice, each signed so many minutes before."""
    record, last = lives.signed, seq_of(lives.signed, "gate.decided", round=1)
    said = bodies(record)
    at, people = datetime.fromisoformat(said[last - 1]["at"]), said[last - 1]["data"]["grounds"]
    more = []
    for ago, (was, to) in zip(minutes, [("recycle", "hold"), ("hold", "recycle")], strict=True):
        when = (at - timedelta(minutes=ago)).isoformat().replace("+00:00", "Z")
        request = {"actor": "max", "outcome": to, "reason": "law", "request_id": to}
        statement = canonical({
            "statement": "phasegate/1", "action": "override", "product": "lamp", "gate": "launch",
            "round": 1, "policy": said[0]["data"]["policy_digest"],
            "request": {**request, "signed_at": when},
        }).decode()  # fmt: skip
        signed = {
            "statement": statement, "signature": raw_sign(statement, lives.keys["max"]),
            "key": "", "directory": people["directory_digest"],
            "at": at.isoformat(),
        }  # fmt: skip
        data = {"gate": "launch", "round": 1, "from": was, "to": to, "outcome": to, "reason": "law"}
        data |= {"assurance": "signed", "signed": signed, "directory": people["directory_digest"]}
        more.append(("gate.overridden", "max", data))
    return after(record, last, *more)


def test_an_override_was_signed_after_the_one_before_it(lives: Any) -> None:
    report = verify_record(overrides(lives, 2, 1))
    assert report.ok, report.fault
    fault = verify_record(overrides(lives, 1, 2)).fault
    assert fault is not None
    assert fault.text == "it was signed before the last override that was taken"


def test_a_record_has_entries_and_a_bundle_its_size_and_its_digests(
    lives: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BundleBroken, match="it has no entries"):
        verify_record(lives.short.model_copy(update={"entries": [], "head": Anchor()}))
    with zipfile.ZipFile(io.BytesIO(lives.short_bundle)) as read:
        manifest = json.loads(read.read(MANIFEST))
    bare = canonical({**manifest, "sha256": {}}) + b"\n"
    with pytest.raises(BundleBroken, match="does not have the digest of"):
        unpack(_zipped({RECORD: b"{}", MANIFEST: bare}))
    monkeypatch.setattr("phasegate.audit.container.LARGEST", 10)
    with pytest.raises(BundleBroken, match="more than 10 bytes, and a bundle never has"):
        unpack(b"0" * 11)
