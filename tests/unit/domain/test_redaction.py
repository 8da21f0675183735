"""Which words are about somebody: all of theirs, and nobody else's."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phasegate.base import canonical
from phasegate.events import Announcement
from phasegate.redacted import (
    GONE,
    MARKED,
    Redacted,
    RedactedDocument,
    documents_left,
    redacted_of,
)
from phasegate.redacted_documents import document_without
from phasegate.redaction import Entry, Subject, instead, words_of
from phasegate.seals import Seal, redact, texts

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
BO = Subject("person", "bo", ("Bo Björk", "bo@example.com", ""), "person-0a1b2c")
WHO = BO.pseudonym


def entry(actor: str = "ana", type: str = "gate.vote", text: str = "", **data: Any) -> Entry:
    event = Announcement(
        id="e", type=type, product="atlas", source="s", at=AT, actor=actor, text=text, data=data
    )
    return Entry.of(event, body_of(event))


def body_of(event: Announcement) -> str:
    return canonical({**event.model_dump(mode="json"), "seq": 1}).decode()


def without(subject: Subject, one: Entry, *others: Entry) -> dict[str, Any]:
    """The data of an entry without the subject, and its `text` and `actor`."""
    seal = Seal(root="5a" * 32)
    new = instead(subject, one, words_of(subject, (one, *others)))
    body, _ = redact(body_of(one.event), seal, new)
    said = json.loads(body)
    return {**said["data"], "text": said["text"], "actor": said["actor"]}


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("bo", WHO),
        ("ask bo, or Bo", f"ask {WHO}, or Bo"),  # ids are as they are written
        ("(bo)", f"({WHO})"),
        ("bo's", f"{WHO}'s"),
        ("@bo: look", f"@{WHO}: look"),
        ("bo.", f"{WHO}."),
        ("mail/bo", f"mail/{WHO}"),
        ("bob", "bob"),
        ("bo.lopez", "bo.lopez"),
        ("x-bo", "x-bo"),
        ("bo-team", "bo-team"),
        ("bo@other.example", "bo@other.example"),
        ("BO@EXAMPLE.COM", WHO),
        ("to bo@example.com.", f"to {WHO}."),
        ("bo\n BJÖRK  bo björk", f"bo\n BJÖRK  {WHO}".replace("bo\n BJÖRK", WHO)),
        ("Bo Björkman", "Bo Björkman"),
        ("", ""),
    ],
)
def test_names_are_found_as_words(text: str, left: str) -> None:
    assert BO.hidden(text) == left
    assert BO.named_in(text) is (text != left)


def test_a_customer_whose_id_is_a_number_is_no_other_number() -> None:
    one = Subject("customer", "42", ("Forty-two Ltd",), "customer-0a1b2c")
    found = one.hidden("customer 42 of 42: 42 seats, 42")
    assert found == "customer customer-0a1b2c of 42: 42 seats, 42"
    assert one.hidden("42 (no such user)") == "customer-0a1b2c (no such user)"
    assert one.hidden("42") == "customer-0a1b2c"
    assert one.hidden("forty-two ltd") == "customer-0a1b2c"


def test_words_of_theirs_go_wherever_they_are_repeated() -> None:
    vote = entry("bo", comment="not on a Friday", conditions=[{"text": "ok", "owner": "ana"}])
    held = entry("bo", type="product.held", text="atlas is held: I am ill")
    end = entry(
        "",
        type="gate.decided",
        text="Launch: go (not on a Friday)",
        view={
            "votes": [
                {"approver": "bo", "comment": "not on a Friday", "conditions": ["ok"]},
                {"approver": "ana", "comment": "I like what bo said", "key": "SHA256:x"},
            ],
            "conditions": [
                {"text": "ok", "closed_by": "ana", "note": "kept"},
                {"text": "their own", "closed_by": "bo", "note": "done, I think"},
            ],
            "override": {"actor": "bo", "reason": "it was time"},
            "delegations": [{"approver": "bo", "by": "ana", "reason": "he is away"}],
            "why": "as it is",
        },
    )
    assert without(BO, vote)["comment"] == GONE
    assert without(BO, held)["text"] == GONE
    found = without(BO, end, vote, held)
    view = found["view"]
    assert found["text"] == f"Launch: go ({GONE})"
    assert view["votes"][0] == {"approver": WHO, "comment": GONE, "conditions": [GONE]}
    assert view["votes"][1]["comment"] == f"I like what {WHO} said"
    assert view["votes"][1]["key"] == "SHA256:x"
    assert [c["text"] for c in view["conditions"]] == [GONE, "their own"]
    assert [c["note"] for c in view["conditions"]] == ["kept", GONE]
    assert view["override"] == {"actor": WHO, "reason": GONE}
    assert view["delegations"][0]["reason"] == "he is away"
    assert view["why"] == "as it is"


def test_titles_that_say_the_same_stay() -> None:
    said = entry("bo", comment="feature complete")
    other = entry(title="feature complete", name="feature complete", why="no: feature complete")
    found = without(BO, other, said)
    assert (found["title"], found["name"]) == ("feature complete", "feature complete")
    assert found["why"] == f"no: {GONE}"


def test_who_is_named_beside_an_event_without_an_actor_wrote_it() -> None:
    assert without(BO, entry("", by="bo", note="done"))["note"] == GONE
    assert without(BO, entry("", by="ana", note="done"))["note"] == "done"
    assert without(BO, entry("bo", approver="ana", reason="gone"))["reason"] == GONE


def test_what_they_signed_goes_and_what_it_was_checked_against_stays() -> None:
    signed: dict[str, Any] = {
        "statement": '{"actor":"bo"}', "signature": "x", "key": "SHA256:y", "at": "2026",
        "directory": "sha256:z",
    }  # fmt: skip
    found = without(BO, entry("bo", signed=signed, request_id="n", vote="go", gate="bo"))
    assert found["signed"] == {
        "statement": GONE, "signature": GONE, "key": GONE, "at": "2026", "directory": "sha256:z"
    }  # fmt: skip
    assert (found["request_id"], found["vote"], found["gate"]) == (GONE, "go", "bo")
    other = without(BO, entry("ana", signed={**signed, "statement": "{}"}, request_id="n"))
    assert other["signed"] == {**signed, "statement": "{}"}


def test_groups_and_gates_may_be_called_like_a_person() -> None:
    data: dict[str, Any] = {
        "seats": {"bo": ["bo", "eng"]},
        "reviewers": {"bo": ["bo"]},
        "product": {"owner": "bo", "approvers": {"bo": {"bo": ["bo"]}}, "reason": "a text"},
        "steps": [{"people": {"bo": ["bo"]}, "step": 1}],
        "people": ["bo"],
        "bo": 1,
        "group": "bo",
    }
    found = without(BO, entry("bo", **data))
    assert found["seats"] == {WHO: ["bo", "eng"]}
    assert found["reviewers"] == {"bo": [WHO]}
    owned = {"owner": WHO, "approvers": {"bo": {"bo": [WHO]}}, "reason": "a text"}
    assert found["product"] == owned
    assert found["steps"] == [{"people": {WHO: ["bo"]}, "step": 1}]
    assert (found["people"], found["bo"], found["group"]) == ([WHO], 1, "bo")


def test_what_was_said_of_an_earlier_redaction_stays_readable() -> None:
    said = Redacted(pseudonym="person-ffffff", reason="bo asked", documents=[
        RedactedDocument(document="sha256:1", digest="2")]).model_dump(mode="json")  # fmt: skip
    said["entries"] = [{"seq": 1, "texts": [0], "digest": "bo"}]
    found = without(BO, entry("ana", type="record.redacted", **said))
    assert found["reason"] == f"{WHO} asked"
    assert found["entries"] == said["entries"]
    assert found["pseudonym"] == "person-ffffff"


def test_a_customer_loses_the_note_that_was_written_of_them() -> None:
    one = Subject("customer", "C-1", ("Lights",), "customer-0a1b2c")
    said = entry(type="sunset.customers", text="customer C-1 is migrated: Ms Ray rang")
    assert without(one, said)["text"] == f"customer customer-0a1b2c is migrated: {GONE}"
    other = entry(type="sunset.customers", text="customer C-2 is migrated: like C-1 and LIGHTS")
    assert without(one, other)["text"] == (
        "customer C-2 is migrated: like customer-0a1b2c and customer-0a1b2c"
    )
    other = entry(type="sunset.customers", text="7 customers were imported")
    assert without(one, other)["text"] == "7 customers were imported"


words = st.sampled_from(["bo", "ana", "ask bo", "Bo Björk", "comment", "x", "bo bo", ""])
names = st.sampled_from(["bo", "ana", "comment", "view", "reason", "by", "approver", "note", "k"])
data = st.recursive(
    words | st.integers(), lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(names, inner, max_size=3), max_leaves=9,
)  # fmt: skip


@given(st.dictionaries(names, data, max_size=4), words, words)
def test_afterwards_nothing_is_left_of_them_and_once_more_changes_nothing(
    found: dict[str, Any], actor: str, text: str
) -> None:
    one = entry(actor, text=text, **found)
    new = instead(BO, one, words_of(BO, [one]))
    assert all(MARKED.search(word) for word in new.values())
    body, _ = redact(body_of(one.event), Seal(root="5a" * 32), new)
    left = [p for p in texts(body) if BO.named_in(p.text)]
    assert all(place.is_name and len(place.path) < 3 for place in left)
    after = Entry(Announcement.model_validate_json(body), texts(body))
    assert instead(BO, after, words_of(BO, [after])) == {}


def test_a_directory_keeps_who_stood_in_for_whom() -> None:
    body = canonical({
        "schema_version": 1,
        "directory": "bo",
        "people": {
            "bo": {"name": "Bo Björk", "country": "SE", "manager": "ana", "deputy": "cy",
                   "absences": [
                       {"start": "2026-12-01", "end": "2026-12-02", "delegate": "ana"},
                       {"start": "2026-12-05", "end": "2026-12-06", "delegate": None}]},
            "ana": {"name": "Ana", "deputy": "bo"},
        },
        "groups": {"bo": {"members": ["ana", "bo"], "title": "of Bo Björk"}},
    }).decode()  # fmt: skip
    left = json.loads(document_without("directory", body, BO))
    assert left["directory"] == "bo"
    his = left["people"][WHO]
    assert (his["manager"], his["deputy"], his["name"], his["country"]) == ("ana", "cy", "", None)
    assert [away["delegate"] for away in his["absences"]] == ["ana"]
    assert left["people"]["ana"] == {"name": "Ana", "deputy": WHO}
    assert left["groups"] == {"bo": {"members": ["ana", WHO], "title": f"of {WHO}"}}
    assert document_without("product", '{"key":"bo","owner":"bo","tier":1}', BO) == (
        f'{{"key":"bo","owner":"{WHO}","tier":1}}'
    )


def test_documents_are_left_as_the_last_word_on_them_says() -> None:
    def said(*pairs: tuple[str, str]) -> str:
        left = [RedactedDocument(document=d, digest=digest) for d, digest in pairs]
        data = Redacted(pseudonym=WHO, reason="r", documents=left)
        return json.dumps({"data": data.model_dump(mode="json")})

    assert documents_left([said(("a", "1"), ("b", "2")), "[]", said(("a", "3"))]) == {
        "a": "sha256:3", "b": "sha256:2"
    }  # fmt: skip
    assert redacted_of("[" * 100_000) is None
