"""The small parts: who might act for whom, broken chains, records without an end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from forging import Body, bodies, changed, forged

from client.audit_checks import verify_record
from client.audits import page_of
from phasegate.audit.container import PAGE, RECORD, pack
from phasegate.audit.findings import Finding
from phasegate.audit.seating import Mandates
from phasegate.events import Anchor
from phasegate.reading import read_directory

AT = datetime(2026, 11, 25, 12, tzinfo=UTC)
DAY = timedelta(days=1)
DIRECTORY = read_directory(
    """
directory: default
people:
  ana: {manager: max, deputy: dan}
  bo: {absences: [{start: 2026-11-20, end: 2026-11-24, delegate: ana}]}
  cy: {absences: [{start: 2026-11-20, end: 2026-11-30, delegate: bo}]}
  dan: {absences: [{start: 2026-11-20, end: 2026-11-30}]}
  max: {manager: top}
  top: {}
groups: {}
""",
    "directory",
)


@pytest.mark.parametrize(
    ("person", "holder", "may"),
    [
        ("dan", "ana", True),  # the deputy, once she is late
        ("max", "ana", True),
        ("top", "ana", True),
        ("bo", "ana", False),
        ("ana", "bo", True),  # away until yesterday: whose yesterday it is nobody knows
        ("ana", "cy", True),  # through bo
        ("dan", "bo", False),
    ],
)
def test_who_might_act_for_whom(person: str, holder: str, may: bool) -> None:
    assert Mandates().may_act(person, holder, AT, DIRECTORY, AT - DAY) is may
    if person in ("dan", "max", "top"):
        assert not Mandates().may_act(person, holder, AT, DIRECTORY, AT + DAY)


def test_a_delegation_has_its_time() -> None:
    given = Mandates({"ana": ("bo", AT, AT + DAY), "bo": ("ana", AT, None)})
    assert given.may_act("bo", "ana", AT, DIRECTORY, AT + DAY)
    assert not given.may_act("bo", "ana", AT - DAY, DIRECTORY, AT + DAY)
    assert not given.may_act("bo", "ana", AT + DAY, DIRECTORY, AT + 2 * DAY)
    assert not given.may_act("dan", "ana", AT, DIRECTORY, AT + DAY)  # a circle ends


def test_a_broken_chain_is_named_by_its_entry(lives: Any) -> None:
    entries = list(lives.town.entries)
    entries[6] = entries[6].model_copy(
        update={"body": entries[6].body.replace('"at":"2', '"at":"3')}
    )
    report = verify_record(lives.town.model_copy(update={"entries": entries}))
    assert report.fault is not None
    assert (report.fault.seq, "hash was taken of" in report.fault.text) == (7, True)
    gone = [entry for entry in lives.town.entries if entry.seq != 9]
    report = verify_record(lives.town.model_copy(update={"entries": gone}))
    assert report.fault is not None
    assert (report.fault.seq, "is missing" in report.fault.text) == (9, True)
    head = Anchor(seq=lives.town.head.seq + 1, hash="0" * 64)
    report = verify_record(lives.town.model_copy(update={"head": head}))
    assert report.fault is not None
    assert "was the last when it was exported" in report.fault.text


def test_what_is_no_announcement_is_named(lives: Any) -> None:
    def change(body: Body) -> None:
        if body["type"] == "gate.advice":
            body["at"] = "yesterday"

    report = verify_record(changed(lives.town, lambda _: True, change))
    assert report.fault is not None
    assert "is no announcement" in report.fault.text


def test_a_record_of_a_product_that_lives_adds_up_at_every_entry(lives: Any) -> None:
    """Whoever exports while a gate is open has a record like any other."""
    said = bodies(lives.town)
    for length in range(1, len(said)):
        report = verify_record(forged(lives.town, said[:length]))
        assert report.ok, (length, report.fault)


def test_documents_are_what_they_are_said_to_be(lives: Any) -> None:
    record = lives.town
    twice = record.model_copy(update={"documents": [*record.documents, record.documents[0]]})
    report = verify_record(twice)
    assert report.fault is not None
    assert "is there twice" in report.fault.text
    first = record.documents[0]
    other = first.model_copy(update={"body": first.body + " "})
    report = verify_record(record.model_copy(update={"documents": [other, *record.documents[1:]]}))
    assert report.fault is not None
    assert "not the text that its digest was taken of" in report.fault.text


def test_places_are_said_in_words() -> None:
    assert Finding(text="x").place == "the record"
    assert Finding(text="x", seq=3, gate="launch", round=2).place == "entry 3, round 2 of launch"


def test_names_and_sizes_of_members_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="no name of a member"):
        pack({RECORD: b"{}", "../x.json": b""}, {})
    monkeypatch.setattr("phasegate.audit.container.LARGEST", 10)
    with pytest.raises(ValueError, match="more than 10 bytes"):
        pack({RECORD: b"0" * 10, PAGE: b""}, {})


HOSTILE = "<script>alert(1)</script> \u202e\"'&--> {{ 7*7 }} ]]>"


def test_the_page_escapes_what_anybody_wrote(lives: Any) -> None:
    def change(body: Body) -> None:
        body["text"] = HOSTILE
        if body["type"] == "product.evidence":
            body["data"]["link"] = f"javascript:{HOSTILE}"
        if body["type"] == "gate.decided":
            body["data"]["view"]["votes"] = [
                {**vote, "comment": HOSTILE, "approver": HOSTILE}
                for vote in body["data"]["view"]["votes"]
            ]

    page = page_of(changed(lives.town, lambda _: True, change))
    assert page is not None
    text = page.decode()
    assert "<script" not in text
    assert "{{ 7*7 }}" in text
    assert "\u202e" not in text
    assert 'href="javascript' not in text
    assert "&lt;script&gt;alert(1)" in text
    assert "default-src 'none'" in text
    assert page == page_of(changed(lives.town, lambda _: True, change))  # the same page each time


def test_the_page_of_an_open_gate_has_what_was_said_so_far(lives: Any) -> None:
    said = bodies(lives.town)
    first = next(n for n, body in enumerate(said) if body["type"] == "gate.vote")
    page = page_of(forged(lives.town, said[: first + 1]))
    assert page is not None
    voter = said[first]["actor"]
    assert (
        f"<bdi>{voter}</bdi>" in page.decode().partition("Votes so far of")[2].split("</table>")[0]
    )
