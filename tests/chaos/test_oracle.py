"""The oracle of the chaos run finds what it is there to find."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import pytest

from phasegate.events import Announcement
from tests.chaos.oracle import mails, votes
from tests.chaos.scripts import ADDRESSES, Ballot, Script, Sitting
from tests.chaos.tally import Cast

KEY = "life-001"
SAYS = {"ana": "go", "bo": "go", "cy": "go", "dan": "abstain"}
SITTING = Sitting("launch", 1, tuple(Ballot(who, vote) for who, vote in SAYS.items()), "go")
SCRIPT = Script(KEY, "all", (SITTING,), 0.0, True)


def said(type: str, text: str, actor: str = "", **data: Any) -> Announcement:
    place = {"gate": "launch", "round": 1}
    at = datetime(2026, 1, 5, tzinfo=UTC)
    return Announcement(
        **{"id": f"{type}/{actor}", "type": type, "product": KEY, "source": "s", "at": at},
        **{"actor": actor, "text": text, "data": place | data},
    )


def record(says: dict[str, str]) -> list[Announcement]:
    """A round with these votes, all of them counted."""
    counted = [
        {"approver": who, "vote": vote, "comment": f"of {who}", "state": "standing"}
        for who, vote in says.items()
    ]
    return [
        said("gate.opened", "Launch: round 1 is open"),
        *(
            said("gate.vote", f"{who} votes", who, vote=vote, comment=f"of {who}")
            for who, vote in says.items()
        ),
        said("gate.decided", "Launch: go", view={"votes": counted, "outcome": "go"}),
    ]


def cast(who: str, says: str) -> Cast:
    return Cast(KEY, "launch", 1, who, says, f"of {who}", "accepted", "", 1, 0.1)


CASTS = [cast(who, vote) for who, vote in SAYS.items()]


def test_a_round_as_it_should_be() -> None:
    refused = [replace(cast(who, "go"), answer="refused") for who in ("eve", "olga")]
    assert list(votes(SCRIPT, CASTS + refused, record(SAYS))) == []


@pytest.mark.parametrize("who", ["eve", "olga"])
def test_a_vote_of_somebody_who_has_none(who: str) -> None:
    found = list(votes(SCRIPT, [*CASTS, cast(who, "go")], record({**SAYS, who: "go"})))
    assert any("none of the votes asked" in one for one in found)
    assert f"{KEY}: the record has a vote of {who} at launch 1" in found


def test_a_vote_on_evidence_of_yesterday() -> None:
    yesterday = replace(cast("bo", "kill"), comment="of yesterday")
    found = list(votes(SCRIPT, [*CASTS, yesterday], record(SAYS)))
    assert any("the kill of bo" in one and "none of the votes asked" in one for one in found)


def test_a_vote_that_was_accepted_and_lost() -> None:
    story = [e for e in record(SAYS) if (e.type, e.actor) != ("gate.vote", "cy")]
    assert any("not in the record" in one for one in votes(SCRIPT, CASTS, story))


def mail(to: str, text: str) -> EmailMessage:
    message = EmailMessage()
    message["To"], message["Subject"], message["Message-ID"] = to, "s", f"<{to}{hash(text)}>"
    message.set_content(text)
    return message


def test_a_mail_that_was_lost() -> None:
    story = {KEY: record(SAYS)}
    several = f"To know:\n\n* The {KEY}: Launch: round 1 is open\n    phasegate ...\n"
    alone = f"Launch: go.\n\n    phasegate ...\n\nThe {KEY} ({KEY}), 2026-01-05.\n"
    sent = [mail(to, text) for to in ADDRESSES for text in (several, alone)]
    assert list(mails(story, sent)) == []
    for lost in range(len(sent)):
        (found,) = mails(story, sent[:lost] + sent[lost + 1 :])
        assert f"{KEY}: {sent[lost]['To']} never read that Launch" in found
    again = mail(ADDRESSES[0], alone)
    again.replace_header("Message-ID", "<another>")
    assert any("2 Message-IDs" in one for one in mails(story, [*sent, again]))
