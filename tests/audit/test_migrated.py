"""A record of a product that was put under another policy: who might, and what became of what."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from forging import Body, bodies, forged, with_document

from client.audit_checks import verify_record
from phasegate.audit.record import Record
from phasegate.base import canonical

START, OPEN = 2, 6
"""The entries after which it may come: its start, and the one that opens its first gate."""


def migrated(
    record: Record,
    seq: int = START,
    actor: str = "zoe",
    policy: Callable[[Body], object] = lambda _: None,
    **more: Any,
) -> Record:
    """The record, as if the product had gone on under a second version of its policy."""

    def let(directory: Body) -> None:
        directory["groups"]["board"]["permissions"]["migrate"] = [1, 2, 3]

    record = with_document(record, "directory", let)
    old, people = (
        next(one for one in record.documents if one.kind == kind)
        for kind in ("policy", "directory")
    )
    content = {**json.loads(old.body), "version": "2"}
    policy(content)
    text = canonical(content).decode()
    digest = f"sha256:{sha256(text.encode()).hexdigest()}"
    data = {
        "migration": "m", "from": old.digest, "policy_digest": digest, "phases": {},
        "phase": "build", "reason": "law", "milestones": {"new": [], "anew": [], "gone": {}},
        "directory": people.digest, **more,
    }  # fmt: skip
    said = bodies(record)
    at = datetime.fromisoformat(said[seq - 1]["at"]) + timedelta(microseconds=1)
    new = {**said[0], "id": "new", "type": "product.migrated", "actor": actor, "data": data,
           "at": at.isoformat()}  # fmt: skip
    for body in said[seq:]:
        if seq == START or not body["source"].endswith("launch/1"):  # a round keeps its policy
            body["data"] = json.loads(json.dumps(body["data"]).replace(old.digest, digest))
    more_documents = [*record.documents, old.model_copy(update={"body": text, "digest": digest})]
    return forged(record, [*said[:seq], new, *said[seq:]], more_documents)


LAUNCH = {"gate": "launch", "round": 1}


def harder(policy: Body) -> None:
    policy["phases"][0]["gate"]["requires"][0]["need"] = 1


def test_what_was_open_goes_on_where_its_gate_asks_the_same(lives: Any) -> None:
    for record in (migrated(lives.town), migrated(lives.town, OPEN, goes_on=LAUNCH)):
        report = verify_record(record)
        assert report.ok, report.fault
        assert report.unchecked == []


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "by its owner": ({"actor": "olga"}, "olga may not migrate"),
    "by a hand in it": ({"actor": "lea"}, "lea may not migrate"),
    "from another": ({"from": "sha256:0"}, "it leaves another policy than the one"),
    "to another phase": ({"phase": "market"}, "it goes on in market, and was to be in build"),
    "to no phase": ({"phase": "x", "phases": {"build": "x"}}, "its new policy does not have"),
    "over an open round": ({"seq": OPEN}, "round 1 of launch was open, and it does not say"),
    "with a harder gate": (
        {"seq": OPEN, "goes_on": LAUNCH, "policy": harder}, "the new policy asks something else"),
    "after no stop": ({"stopped": LAUNCH}, "was stopped for it, and came to nothing yet"),
    "with a goal anew": (
        {"seq": OPEN, "goes_on": LAUNCH, "milestones": {"anew": ["done"]}},
        "the milestone done had not come to met"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_migration_that_nobody_might_have_made_is_found(lives: Any, name: str) -> None:
    how, why = WRONG[name]
    report = verify_record(migrated(lives.town, **how))
    assert report.fault is not None
    assert why in report.fault.text


def test_who_had_a_hand_in_it_migrates_nothing(lives: Any) -> None:
    record = migrated(lives.town, OPEN, goes_on=LAUNCH)
    said = bodies(record)
    for body in said:
        if body["type"] == "product.evidence":
            body["actor"] = "zoe"
    report = verify_record(forged(record, said))
    assert report.fault is not None
    assert report.fault.text == "zoe put it under another policy, and submitted evidence for it"


def test_a_policy_that_is_not_there_leaves_it_open(lives: Any) -> None:
    record = migrated(lives.town)
    kept = [one for one in record.documents if json.loads(one.body).get("version") != "2"]
    report = verify_record(record.model_copy(update={"documents": kept}))
    assert report.ok, report.fault
    assert any("is not in the record" in found.text for found in report.unchecked)


@pytest.mark.parametrize("speaker", ["product/town", "product/town/gate/launch/1"])
def test_a_round_that_was_stopped_for_it_was_abandoned_before(lives: Any, speaker: str) -> None:
    """The round says so, or its product where nothing of it could speak any more."""
    every = bodies(lives.town)
    said = every[:OPEN]
    (view,) = (
        body["data"]["view"]
        for body in every
        if body["type"] == "gate.decided" and body["data"]["gate"] == "launch"
    )
    view |= {"outcome": None, "status": "abandoned", "votes": [], "refused": []}
    data = {**LAUNCH, "why": "another policy", "view": view}
    gone = {**said[-1], "id": "gone", "type": "gate.abandoned", "source": speaker, "data": data}
    over = forged(lives.town, [*said, gone])
    report = verify_record(migrated(over, OPEN + 1, stopped=LAUNCH))
    assert report.ok, report.fault
