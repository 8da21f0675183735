"""What cannot be told from the record alone is said, and is no fault; and is no way out either."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from forging import Body, bodies, changed, forged, without

from client.audit_checks import verify_record
from phasegate.audit.findings import Verified
from phasegate.audit.record import Record


def texts(report: Verified) -> str:
    return "\n".join(found.text for found in [*report.unchecked, *report.remarks])


def launch_vote(body: Body) -> bool:
    return bool(body["type"] == "gate.vote" and body["data"].get("gate") == "launch")


def anything(body: Body) -> bool:
    return True


def test_a_vote_that_a_reset_took_back_cannot_be_checked(lives: Any) -> None:
    """The last one in another run, which does not continue the first: cy's vote is not counted."""
    record = _not_counted(lives.town, "max")
    report = verify_record(record)
    assert report.fault is not None  # in one run there is no such thing

    def other_run(body: Body) -> None:
        if body["source"].endswith("gate/launch/1"):
            body["run"] = "other" if body["type"] == "gate.decided" else "first"
            body["follows"] = ""

    report = verify_record(changed(record, anything, other_run))
    assert "it was reset" in texts(report)
    assert "max's conditional-go is not among the votes" in texts(report)


def _not_counted(record: Record, who: str) -> Record:
    def change(body: Body) -> None:
        if body["type"] == "gate.decided" and body["data"]["gate"] == "launch":
            view = body["data"]["view"]
            view["votes"] = [v for v in view["votes"] if v["approver"] != who]

    return changed(record, anything, change)


def test_runs_that_continue_each_other_are_no_reset(lives: Any) -> None:
    def renewed(body: Body) -> None:
        if body["source"].endswith("gate/launch/1"):
            last = body["type"] in ("gate.decided", "gate.vote")
            body["run"], body["follows"] = ("second", "first") if last else ("first", "")

    report = verify_record(changed(_not_counted(lives.town, "max"), anything, renewed))
    assert report.fault is not None
    assert "is not among the votes" in report.fault.text or "it was decided" in report.fault.text


def test_what_early_releases_did_not_write_is_said(lives: Any) -> None:
    def early(body: Body) -> None:
        body.pop("run", None)
        body.pop("follows", None)
        body["data"].pop("directory", None) if body["type"] != "product.started" else None
        body["data"].pop("grounds", None)

    report = verify_record(changed(lives.town, anything, early))
    assert report.ok, report.fault
    assert (report.rounds, report.derived, report.overridden) == (4, 0, 1)
    assert "an early release decided" in texts(report)
    assert "it names no directory" in texts(report)


def test_entries_of_which_only_the_text_is_left_are_said(lives: Any) -> None:
    def short(body: Body) -> None:
        body["data"] = {"shortened": True}

    report = verify_record(changed(lives.town, launch_vote, short))
    assert report.ok, report.fault
    assert "the ledger was down so long" in texts(report)
    assert "the record has no such vote" in texts(report)
    report = verify_record(
        changed(
            lives.town, lambda b: b["type"] in ("product.sunsetting", "product.evidence"), short
        )
    )
    assert report.fault is None


def without_documents(kind: str) -> Callable[[Record], Record]:
    return lambda record: record.model_copy(
        update={"documents": [one for one in record.documents if one.kind != kind]}
    )


@pytest.mark.parametrize("kind", ["policy", "directory"])
def test_a_document_that_is_not_there_is_said(lives: Any, kind: str) -> None:
    report = verify_record(without_documents(kind)(lives.town))
    assert report.ok
    assert "is not in the record" in texts(report)
    if kind == "policy":
        assert report.derived == 0
    report = verify_record(without_documents(kind)(lives.signed))
    assert (report.fault is None) == (kind == "policy")  # a signature needs its key


def started(**fields: Any) -> Callable[[Record], Record]:
    """Another definition, of which the rest of the record knows nothing."""

    def change(body: Body) -> None:
        if body["type"] == "product.started":
            body["data"]["product"].update(fields)

    return lambda record: changed(record, anything, change)


def updated(before: str, digest: str) -> Callable[[Record], Record]:
    """A change of the definition that changes nothing, with these digests."""

    def forge(record: Record) -> Record:
        said = bodies(record)
        first = said[0]
        data = {"product": first["data"]["product"], "before": before, "digest": digest}
        new = {**first, "id": first["id"] + "x", "type": "product.updated", "data": data}
        return forged(record, [first, new, *said[1:]])

    return forge


def test_definitions_follow_each_other(lives: Any) -> None:
    from phasegate.audit.definitions import _digest

    right = _digest(bodies(lives.town)[0]["data"]["product"])
    assert verify_record(updated(right, right)(lives.town)).ok
    for before, digest, why in (
        ("sha256:0", right, "not the one before it"),
        (right, "sha256:0", "not what its digest was taken of"),
    ):
        report = verify_record(updated(before, digest)(lives.town))
        assert report.fault is not None
        assert why in report.fault.text
    report = verify_record(started(summary="another")(lives.town))
    assert report.fault is not None
    assert "do not make the revision" in report.fault.text


def test_a_handover_of_another_release_has_its_own_definition(lives: Any) -> None:
    """What a later release knows more of is in the definition, and its digest was taken of it."""
    from phasegate.audit.definitions import _digest

    said = bodies(lives.town)
    first = said[0]
    product = first["data"]["product"]
    older = {name: value for name, value in product.items() if name != "stakeholders"}
    assert "stakeholders" in product, "a field with a default"
    assert not product["stakeholders"], "a field with a default"

    def handed(**fields: Any) -> Verified:
        before = {**first, "data": {**first["data"], "product": older}}
        to = {**product, **fields}
        data = {"from": product["owner"], "to": "dan", "product": to}
        data |= {"before": _digest(older), "digest": _digest(to)}
        new = {**first, "id": first["id"] + "x", "type": "product.handed-over", "data": data}
        return verify_record(forged(lives.town, [before, new, *said[1:]]))

    later = handed(owner="dan").fault
    assert later is not None
    assert later.seq > 2, "of the revisions, which were taken of another definition"
    for fields in ({"owner": "eve"}, {"owner": "dan", "tier": 1}):
        fault = handed(**fields).fault
        assert fault is not None
        assert "more of its definition is another than its owner" in fault.text


ENDS = {
    "killed": ("product.killed", {}, "no gate of build decided kill"),
    "completed": ("product.completed", {}, "its policy goes on"),
    "retired": ("product.retired", {}, "no sunset of it had begun"),
    "sunsetting": ("product.sunsetting", {}, "did not lead to it"),
    "invested": ("product.investing", {"gate": "launch", "to": "build"}, "no review of build"),
    "investment over": (
        "product.investment-ended", {"gate": "launch", "to": "build"}, "did not decide to end"),
    "revived": ("product.revived", {"directory": "sha256:0"}, ""),
}  # fmt: skip


@pytest.mark.parametrize("name", ENDS)
def test_an_end_that_no_gate_led_to_is_found(lives: Any, name: str) -> None:
    type, data, why = ENDS[name]
    said = bodies(lives.town)
    place = next(n for n, body in enumerate(said) if body["type"] == "product.phase-entered") + 1
    new = {**said[place - 1], "id": "x", "type": type, "data": data}
    report = verify_record(forged(lives.town, [*said[:place], new, *said[place:]]))
    if not why:
        assert report.ok, report.fault
        return
    assert report.fault is not None
    assert why in report.fault.text


SIGNED_BADLY: dict[str, Callable[[Body], None]] = {
    "no signature at all": lambda signed: signed.pop("signature"),
    "no statement": lambda signed: signed.update(statement="[]"),
    "not JSON": lambda signed: signed.update(statement="{"),
    "written otherwise": lambda signed: signed.update(statement=" " + signed["statement"]),
    "another time": lambda signed: signed.update(at="2020-01-01T00:00:00Z"),
    "no such directory": lambda signed: signed.update(directory="sha256:0"),
    "garbage": lambda signed: signed.update(signature="-----BEGIN SSH SIGNATURE-----"),
}


@pytest.mark.parametrize("name", SIGNED_BADLY)
def test_a_signature_that_is_none_is_found(lives: Any, name: str) -> None:
    def change(body: Body) -> None:
        if body["type"] == "gate.vote" and body["actor"] == "cy" and "signed" in body["data"]:
            SIGNED_BADLY[name](body["data"]["signed"])

    report = verify_record(changed(lives.signed, anything, change))
    assert report.fault is not None
    assert report.fault.person == "cy"


def test_who_signed_once_goes_on_to(lives: Any) -> None:
    """bo's second word of the round, without a signature, at a gate that demands none."""

    def claimed(body: Body) -> None:
        if body["type"] == "gate.vote" and body["actor"] == "bo" and body["data"]["vote"] == "go":
            body["data"].pop("signed")

    report = verify_record(changed(lives.signed, anything, claimed))
    assert report.fault is not None
    assert "had signed before" in report.fault.text


def test_an_unsigned_word_that_is_called_signed_is_found(lives: Any) -> None:
    def change(body: Body) -> None:
        if body["type"] == "gate.vote" and body["data"].get("gate") == "retire":
            body["data"]["assurance"] = "signed"

    report = verify_record(changed(lives.signed, anything, change))
    assert report.fault is not None
    assert "has no signature" in report.fault.text


def test_an_empty_record_is_no_record(lives: Any) -> None:
    said = without(lives.short, lambda body: body["type"] != "product.started")
    assert verify_record(said).ok  # it has only just begun
