"""Whom a round waited for: in each of its steps, and without whom it did not go on."""

from __future__ import annotations

import pytest
from tales import Tale, day

from phasegate.reading import read_policy
from phasegate.rehearsal_record import life
from phasegate.rehearsal_stuck import TIMEOUT
from phasegate.rehearsal_sums import bottlenecks
from phasegate.rehearsal_view import RunRehearsed, StuckAt, Waited

POLICY = """
policy: steps
version: "1"
title: Two steps
phases:
  - id: build
    title: Build
    gate:
      id: launch
      title: Launch
      requires: [{group: eng}, {group: product, step: 2}]
"""
MET = {"state": "met", "candidates": []}


def played(tale: Tale, stuck: StuckAt | None = None, more: str = "") -> RunRehearsed:
    policy = read_policy(POLICY + more, "steps")
    return life(policy, "kettle", tale.events, number=1, seed=1, until=day(60), stuck=stuck)


def waited(tale: Tale, stuck: StuckAt | None = None) -> dict[str, Waited]:
    return {one.who: one for one in played(tale, stuck).rounds[0].waited}


def critical(tale: Tale, stuck: StuckAt | None = None) -> dict[str, float]:
    return {who: one.critical for who, one in waited(tale, stuck).items()}


def test_whoever_is_last_in_an_earlier_step_holds_the_gate_up() -> None:
    tale = Tale().start().open(0, seats={"bo": ["eng"], "cy": ["eng"]})
    tale.vote(2, "bo").vote(30, "cy").gate(30, "step", seats={"ana": ["product"]})
    tale.vote(31, "ana").decide(31)
    assert critical(tale) == {"ana": 1, "bo": 0, "cy": 28}
    assert {who: one.days for who, one in waited(tale).items()} == {"ana": 1, "bo": 2, "cy": 30}


def test_nobody_waits_for_who_is_left_of_a_step_that_is_over() -> None:
    """Bo is enough for the step: that cy has not answered holds nothing up, and is no silence."""
    tale = Tale().start().open(0, seats={"bo": ["eng"], "cy": ["eng"]})
    tale.vote(4, "bo").gate(4, "step", seats={"ana": ["product"]})
    tale.decide(20, "hold", why=f"step 2 waits for votes; {TIMEOUT}")
    found = waited(tale)
    assert critical(tale) == {"ana": 16, "bo": 4, "cy": 0}
    assert (found["cy"].days, found["cy"].answered, found["cy"].silent) == (4, False, False)
    assert found["ana"].silent


def test_who_is_asked_in_two_steps_is_waited_for_in_both() -> None:
    tale = Tale().start().open(0, seats={"ana": ["eng"], "bo": ["eng"]})
    tale.vote(1, "bo").vote(3, "ana").gate(3, "step", seats={"ana": ["product"]})
    tale.gate(8, "overdue", pending=["ana"]).vote(9, "ana").decide(9)
    ana = waited(tale)["ana"]
    assert (ana.days, ana.critical, ana.groups) == (9, 2 + 6, ["eng", "product"])
    assert (ana.answered, ana.late, ana.silent) == (True, True, False)


def test_who_is_not_needed_any_more_shares_nothing_with_who_is() -> None:
    """Bo answered for eng, so it is ana alone without whom the deadline came, or nothing more."""
    unmet = [{"state": "met", "candidates": []}, {"state": "waiting", "candidates": ["ana"]}]
    tale = Tale().start().open(0).vote(4, "bo")
    over = Tale().start().open(0).vote(4, "bo")
    over.decide(14, "hold", why=f"it waits for votes; {TIMEOUT}", requirements=unmet)
    stuck = StuckAt(kind="gate", where="launch", round=1, since=day(0), waits_for=["ana"], why="")
    tale.gate(14, "reminder", pending=["ana", "cy"])
    for told in (critical(over), critical(tale, stuck)):
        assert told == {"ana": 10, "bo": 0, "cy": 0}
    for found in (waited(over), waited(tale, stuck)):
        assert [who for who, one in found.items() if one.silent] == ["ana"]
    assert critical(tale) == {"ana": 28, "bo": 0, "cy": 28}, "it is open, and nobody knows for whom"


def test_a_gate_that_waits_for_no_vote_waits_for_no_voter() -> None:
    """Bo is enough; dee, who was not asked to vote, is to attest something, and never does."""
    both = {"ana": ["eng"], "bo": ["eng"]}
    why = f"criterion safe is not met; {TIMEOUT}"
    tale = Tale().start().open(0, seats=both).vote(4, "bo")
    over = Tale().start().open(0, seats=both).vote(4, "bo")
    over.decide(14, "hold", why=why, requirements=[MET])
    stuck = StuckAt(kind="gate", where="launch", round=1, since=day(0), waits_for=["dee"], why="")
    for found in (waited(over), waited(tale, stuck)):
        assert {who: one.critical for who, one in found.items()} == {"ana": 0, "bo": 4}
        assert [who for who, one in found.items() if one.silent] == []
    circles = stuck.model_copy(update={"rounds": 3, "waits_for": [], "why": f"circles; {why}"})
    run = played(over, circles)
    assert run.stuck is not None
    assert (run.stuck.waits_for, run.stuck.why) == ([], circles.why)


@pytest.mark.parametrize(
    ("more", "view", "silent"),
    [
        ("", {}, ["ana"]),
        ("      wait_for: all\n", {}, ["ana", "cy"]),
        ("", {"cannot_pass": True}, ["ana", "cy"]),
    ],
    ids=["need", "all", "cannot pass"],
)
def test_who_is_not_needed_is_waited_for_where_it_waits_for_all(
    more: str, view: dict[str, bool], silent: list[str]
) -> None:
    """Rule 13; and with too few yeses left, everybody may still choose the word (rule 8)."""
    unmet = [MET, {"state": "waiting", "candidates": ["ana"]}]
    tale = Tale().start().open(0).vote(4, "bo")
    tale.decide(14, "hold", why=f"it waits; {TIMEOUT}", requirements=unmet, **view)
    found = played(tale, more=more).rounds[0].waited
    assert [one.who for one in found if one.silent] == silent
    assert [one.critical for one in found if one.silent] == [10 / len(silent)] * len(silent)


def test_late_is_who_answers_after_their_time_and_silent_who_never_does() -> None:
    tale = Tale().start().open(0).vote(1, "ana")
    tale.gate(5, "overdue", pending=["bo", "cy"]).vote(37, "bo").decide(37)
    found = waited(tale)
    assert {who: (one.late, one.silent) for who, one in found.items()} == {
        "ana": (False, False),
        "bo": (True, False),
        "cy": (True, True),
    }
    rows = {row.who: (row.asked, row.late, row.unanswered) for row in bottlenecks([played(tale)])}
    assert rows == {
        "ana": (1, 0, 0),
        "bo": (1, 1, 0),
        "cy": (1, 1, 1),
        "product": (1, 0, 0),
        "eng": (2, 2, 1),
    }


def test_who_answered_late_and_is_asked_again_has_time_again() -> None:
    tale = Tale().start().open(0).gate(5, "overdue", pending=["bo", "cy"])
    tale.vote(6, "bo").gate(7, "changed", voided=["bo"]).vote(8, "ana").decide(8)
    found = {who: (one.late, one.silent) for who, one in waited(tale).items()}
    assert found == {"ana": (False, False), "bo": (True, False), "cy": (True, True)}


def test_a_group_has_only_what_its_members_were_asked_for_it() -> None:
    """Ana sits for eng in step 1, and for product in step 2; bo for eng in both."""
    tale = Tale().start().open(0, seats={"ana": ["eng"], "bo": ["eng"]})
    tale.vote(2, "bo").gate(5, "overdue", pending=["ana"]).vote(10, "ana")
    tale.gate(10, "step", seats={"ana": ["product"], "bo": ["eng", "product"]})
    tale.vote(11, "ana").vote(14, "bo").decide(14)
    rows = {row.who: row for row in bottlenecks([played(tale)])}
    assert {who: (row.asked, row.late, row.days, row.critical) for who, row in rows.items()} == {
        "ana": (1, 1, 10 + 1, 8),
        "bo": (1, 0, 2 + 4, 3),
        "eng": (2, 1, 10 + 2 + 4, 8 + 3),
        "product": (2, 0, 1 + 4, 3),
    }
    found = waited(tale)
    assert found["ana"].by_group.keys() == {"eng", "product"}
    assert (found["ana"].by_group["eng"].groups, found["ana"].by_group["eng"].days) == (["eng"], 10)


def test_who_gives_an_answer_in_the_last_step_is_not_silent() -> None:
    """Ana was late for eng, which did without her; for product she answers."""
    tale = Tale().start().open(0, seats={"ana": ["eng"], "bo": ["eng"]})
    tale.gate(5, "overdue", pending=["ana"]).vote(6, "bo")
    tale.gate(6, "step", seats={"ana": ["product"]}).vote(8, "ana").decide(8)
    ana = waited(tale)["ana"]
    assert (ana.answered, ana.late, ana.silent) == (True, True, False)
    rows = {row.who: (row.late, row.unanswered) for row in bottlenecks([played(tale)])}
    assert (rows["ana"], rows["eng"], rows["product"]) == ((1, 0), (1, 1), (0, 0))
    never = Tale().start().open(0, seats={"ana": ["eng"], "bo": ["eng"]})
    never.gate(5, "overdue", pending=["ana"]).vote(6, "bo")
    never.gate(6, "step", seats={"ana": ["product"], "cy": ["product"]}).vote(8, "cy").decide(8)
    ana = waited(never)["ana"]
    assert (ana.answered, ana.late, ana.silent) == (False, True, True)


def test_who_has_new_time_as_evidence_changed_is_not_silent_yet() -> None:
    """Bo has; cy's day was moved, too, and is over all the same."""
    tale = Tale().start().open(0).gate(5, "overdue", pending=["bo", "cy"]).gate(6, "changed")
    new = {"bo": day(11), "cy": day(5), "eve": day(11)}
    tale.gate(6, "dates", respond={who: due.isoformat() for who, due in new.items()})
    tale.gate(6, "dates").vote(8, "ana")
    again = Tale()
    again.events = [*tale.events]
    again.gate(11, "overdue", pending=["bo"]).decide(12)
    for told, silent in ((tale.decide(8), ["cy"]), (again, ["bo", "cy"])):
        found = waited(told)
        assert [who for who, one in found.items() if one.silent] == silent
        assert [who for who, one in found.items() if one.late] == ["bo", "cy"]
