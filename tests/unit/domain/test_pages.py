"""The pages in the Temporal UI, whatever people write into their comments and titles."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from phasegate.events import Outbox
from phasegate.gate import Gate, Requirement
from phasegate.gate_page import gate_page
from phasegate.lifecycle import Lifecycle, PolicyRef, Status
from phasegate.markdown import day, line, said, section
from phasegate.milestones import Milestone
from phasegate.policy import Phase
from phasegate.ports import PhaseBrief
from phasegate.product import Product
from phasegate.product_view import product_page, product_view, waiting_for
from phasegate.promises import Condition
from phasegate.retirement_page import sunset_page
from phasegate.sittings import GateReport
from phasegate.sunset_report import SunsetReport
from phasegate.sunset_views import SunsetView, TaskView
from phasegate.views import (
    CriterionView,
    GateView,
    OverrideView,
    PendingView,
    RefusalView,
    VoteView,
    WorkView,
)

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
HOSTILE = [
    "a | b",
    "a \\| b",
    "a\\",
    "line\n## KILLED\n| x | y |",
    "old\rmac\r\nwindows\x0b\x0c\x85\u2028\u2029",
    "```\ncode",
    "`unclosed",
    "<script>alert(1)</script>",
    "<!-- swallow the rest",
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1)) ![](https://evil.example/pixel)",
    "|" * 300,
    "\\" * 301 + "|",
    "",
    " \t ",
]
texts = st.sampled_from(HOSTILE) | st.text(
    st.sampled_from("ab|\\`<>[]()!#*_~-\n\r\t\u2028 ") | st.characters(exclude_categories=["Cs"]),
    max_size=300,
)


def listed(page: str, start: str) -> list[str]:
    """The items of the list whose first item starts so; each on one line of its own."""
    block = next(b for b in page.split("\n\n") if b.startswith(f"- {start}"))
    found = block.split("\n")
    assert all(item.startswith("- ") for item in found)
    return [item.removeprefix("- ") for item in found]


def live_marks(text: str) -> str:
    """What is left of the marks that readers act on once escaped ones are taken out."""
    return "".join(re.findall(r"[`<\[|]", re.sub(r"\\[!-/:-@\[-`{-~]", "", text)))


@given(texts)
def test_free_text_stays_on_its_line_and_is_no_mark_up(text: str) -> None:
    shown = line(text)
    assert len(shown.splitlines()) <= 1
    assert live_marks(shown) == ""
    assert said(text) == (f": {line(text, 200)}" if line(text, 200) else "")


@given(texts)
def test_nothing_of_a_short_text_is_lost(text: str) -> None:
    shown = re.sub(r"\\([\\`|<\[])", r"\1", line(text))
    # But for what nobody can see, which has one sign for all.
    seen = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
    assert shown == seen.sub("\ufffd", " ".join(text.split())[:500])


def test_long_text_is_cut_before_it_is_escaped() -> None:
    assert said("|" * 300) == ": " + "\\|" * 200
    assert line("\\" * 501) == "\\" * 1000


@pytest.mark.parametrize(("instant", "shown"), [(None, "–"), (NOW, "2026-11-23 09:00 UTC")])
def test_how_an_instant_is_shown(instant: datetime | None, shown: str) -> None:
    assert day(instant) == shown


def test_a_section() -> None:
    assert section("Votes", ["a", "b"]) == "**Votes**\n\n- a\n- b"
    assert section("Votes", []) == ""


def gate_shown(text: str, **more: object) -> GateView:
    return GateView.model_validate(
        {
            "product": "kettle",
            "gate": "g1",
            "title": "Idea",
            "round": 1,
            "revision": "r1",
            "status": "open",
            "outcome": None,
            "why": text,
            "cannot_pass": False,
            "step": 1,
            "opened_at": NOW,
            "decided_at": None,
            "workflow_id": "w",
            "requirements": [],
            "votes": [
                VoteView(
                    approver=f"p{i}",
                    on_behalf_of=None,
                    vote="go",
                    comment=text,
                    conditions=[text],
                    at=NOW,
                    assurance="claimed",
                    revision="r1",
                    state=state,
                )
                for i, state in enumerate(["standing", "changed"])
            ],
            "pending": [],
            "evidence": [{"title": "e1", "link": text, "digest": ""}],
            "override": OverrideView(actor="max", reason=text, at=NOW, votes_said=text),
            "work": WorkView(actor="ann", what=text, at=NOW),
            "criteria": [CriterionView(id="c1", kind="must", state="unmet", why=text)],
            "conditions": [],
            "refused": [RefusalView(actor="x", what=text, why=text, at=NOW, channel="signal")],
            "respond_due": NOW,
            "resolve_due": NOW,
            **more,
        }
    )


@given(texts)
@example("line\n## KILLED\n| x | y |")
def test_the_page_of_a_gate_survives_hostile_text(text: str) -> None:
    page = gate_page(gate_shown(text), text, text)
    assert listed(page, "p0 ") == [f"p0 **go** on {day(NOW)}" + said(text)]
    assert listed(page, "e1") == [f"e1{said(text)}"]
    assert f"OVERRIDDEN by max**: {line(text)}" in page
    headings = [part for part in page.splitlines() if part.lstrip().startswith("#")]
    assert headings == ["### Idea: open"], "nobody's text starts a heading"


def test_the_page_of_a_gate_says_where_it_stands() -> None:
    crowd = [
        PendingView(approver=f"p{i}", group="eng", since=NOW, respond_due=NOW) for i in range(23)
    ]
    page = gate_page(gate_shown("waits", pending=crowd, refused_more=7), "Kettle", "Worth it?")
    assert "*Worth it?*" in page
    assert "p19 and 3 more" in page
    assert "p20" not in page
    assert "`phasegate gate vote kettle/g1 go --as WHO --revision r1`" in page
    assert "Refused attempts: 8." in page
    due = "Respond by 2026-11-23 09:00 UTC, resolve by 2026-11-23 09:00 UTC."
    assert due in page
    assert "stand still" not in page
    still = gate_page(gate_shown("waits", stopped_since=NOW), "Kettle", "")
    said_so = f"{due} **The clocks stand still** since 2026-11-23 09:00 UTC: both will be later."
    assert said_so in still
    few = gate_page(gate_shown("waits", pending=crowd[:2]), "Kettle", "")
    assert "Waiting for: p0, p1\n" in few
    decided = gate_page(
        gate_shown("done", status="decided", outcome="conditional-go", title=""), "Kettle", ""
    )
    assert decided.startswith("### g1: CONDITIONAL-GO")
    assert "Why: done." in decided
    assert "Respond by" not in decided


def test_the_page_says_who_acts_for_whom_what_they_saw_and_what_counts_for_nothing() -> None:
    def vote(who: str, word: str, **more: object) -> VoteView:
        return VoteView.model_validate(
            {
                "approver": who,
                "on_behalf_of": None,
                "vote": word,
                "comment": "",
                "conditions": [],
                "at": NOW,
                "assurance": "claimed",
                "revision": "r1",
                "state": "standing",
                **more,
            }
        )

    votes = [
        vote("dan", "go", on_behalf_of="ann"),
        vote("bob", "kill", revision="r0"),
        vote("kim", "hold", advice=True, step=0),
    ]
    pending = [
        PendingView(approver="cyd", group="eng", since=NOW, respond_due=NOW, acting=["max", "moe"])
    ]
    more = {"votes": votes, "pending": pending, "override": None, "work": None, "evidence": []}
    page = gate_page(gate_shown("waits", **more), "Kettle", "")
    assert listed(page, "dan") == [
        "dan for ann **go** on 2026-11-23 09:00 UTC",
        "bob **kill** on 2026-11-23 09:00 UTC on evidence `r0`",
        "kim **hold** (advice) on 2026-11-23 09:00 UTC",
    ]
    assert "Waiting for: cyd (or max, moe for them)" in page
    assert "OVERRIDDEN" not in page
    assert "asks the owner for work" not in page
    assert "**Evidence**" not in page


def test_the_page_shows_the_score_where_a_threshold_is_asked() -> None:
    page = gate_page(gate_shown("x", score=64.9, threshold=65), "Kettle", "")
    assert "**Criteria (64 % scored)**" in page, "what falls short is not shown as enough"
    assert "**Criteria**" in gate_page(gate_shown("x", score=64.9), "Kettle", "")


def test_the_page_of_a_gate_says_that_it_takes_only_what_is_signed() -> None:
    said = "It takes only what is signed with a key of the directory."
    pages = [gate_page(gate_shown("x", assurance=a), "K", "") for a in ("signed", "claimed")]
    assert [said in page for page in pages] == [True, False]


def test_the_page_of_a_round_that_cannot_pass_and_of_one_that_was_abandoned() -> None:
    assert gate_page(gate_shown("x", cannot_pass=True), "K", "").startswith("### Idea: cannot pass")
    ended = gate_page(gate_shown("x", status="decided"), "K", "")
    assert ended.startswith("### Idea: ABANDONED")


def living(text: str = "Kettle", **more: object) -> Lifecycle:
    gate = Gate(id="g1", title="Idea", requires=(Requirement(group="eng"),))
    phase = Phase(id="scoping", title="Scoping", gate=gate)
    return Lifecycle.model_validate(
        {
            "product": Product(key="kettle", name=text, owner="olga", summary=text[:4000]),
            "policy": PolicyRef(name="standard", version="1", digest="sha256:0"),
            "directory": "default",
            "outbox": Outbox(source="product/kettle", product="kettle"),
            "brief": PhaseBrief(phase=phase, next=None, has_sunset=True),
            "milestones": [
                Milestone(id="beta", title=text, phase="scoping", due=NOW, why=text),
                Milestone(id="later", title="later", phase="launch"),
            ],
            "conditions": [
                Condition(id=f"c-{word}", text=text, owner="olga", due=None, state=word)
                for word in ("open", "closed")
            ],
            **more,
        }
    )


@given(texts)
def test_the_page_of_a_product_survives_hostile_text(text: str) -> None:
    state = living(text)
    page = product_page(product_view(state, "w"), text)
    name = line(state.product.name)
    assert f"- {name}: **planned**, due {day(NOW)}" + said(text) in page.splitlines()
    headings = [part for part in page.splitlines() if part.lstrip().startswith("#")]
    assert len(headings) == 1
    starts = [part[:2] for part in page.splitlines()]
    assert starts.count("- ") == 2, "one milestone, and of the conditions the open one"


@given(texts)
def test_the_page_of_a_sunset_survives_hostile_text(text: str) -> None:
    view = SunsetView(
        product="kettle",
        status="sunsetting",
        notice_at=NOW,
        workflow_id="w",
        tasks=[TaskView(id="t", title=text, kind="manual", state="running", at=NOW, why=text)],
    )
    assert listed(sunset_page(view, text), "**running**") == [
        f"**running**, {day(NOW)}: {line(text)}" + said(text)
    ]


def open_gate(state: Lifecycle) -> Lifecycle:
    state.sittings.begin("g1", "phase", workflow_id="w", token="t")
    return state


WAITS: dict[str, tuple[Lifecycle, str]] = {
    "retired": (living(status=Status.retired), ""),
    "on hold": (
        living(status=Status.on_hold),
        "olga to resume it: phasegate product resume kettle --as olga",
    ),
    "sunset to come": (
        living(status=Status.sunsetting),
        "its sunset to be planned: phasegate sunset show kettle",
    ),
    "votes": (open_gate(living()), "gate g1 to decide: phasegate gate show kettle/g1"),
    "policy": (living(brief=None), "its policy to be read"),
    "submission": (
        living(needs_submit=True),
        "olga to submit g1: phasegate gate submit kettle/g1 --as olga",
    ),
    "milestones": (living(), "milestones beta: phasegate milestone list kettle"),
    "review": (living(milestones=[], review_due=NOW), "its review on 2026-11-23 09:00 UTC"),
    "nothing": (living(milestones=[]), "nothing"),
}


@pytest.mark.parametrize("case", WAITS)
def test_what_moves_a_product_next(case: str) -> None:
    state, expected = WAITS[case]
    assert waiting_for(state) == expected
    page = product_page(product_view(state, "w"), "")
    head, found, rest = expected.partition(": phasegate ")
    if found:
        assert f"Waits for {head}. `phasegate {rest}`" in page
    elif head:
        assert f"Waits for {head}." in page
    else:
        assert "Waits for" not in page


def test_a_colon_in_a_task_does_not_garble_the_command() -> None:
    report = SunsetReport(token="t", text="Delete data: with proof is to be confirmed", gate="g8")
    state = living(status=Status.sunsetting, sunset=report)
    page = product_page(product_view(state, "w"), "")
    command = "`phasegate sunset show kettle`"
    assert f"Waits for Delete data: with proof is to be confirmed. {command}" in page


def test_a_product_as_scripts_see_it() -> None:
    state = living(review_due=NOW + timedelta(days=9))
    view = product_view(open_gate(state), "product/kettle")
    assert (view.key, view.owner, view.status, view.phase) == (
        "kettle",
        "olga",
        "active",
        "scoping",
    )
    assert (view.gate, view.round, view.policy) == ("g1", 1, "standard 1")
    assert view.next_due == NOW
    assert [m.id for m in view.milestones] == ["beta", "later"]
    assert [c.id for c in view.conditions] == ["c-open", "c-closed"]
    state.sittings.take(
        GateReport(gate="g1", round=1, token="t", outcome="go", why="x", decided_at=NOW)
    )
    state.sittings.end()
    closed = product_view(state, "product/kettle")
    assert (closed.gate, [g.outcome for g in closed.gates]) == (None, ["go"])
    page = product_page(closed, "A kettle")
    assert "- g1, round 1: **go** on 2026-11-23 09:00 UTC" in page
    assert "*A kettle*" in page
    state.sunset = SunsetReport(token="t", text="x", gate="g8")
    assert product_view(state, "w").gate == "g8"
    nowhere = product_page(product_view(living(brief=None), "w"), "")
    assert nowhere.startswith("### Kettle: ACTIVE\n")
