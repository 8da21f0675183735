"""What a document may not say, and what follows from one that is in order."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from phasegate.check import HttpCheck
from phasegate.directory import Directory
from phasegate.gate import Clocks, Criterion, Gate, Requirement
from phasegate.policy import Policy, Review

GATE = {"id": "g1", "title": "Idea", "requires": [{"group": "eng"}]}
HTTP = {"kind": "http", "url": "https://ci.example", "expression": "body.green"}


@pytest.mark.parametrize(
    ("model", "data", "message"),
    [
        (Requirement, {}, "needs either group or any_of"),
        (Requirement, {"group": "eng", "any_of": ["eng"]}, "needs either group or any_of"),
        (Requirement, {"group": "eng", "need": 0}, "goes with veto: true only"),
        (Requirement, {"any_of": ["eng"], "include": ["fin"]}, "include names fin"),
        (
            Requirement,
            {"any_of": ["eng", "fin"], "include": ["eng", "fin"]},
            "more groups than need has votes",
        ),
        (Requirement, {"group": "eng", "need": -1}, "greater than or equal to 0"),
        (Criterion, {"id": "c", "text": "x", "milestone": "m", "expression": "true"}, "one check"),
        (Clocks, {"respond": "0 days"}, "longer than nothing"),
        (Clocks, {"respond": "-1 day"}, "longer than nothing"),
        (Clocks, {"respond": "5 days", "resolve": "4 days"}, "ends before respond"),
        (Clocks, {"remind": ["-1 day"]}, "give positive spans"),
        (Clocks, {"remind": ["0 days"]}, "give positive spans"),
        (Gate, {**GATE, "requires": []}, "at least 1 item"),
        (Gate, {**GATE, "requires": [{"group": "eng", "step": 2}]}, "found 2"),
        (
            Gate,
            {**GATE, "requires": [{"group": "eng"}, {"group": "fin", "step": 3}]},
            "found 1, 3",
        ),
        (HttpCheck, {**HTTP, "every": "0.05 seconds"}, "at least a tenth of a second"),
        (HttpCheck, {**HTTP, "url": "file:///etc/passwd"}, "pattern"),
        (Review, {"gate": GATE, "first": "0 days", "every": "1 year"}, "longer than nothing"),
        (Review, {"gate": GATE, "first": "1 year", "every": "-1 year"}, "longer than nothing"),
    ],
)
def test_what_contradicts_itself_is_refused(model: Any, data: Any, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        model.model_validate(data)


@pytest.mark.parametrize(
    ("model", "data"),
    [
        (Requirement, {"group": "eng", "need": 0, "veto": True}),
        (Requirement, {"any_of": ["eng", "fin"], "include": ["fin"], "need": 1}),
        (Clocks, {"respond": "5 days", "resolve": "5 days"}),
        (Gate, {**GATE, "requires": [{"group": "a", "step": 2}, {"group": "b", "step": 1}]}),
        (HttpCheck, {**HTTP, "every": "0.1 seconds"}),
        (Review, {"gate": GATE, "first": "90 days", "every": "1 year"}),
    ],
)
def test_the_edges_of_what_is_allowed(model: Any, data: Any) -> None:
    document = model.model_validate(data)
    assert model.model_validate_json(document.model_dump_json()) == document


@pytest.mark.parametrize(
    ("data", "title"),
    [
        ({"group": "eng"}, "1 of eng"),
        ({"group": "eng", "need": 2, "veto": True}, "2 of eng (veto)"),
        ({"group": "eng", "need": 0, "veto": True}, "eng (veto)"),
        (
            {"any_of": ["legal", "fin"], "include": ["legal"], "need": 2},
            "2 of legal, fin (legal among them)",
        ),
    ],
)
def test_a_requirement_as_a_person_would_say_it(data: Any, title: str) -> None:
    assert Requirement.model_validate(data).title == title


def policy() -> Policy:
    """Out of the listed order: alpha, then ga; beta is the way back for whoever names it."""
    return Policy.model_validate(
        {
            "policy": "p",
            "version": "1",
            "title": "P",
            "phases": [
                {"id": "alpha", "title": "A", "next": "ga", "gate": {**GATE, "id": "g1"}},
                {"id": "beta", "title": "B"},
                {
                    "id": "ga",
                    "title": "GA",
                    "review": {"gate": {**GATE, "id": "plr"}, "first": "1 day", "every": "1 day"},
                    "gate": {**GATE, "id": "g6"},
                },
            ],
            "sunset": {
                "tasks": [
                    {"id": "n", "title": "N", "kind": "notice"},
                    {"id": "g8", "title": "G", "kind": "gate", "gate": {**GATE, "id": "g8"}},
                ]
            },
        }
    )


def test_which_phase_follows() -> None:
    shown = policy()
    assert [shown.following(phase.id) for phase in shown.phases] == ["ga", "ga", None]
    assert shown.phase("beta").title == "B"
    with pytest.raises(KeyError, match="gamma"):
        shown.phase("gamma")


def test_the_gates_in_the_order_a_product_meets_them() -> None:
    assert [gate.id for gate in policy().gates()] == ["g1", "plr", "g6", "g8"]


def test_who_sits_where() -> None:
    directory = Directory.model_validate(
        {
            "people": {"ann": {"name": "Ann B."}, "bob": {}},
            "groups": {"eng": {"members": ["bob", "ann", "bob"]}, "all": {"members": ["bob"]}},
        }
    )
    assert directory.members("eng") == ("ann", "bob")
    assert directory.members("legal") == ()
    assert directory.groups_of("bob") == ("all", "eng")
    assert directory.groups_of("zed") == ()
    names = [directory.name_of(person) for person in ("ann", "bob", "zed")]
    assert names == ["Ann B.", "bob", "zed"]
