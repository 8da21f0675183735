"""A rehearsal as a page: what stops a product comes first, and every picture is a table, too."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from pages import Page
from rehearsals import HOSTILE, PEOPLE, rehearsal

from client.pictures.rehearsal import HEADINGS, rehearsal_html
from phasegate.rehearsal_view import CLOCKS, Rehearsal
from phasegate.roadmap_words import day

CASES = {
    "one run": rehearsal(3, 1, swept=False),
    "many gates": rehearsal(12, 60, stuck=0.2, alone=["mara"]),
    "everything stuck": rehearsal(3, 20, stuck=1, alone=PEOPLE),
    "hostile": rehearsal(3, 20, stuck=0.3, alone=["mara"], words=HOSTILE),
}


@pytest.fixture(params=CASES)
def found(request: pytest.FixtureRequest) -> Rehearsal:
    return CASES[str(request.param)]


def test_it_is_whole_and_loads_nothing(found: Rehearsal) -> None:
    text = rehearsal_html(found)
    page = Page(text)
    assert page.faults == []
    assert page.open == []
    assert page.tags["script"] == page.tags["img"] == 0
    assert page.tags["h1"] == page.tags["main"] == 1
    assert [name for name, count in Counter(page.ids).items() if count > 1] == []
    assert not re.search(r"@import|url\(", text)
    assert "default-src 'none'" in text
    assert "\x07" not in text
    places = [link.removeprefix("#") for link in page.links if link.startswith("#")]
    assert set(places) <= set(page.ids)
    assert rehearsal_html(found) == text


def test_every_picture_has_a_name_and_a_table(found: Rehearsal) -> None:
    text = rehearsal_html(found)
    pictures = re.findall(r'<svg viewBox[^>]*aria-labelledby="([^"]+)"', text)
    assert len(pictures) >= 3
    ids = set(Page(text).ids)
    assert all(set(labels.split()) <= ids for labels in pictures)
    for section in text.split("<section ")[1:]:
        assert section.count("<table>") >= min(section.count("<figure>"), 1)


def test_whose_leave_alone_stops_it_is_the_first_thing_said() -> None:
    text = Page(rehearsal_html(rehearsal(3, 5, alone=["otto"]))).text
    said = "One person on leave is enough to stop this policy"
    assert said in text
    assert text.index(said) < text.index("Runs by launch date")
    after = text[text.index(said) :]
    assert after.index("Otto") < after.index("G3: go to development") < 120
    assert "nobody else may give it" in after[:250]
    both = Page(rehearsal_html(rehearsal(3, 5, alone=["otto", "mara"]))).text
    assert "Any one of 2 people on leave is enough" in both


def test_a_leave_that_lets_a_deadline_kill_it_is_said_as_loudly() -> None:
    found = rehearsal(3, 5)
    away = next(one for one in found.absences if one.person == "pia")
    away.outcome, away.launched_at = "killed", None
    said = "Pia pia away, and nobody else: the product ends killed , after the deadline decided"
    assert said in Page(rehearsal_html(found)).text
    found.statuses["killed"] = 1
    assert said not in Page(rehearsal_html(found)).text, "it ends so with everybody there, too"


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (
            rehearsal(2, 5),
            "No run got stuck, and nobody's leave alone stops a gate in the first 3 years",
        ),
        (rehearsal(2, 5), "active at the end, after a deadline decided G1: idea screen: Hold 2"),
        (rehearsal(2, 1, swept=False), "The run did not get stuck"),
        (
            rehearsal(2, 1, swept=False),
            "would stop a gate was not tried in this rehearsal: --absent-each",
        ),
        (rehearsal(2, 4, stuck=1), "Every run gets stuck"),
        (rehearsal(2, 4, stuck=1), "No run launches before 2037-01-01"),
        (rehearsal(2, 1, stuck=1), "The run gets stuck"),
        (rehearsal(2, 30, stuck=0.5), "nobody's leave alone stops it anywhere else in the first"),
    ],
)
def test_it_says_how_it_went(found: Rehearsal, said: str) -> None:
    assert said in Page(rehearsal_html(found)).text


def test_it_says_what_was_not_tried() -> None:
    found = rehearsal(2, 5)
    found.absent_unreached, found.to_launch = ["g1", "g2"], True
    found.gates[2].runs = 0
    text = Page(rehearsal_html(found)).text
    assert "stuck on the way to its launch" in text
    gates = "G2: second screen , Review"
    assert f"Nobody's leave was tried at {gates} : not reached by 2030-01-04" in text
    assert "--absent-each tries people for as long as --until" in text, "it comes to one of them"
    found.gates[1].runs = 0
    assert (
        f"{gates} : not reached by 2030-01-04 , nor with everybody there by 2037-01-01 ."
        in Page(rehearsal_html(found)).text
    )
    assert "Not reached with everybody there, up to the launch: Review" in text
    assert "to the launch, 2037-01-01 at the latest" in text


def test_where_runs_get_stuck_names_whom_they_wait_for() -> None:
    found = rehearsal(3, 40, stuck=0.4)
    text = Page(rehearsal_html(found)).text
    for one in found.stuck:
        share = f"{one.runs} run{'' if one.runs == 1 else 's'} ({one.share * 100:.0f} %)"
        assert f"{share} at the gate {one.title} , waiting for otto" in text
        assert re.search(rf"{re.escape(one.why)} ?\. As in run {one.example}\b", text)


def test_a_gate_that_goes_round_in_circles_never_passes_and_is_decided_often() -> None:
    found = rehearsal(2, 1, alone=["mara"])
    stuck = found.absences[0].stuck
    assert stuck is not None
    stuck.why = "waits for mara, and goes round in circles: 3 rounds in a row ended with hold"
    assert f"{stuck.title} is never decided" in Page(rehearsal_html(found)).text
    stuck.rounds = 3
    text = Page(rehearsal_html(found)).text
    assert f"{stuck.title} never passes: waits for mara, and goes round" in text
    assert "is never decided" not in text


def test_what_was_rehearsed_can_be_made_again() -> None:
    found = CASES["many gates"]
    text = Page(rehearsal_html(found)).text
    for fact in (found.policy_digest, "script.yaml", "people of the house", "Seed 7", "tier 1"):
        assert fact in text
    for at in (found.launch.p50, found.gates[0].decided.p80, found.gates[3].passed.p95):
        assert day(at) in text


def test_nothing_is_said_twice_and_no_days_are_not_0_0_days() -> None:
    found = rehearsal(2, 3, alone=["mara"])
    stuck = found.absences[0].stuck
    assert stuck is not None
    stuck.why = "waits for mara, who never answers"
    found.absences[1].delay_days = 0.04
    text = Page(rehearsal_html(found)).text
    assert "waiting for mara" not in text
    assert "waits for mara, who never answers" in text
    assert "0.0 days" not in text


def test_clocks_and_outcomes_are_counted_gate_by_gate() -> None:
    found = CASES["many gates"]
    text = Page(rehearsal_html(found)).text
    reminders = found.gates[2].clocks["reminder"]
    assert f"{reminders} {reminders / found.runs:.2f} a run" in text
    assert "Undecided" in text
    assert set(HEADINGS) == set(CLOCKS)


def test_a_policy_without_a_launch_and_runs_without_gates_are_pages_too() -> None:
    bare = Rehearsal(
        policy="bare", product="kettle", seed=1, runs=2,
        start=CASES["one run"].start, until=CASES["one run"].until,
    )  # fmt: skip
    text = Page(rehearsal_html(bare)).text
    for said in ("there is no launch", "No run came to a gate", "No clock fired",
                 "No gate waited for anybody"):  # fmt: skip
        assert said in text


def test_what_anybody_wrote_is_text() -> None:
    text = rehearsal_html(CASES["hostile"])
    assert "<script" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "\u202e" not in text
    text.encode()
