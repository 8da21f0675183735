"""Whatever explains why something need not add up is a way out for forgers: none leads to 0."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from forging import PSEUDONYM, Body, bodies, changed, forged, with_redactions, without

from client.audit_checks import verify_record
from phasegate.audit.record import Record
from phasegate.audit.verifying import verify
from phasegate.base import canonical


def of_launch(number: int) -> Callable[[Body], bool]:
    return lambda body: body["source"].endswith(f"gate/launch/{number}")


def vote(who: str, number: int) -> Callable[[Body], bool]:
    def meant(body: Body) -> bool:
        return body["type"] == "gate.vote" and body["actor"] == who and of_launch(number)(body)

    return meant


def in_parts(body: Body) -> None:
    """As if the round had been reset."""
    if of_launch(2)(body):
        body["run"] = "other" if body["type"] == "gate.decided" else "first"
        body["follows"] = ""


def reset(record: Record) -> Record:
    """cy never voted in the round, and the decision says he did."""
    return changed(without(record, vote("cy", 2)), lambda _: True, in_parts)


def shortened(record: Record) -> Record:
    """Of cy's vote only the text is left: nobody signed it."""
    return changed(record, vote("cy", 2), lambda body: body.update(data={"shortened": True}))


def without_policy(record: Record) -> Record:
    kept = [one for one in record.documents if one.kind != "policy"]
    return record.model_copy(update={"documents": kept})


def early(record: Record) -> Record:
    def change(body: Body) -> None:
        if body["type"] == "gate.decided":
            body["data"].pop("grounds")

    return changed(record, lambda _: True, change)


def erased(record: Record) -> Record:
    """A vote that cy never signed, of which the signature is said to have been erased."""
    said = bodies(record)
    place = next(n for n, body in enumerate(said, 1) if vote("cy", 2)(body))
    signed = said[place - 1]["data"]["signed"]
    return with_redactions(record, {place: {signed["signature"]: "[redacted]"}})


def invented(record: Record) -> Record:
    """A voter whom no directory has, and who is said to have been taken out of the record."""
    said = bodies(record)
    gone = {}
    for number, body in enumerate(said, 1):
        if of_launch(2)(body) and '"cy"' in json.dumps(body):
            signed = body["data"].get("signed")
            words = {signed["signature"]: "[redacted]"} if signed else {}
            gone[number] = {"cy": PSEUDONYM, **words}
    return with_redactions(record, gone)


def other_keys(record: Record) -> Record:
    """cy's key is exchanged in the directory, which is said to have lost words."""
    old = next(one for one in record.documents if one.kind == "directory")
    directory = json.loads(old.body)
    directory["people"]["cy"]["keys"] = directory["people"]["ana"]["keys"]
    new = old.model_copy(update={"body": canonical(directory).decode()})
    documents = [new if one is old else one for one in record.documents]
    left = {"document": old.digest, "digest": sha256(new.body.encode()).hexdigest()}
    said = bodies(record)
    data = {"pseudonym": PSEUDONYM, "reason": "asked for", "entries": [], "documents": [left]}
    about = {"id": "record/lamp#1", "type": "record.redacted", "source": "record/lamp"}
    return forged(record, [*said, {**said[-1], **about, "data": data}], documents)


WAYS: dict[str, Callable[[Record], Record]] = {
    "a reset": reset,
    "a ledger that was down": shortened,
    "a policy that is not there": without_policy,
    "an early release": early,
    "words that were erased": erased,
    "somebody who was taken out": invented,
    "a document that lost words": other_keys,
}


@pytest.mark.parametrize("name", WAYS)
def test_no_way_out_is_free(lives: Any, name: str) -> None:
    report = verify_record(WAYS[name](lives.signed))
    assert report.unchecked or not report.ok


def test_a_document_that_lost_words_is_named(lives: Any) -> None:
    """Also where everything goes with what is left: the forger signed with these keys."""
    report = verify(other_keys(lives.signed), (), signature=lambda *_: "", judge=lambda *_: True)
    assert "is all that its checks rest on" in "\n".join(one.text for one in report.unchecked)


def waived(record: Record, *, back: bool = False) -> Record:
    """A condition that nobody might waive; as if the sunset had been aborted, which never began."""
    said = bodies(record)
    place = next(n for n, body in enumerate(said) if of_launch(1)(body))
    first = {**said[place - 1], "data": {"condition": "launch-1-1", "gate": "launch"}}
    new = [{**first, "id": "y", "type": "condition.waived"}]
    if back:
        new.insert(0, {**first, "id": "x", "type": "product.back-in-market", "data": {}})
    return forged(record, [*said[:place], *new, *said[place:]])


def moved(record: Record) -> Record:
    """Before its second round the product goes on under a policy that demands no signatures."""
    old = next(one for one in record.documents if one.kind == "policy")
    policy = json.loads(old.body)
    policy["phases"][0]["gate"]["assurance"] = "claimed"
    text = canonical(policy).decode()
    digest = f"sha256:{sha256(text.encode()).hexdigest()}"
    said = bodies(record)
    place = next(n for n, body in enumerate(said) if of_launch(2)(body))
    about = {"id": "m", "type": "product.updated", "at": said[place]["at"], "actor": "eve"}
    move = {**said[0], **about, "data": {"policy_digest": digest}}
    rest = json.loads(json.dumps(said[place:]).replace(old.digest, digest))
    for body in rest:
        body["data"].pop("signed", None)
    new = old.model_copy(update={"body": text, "digest": digest})
    return forged(record, [*said[:place], move, *rest], [*record.documents, new])


def test_a_product_stays_under_its_policy(lives: Any) -> None:
    report = verify_record(moved(lives.signed))
    assert report.fault is not None
    assert "another policy than the one" in report.fault.text
    assert report.more_faults > 3  # votes without signatures


@pytest.mark.parametrize("back", [False, True])
def test_a_waiver_names_by_what_right(lives: Any, back: bool) -> None:
    report = verify_record(waived(lives.signed, back=back))
    assert "it names no directory" in "\n".join(found.text for found in report.unchecked)


def test_no_workflow_but_the_products_settles_a_condition(lives: Any) -> None:
    said = bodies(lives.town)
    settled = [b for b in said if b["type"] in ("condition.closed", "condition.waived")]
    assert settled
    for body in settled:
        body["source"] += "/sunset"
    report = verify_record(forged(lives.town, said))
    assert report.fault is not None
    assert "was open" in report.fault.text


@pytest.mark.parametrize("edge", ["0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00"])
def test_a_day_beyond_the_calendar_is_a_fault(lives: Any, edge: str) -> None:
    def change(body: Body) -> None:
        if body["type"] == "gate.opened":
            body["data"]["respond"] = {"ana": edge}

    report = verify_record(changed(lives.signed, lambda _: True, change))
    assert report.fault is not None
    assert "OverflowError" in report.fault.text


def test_a_round_is_decided_once(lives: Any) -> None:
    """An earlier decision, which nothing else in the record would look at."""
    said = bodies(lives.signed)
    place = next(
        n for n, body in enumerate(said) if body["type"] == "gate.decided" and of_launch(2)(body)
    )
    other = json.loads(json.dumps({**said[place], "id": "x"}))
    other["data"]["outcome"] = other["data"]["view"]["outcome"] = "kill"
    report = verify_record(forged(lives.signed, [*said[:place], other, *said[place:]]))
    assert report.fault is not None
    assert "decided a second time" in report.fault.text


def test_words_of_one_person_stay_in_the_order_in_which_they_were_signed(lives: Any) -> None:
    said = bodies(lives.signed)
    first, second = (n for n, body in enumerate(said) if vote("bo", 2)(body))
    said[first]["at"], said[second]["at"] = said[second]["at"], said[first]["at"]
    said[first], said[second] = said[second], said[first]
    end = next(body for body in said[second:] if body["type"] == "gate.decided")
    for view in end["data"]["view"]["votes"]:
        if view["approver"] == "bo":
            view["state"] = "standing" if view["vote"] == "kill" else "changed"
    report = verify_record(forged(lives.signed, said))
    assert report.fault is not None
    assert "had signed something later before" in report.fault.text


def test_what_was_signed_is_said_within_its_time(lives: Any) -> None:
    """Everything happened two days later, says a forger; the signatures say when it was."""

    def later(body: Body) -> None:
        text = json.dumps(body)
        for at in set(re.findall(r"\d{4}-\d\d-\d\dT[\d:.]+(?:Z|\+00:00)", text)):
            if at not in json.dumps(body["data"].get("signed", {}).get("statement", "")):
                moved_at = datetime.fromisoformat(at) + timedelta(days=2)
                text = text.replace(at, moved_at.isoformat().replace("+00:00", "Z"))
        body.update(json.loads(text))

    report = verify_record(changed(lives.signed, lambda _: True, later))
    assert report.fault is not None
    assert "it was signed at another time" in report.fault.text
