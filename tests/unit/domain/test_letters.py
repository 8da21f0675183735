"""Announcements in plain words, with the command that answers them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from phasegate.concern import Ask, Concern
from phasegate.events import Announcement
from phasegate.letters import Item, answer, chat_line, letter

AT = datetime(2026, 11, 25, 9, tzinfo=UTC)
DUE = datetime(2026, 12, 2, 17, tzinfo=UTC)


def item(
    type: str = "gate.opened",
    ask: Ask = Ask.vote,
    text: str = "Launch: round 1 is open",
    **more: Any,
) -> Item:
    data = more.pop("data", {"gate": "launch", "round": 1})
    actor = more.pop("actor", "sue")
    event = Announcement(
        id="e", type=type, product="lamp", source="s", at=AT, actor=actor, text=text, data=data
    )
    concern = Concern.model_validate({"person": "ana", "ask": ask, **more})
    return Item(event=event, concern=concern, name="Lamp")


def test_one_event_is_a_letter_of_its_own() -> None:
    written = letter([item(due=DUE)])
    assert written.subject == "Lamp: please vote on launch by 2026-12-02"
    assert written.text == (
        "Launch: round 1 is open.\n\n"
        "Your vote is asked for by 2026-12-02 17:00 UTC: go, conditional-go, recycle, hold or kill."
        "\n\n    phasegate gate vote lamp/launch go --as ana\n\n"
        "See it first:\n\n    phasegate gate show lamp/launch\n\n"
        "Lamp (lamp), 2026-11-25 09:00 UTC, by sue.\n"
    )


@pytest.mark.parametrize(
    ("made", "subject", "command"),
    [
        (
            item(ask=Ask.stand_in, holder="bo", urgent=True),
            "Urgent: Lamp: you may vote on launch for bo",
            "phasegate gate vote lamp/launch go --as ana --for bo",
        ),
        (
            item(data={"gate": "launch", "round": 1, "assurance": "signed"}, due=DUE),
            "Lamp: please vote on launch by 2026-12-02",
            "phasegate gate vote lamp/launch go --as ana --sign",
        ),
        (
            item(ask=Ask.advise, due=DUE),
            "Lamp: your advice on launch by 2026-12-02",
            "phasegate gate vote lamp/launch go --as ana",
        ),
        (
            item("gate.needs-work", Ask.work, "sue asks for load tests"),
            "Lamp: sue asks for load tests",
            "phasegate gate submit lamp/launch --as ana",
        ),
        (
            item("product.back-to-work", Ask.work, "launch: recycle", data={}),
            "Lamp: launch: recycle",
            "phasegate gate submit lamp --as ana",
        ),
        (
            item("condition.reminder", Ask.promise, data={"condition": "launch-1-1"}, due=DUE),
            "Lamp: a condition of yours by 2026-12-02",
            "phasegate condition close lamp launch-1-1 --note 'what shows it' --as ana",
        ),
        (
            item("milestone.missed", Ask.milestone, "Beta is missed", data={"milestone": "beta"}),
            "Lamp: Beta is missed",
            "phasegate milestone report lamp beta --as ana",
        ),
        (
            item("product.held", Ask.nothing, "lamp is held", data={}, actor=""),
            "Lamp: lamp is held",
            "phasegate product show lamp",
        ),
        (
            item("sunset.task-begun", Ask.confirm, "to do: Keys", data={"task": "keys"}, due=DUE),
            "Lamp: please do keys of its sunset by 2026-12-02",
            "phasegate sunset confirm lamp keys --note 'what shows it' --as ana",
        ),
        (
            item("sunset.task-unknown", Ask.settle, "who knows", data={"task": "wipe"}),
            "Lamp: was wipe of its sunset done?",
            "phasegate sunset confirm lamp wipe --note 'what shows it' --as ana",
        ),
        (
            item("sunset.waiting-for-plan", Ask.plan, "eol cannot be on 2027-01-01", data={}),
            "Lamp: eol cannot be on 2027-01-01",
            "phasegate sunset plan lamp FILE --as ana",
        ),
        (
            item("sunset.planned", Ask.nothing, "the notice is on 2027-01-01", data={}),
            "Lamp: the notice is on 2027-01-01",
            "phasegate sunset show lamp",
        ),
        (
            item("gate.decided", Ask.nothing, "Launch: go"),
            "Lamp: Launch: go",
            "phasegate gate show lamp/launch",
        ),
    ],
)
def test_every_ask_has_its_words_and_its_command(made: Item, subject: str, command: str) -> None:
    written = letter([made])
    assert written.subject == subject
    assert answer(made) == command
    assert f"\n    {command}\n" in written.text


def test_a_result_that_nobody_knows_says_how_to_answer_either_way() -> None:
    unknown = item("sunset.task-unknown", Ask.settle, "who knows", data={"task": "wipe"})
    assert "with --not-done if it was not:" in letter([unknown]).text
    begun = item("sunset.task-begun", Ask.confirm, "to do", data={"task": "keys"}, due=DUE)
    assert "This is yours to do by 2026-12-02 17:00 UTC." in letter([begun]).text


def test_several_events_are_one_digest_the_urgent_first() -> None:
    later = item(text="Check: round 1 is open", due=datetime(2027, 1, 1, tzinfo=UTC))
    soon = item(due=DUE)
    know = item("product.held", Ask.nothing, "lamp is held", data={})
    late = item("gate.overdue", Ask.stand_in, "bo did not answer", holder="bo", urgent=True)
    written = letter([know, later, soon, late])
    assert written.subject == "Urgent: 4 events: 3 wait for you"
    lines = [line for line in written.text.splitlines() if line.startswith("* ")]
    assert lines == [
        "* URGENT Lamp: bo did not answer",
        "* Lamp: Launch: round 1 is open (by 2026-12-02 17:00 UTC)",
        "* Lamp: Check: round 1 is open (by 2027-01-01 00:00 UTC)",
        "* Lamp: lamp is held",
    ]
    assert written.text.endswith("All that waits for you:\n\n    phasegate inbox --as ana\n")
    assert letter([soon, know]).subject == "2 events: one waits for you"
    nothing = letter([know, know])
    assert nothing.subject == "2 events: nothing is asked of you"
    assert "inbox" not in nothing.text


def test_what_people_wrote_cannot_add_headers_or_steer_a_terminal() -> None:
    evil = item(text="go\r\nBcc: all@acme.example\x1b[2J" + "x" * 900, ask=Ask.nothing)
    written = letter([evil])
    assert "\n" not in written.subject
    assert len(written.subject) <= 180
    assert "\x1b" not in written.text
    assert "go Bcc: all@acme.example" in written.text


def test_chat_has_a_line_an_event() -> None:
    event = item().event
    assert chat_line(event, "Lamp") == (
        "Lamp: Launch: round 1 is open (sue) – phasegate gate show lamp/launch"
    )
    by_itself = event.model_copy(update={"actor": "", "type": "product.held"})
    assert chat_line(by_itself, "") == (
        "lamp: Launch: round 1 is open – phasegate product show lamp"
    )
