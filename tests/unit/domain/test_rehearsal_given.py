"""What a script may not say: delegates who cannot be, lengths below nothing, weights of nothing."""

from __future__ import annotations

import pytest

from phasegate.directory import Directory, Group, Person
from phasegate.problems import DocumentError
from phasegate.reading import parse, read_policy
from phasegate.rehearsal import Script
from phasegate.rehearsal_policy import made_up
from phasegate.rehearsal_unknown import unknown

PEOPLE = Directory(
    people={"ana": Person(), "bo": Person()}, groups={"eng": Group(members=("ana", "bo"))}
)
POLICY = read_policy(
    """
policy: tiny
version: "1"
title: Tiny
phases: [{id: build, title: Build, gate: {id: launch, title: Launch, requires: [{group: eng}]}}]
""",
    "tiny",
)


@pytest.mark.parametrize(
    ("delegate", "said"),
    [
        ("bo", None),
        ("boo", "the directory has no person 'boo'; did you mean bo?"),
        ("ana", "ana acts for themselves while away; name somebody else"),
    ],
)
def test_a_delegate_is_somebody_else_whom_the_directory_knows(
    delegate: str, said: str | None
) -> None:
    away = "{start: 2027-02-01, end: 2027-02-02}"
    other = f"{{start: 2027-03-01, end: 2027-03-02, delegate: {delegate}}}"
    text = f"people: {{ana: {{away: [{away}, {other}]}}}}"
    script = parse(Script, text, "people.yaml")
    flaws = unknown(script.model, POLICY, made_up(POLICY, PEOPLE), PEOPLE)
    assert flaws == ([(("people", "ana", "away", 1, "delegate"), said)] if said else [])
    if said:
        assert script.locate(flaws[0][0]) == (1, text.index("delegate: ") + 11)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("everybody: {answers: -5 days}", "1:22: everybody.answers.median: needs 0 days or more"),
        ("everybody: {answers: 5}", "1:22: everybody.answers: needs a length such as '5 business"),
        ("milestones: {told: -5 days}", "1:20: milestones.told.median: needs 0 days or more"),
        ("owner: {submits: {median: 1 day, p90: -1 day}}", "1:39: owner.submits.p90: needs 0"),
        ("owner: {retires: -1 year}", "1:18: owner.retires: needs 0 days or more, not -1 year: "),
        ("owner: {evidence: [{phase: build, after: -PT1H}]}", "1:42: owner.evidence.0.after: "),
        ("everybody: {says: {go: 0}}", "1:24: everybody.says.go: must be more than 0, not the"),
        ("everybody: {says: {go: 2e9}}", "says.go: must be at most 1000000, not the number"),
        ("everybody: {says: {go: much}}", "1:24: everybody.says.go: needs a number, not 'much'"),
    ],
)
def test_lengths_and_weights_below_nothing_are_refused_where_they_are_written(
    text: str, told: str
) -> None:
    with pytest.raises(DocumentError) as refused:
        parse(Script, text, "people.yaml")
    assert told in refused.value.why


def test_what_takes_no_time_is_no_mistake() -> None:
    at_once = "owner: {submits: 0 days, retires: 0 days, evidence: [{phase: build, after: 0 days}]}"
    assert parse(Script, at_once, "people.yaml").model.owner.submits.median.words == "0 seconds"
