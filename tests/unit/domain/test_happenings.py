"""Events from outside: which milestones hear them, once, and what a product asks to be told."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from phasegate.check import EventCheck, ReportedCheck
from phasegate.errors import Rejected
from phasegate.events import Outbox
from phasegate.happenings import (
    SHOWN,
    EventRequest,
    Happening,
    awaited,
    check_event,
    listened_for,
    waits_for,
)
from phasegate.lifecycle import Lifecycle, PolicyRef, Status
from phasegate.milestones import Milestone, MilestoneStatus
from phasegate.policy import Phase
from phasegate.ports import PhaseBrief
from phasegate.product import Product
from phasegate.requests import Receipt
from phasegate.search import EVENTS, WAITING_ON_BYTES, event_key, event_keys, waiting_on_events

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
RECEIPT = Receipt(workflow_id="product/kettle", text="met")


def listens(milestone: str = "closed", phase: str = "build", **check: object) -> Milestone:
    given = {"kind": "event", "source": "github", "type": "milestone", **check}
    return Milestone(
        id=milestone, title=milestone.title(), phase=phase, check=EventCheck.model_validate(given)
    )


def kettle(*milestones: Milestone, **more: object) -> Lifecycle:
    return Lifecycle.model_validate(
        {
            "product": Product(key="kettle", name="Kettle", owner="olga", tier=2),
            "policy": PolicyRef(name="standard", version="1", digest="sha256:0"),
            "directory": "default",
            "outbox": Outbox(source="product/kettle", product="kettle"),
            "brief": PhaseBrief(
                phase=Phase(id="build", title="Build"), next=None, has_sunset=False
            ),
            "milestones": list(milestones),
            **more,
        }
    )


def event(**more: object) -> Happening:
    return Happening.model_validate(
        {
            "source": "github",
            "origin": "https://github.com/acme/kettle",
            "type": "milestone",
            "subject": "acme/kettle",
            "id": "72d3162e",
            **more,
        }
    )


def request(milestone: str = "closed", **more: object) -> EventRequest:
    return EventRequest.of(event(**more), milestone)


def refused(state: Lifecycle, asked: EventRequest) -> str:
    with pytest.raises(Rejected) as refusal:
        check_event(state, asked)
    found = refusal.value
    assert state.key in found.what
    assert found.hint.startswith("phasegate ")
    return found.code


@pytest.mark.parametrize(
    ("check", "said", "heard"),
    [
        ({}, {}, True),
        ({"subject": "acme/kettle"}, {}, True),
        ({}, {"subject": None}, True),
        ({"subject": "acme/kettle"}, {"subject": "acme/toaster"}, False),
        ({"subject": "acme/kettle"}, {"subject": None}, False),
        ({}, {"type": "release"}, False),
        ({}, {"source": "elsewhere"}, False),
    ],
)
def test_a_check_hears_events_of_its_source_type_and_subject(
    check: dict[str, object], said: dict[str, object], heard: bool
) -> None:
    milestone = listens(**check)
    assert isinstance(milestone.check, EventCheck)
    assert waits_for(milestone.check, event(**said)) is heard
    state = kettle(milestone)
    assert [wait.milestone for wait in awaited(state, event(**said)).waits] == ["closed"] * heard
    if heard:
        assert check_event(state, request(**said)) is state.milestones[0]
    else:
        assert refused(state, request(**said)) == "event-not-awaited"


def test_a_product_is_asked_for_what_it_waits_for_and_what_expressions_may_know() -> None:
    found = awaited(kettle(listens(when="event.data.action == 'closed'")), event())
    assert found.product == {"key": "kettle", "name": "Kettle", "owner": "olga", "tier": 2}
    assert [(w.milestone, w.when, w.state) for w in found.waits] == [
        ("closed", "event.data.action == 'closed'", "open")
    ]


def test_a_milestone_that_was_met_hears_no_other_event_and_knows_the_one_it_heard() -> None:
    state = kettle(listens())
    first = request()
    check_event(state, first).meet(NOW, first.told())
    state.remember(first.key, RECEIPT)
    assert [w.state for w in awaited(state, event()).waits] == ["told"]
    assert [w.state for w in awaited(state, event(id="another")).waits] == ["settled"]
    assert refused(state, request(id="another")) == "milestone-settled"
    assert state.milestones[0].why == "github says milestone about acme/kettle (72d3162e)"


@pytest.mark.parametrize(
    ("milestones", "more"),
    [
        ([listens(phase="market")], {}),
        ([listens()], {"entering": True}),
        ([listens()], {"brief": None}),
        ([listens()], {"status": Status.retired}),
        ([listens(subject="{repo}")], {}),
        ([Milestone(id="closed", title="C", phase="build", check=ReportedCheck())], {}),
    ],
)
def test_events_meet_milestones_of_the_phase_the_product_is_in_and_no_others(
    milestones: list[Milestone], more: dict[str, object]
) -> None:
    state = kettle(*milestones, **more)
    assert listened_for(state) == []
    assert awaited(state, event()).waits == []
    assert refused(state, request()) == "event-not-awaited"


@pytest.mark.parametrize("status", [Status.on_hold, Status.sunsetting])
def test_a_product_hears_until_it_ends(status: Status) -> None:
    state = kettle(listens(), status=status)
    assert check_event(state, request()) is state.milestones[0]


def test_an_unknown_milestone_is_refused_by_name() -> None:
    assert refused(kettle(listens()), request("unheard-of")) == "unknown-milestone"


def test_the_open_ones_are_asked_for_first_and_the_met_ones_until_the_phase_ends() -> None:
    met = listens("met", type="release", subject="acme/kettle")
    met.meet(NOW, "heard")
    waived = listens("waived", type="push")
    waived.state = MilestoneStatus.waived
    state = kettle(met, waived, listens(), listens("again"), listens("at-repo", subject="a/b"))
    assert listened_for(state) == [
        "event:github/milestone",
        "event:github/milestone/a/b",
        "event:github/release/acme/kettle",
    ]


def test_one_event_is_one_request_however_often_it_is_made() -> None:
    assert request() == request()
    assert request().key == f"source:github/{request().request_id}"
    others = [
        request("another"),
        request(id="72d3162f"),
        request(origin="https://github.com/acme/toaster"),
        request(source="gitlab"),
    ]
    assert len({one.key for one in [request(), *others]}) == 5
    # What a sender says beside its id makes no other event of it.
    assert request(subject="acme/toaster", type="release").key == request().key


def test_what_is_kept_of_an_event_is_bounded() -> None:
    long = event(type="t" * 2000, subject="s" * 2000, id="i" * 2000, origin="o" * 2000)
    assert len(long.told()) < 3 * SHOWN + 40
    assert {len(text) for text in long.shown().values()} == {SHOWN, len("github")}
    assert event(subject=None).told() == "github says milestone (72d3162e)"
    assert event(subject=None).shown()["subject"] == ""
    assert event().shown().keys() == {"source", "origin", "type", "id", "subject"}


@pytest.mark.parametrize("bad", ["", "a\nb", "a\x00", "\x7f", "\x9b31m", "x" * 2001, "\ud800"])
@pytest.mark.parametrize("name", ["type", "subject", "id", "origin"])
def test_texts_of_senders_are_printable_and_bounded(name: str, bad: str) -> None:
    with pytest.raises(ValidationError):
        event(**{name: bad})


texts = st.text(min_size=1, max_size=400)
slugs = st.from_regex(r"[a-z0-9][a-z0-9-]{0,62}", fullmatch=True)


@given(slugs, texts, texts | st.none(), st.lists(st.tuples(slugs, texts, texts), max_size=60))
def test_an_event_finds_who_waits_for_it_however_much_else_they_wait_for(
    source: str, type: str, subject: str | None, others: list[tuple[str, str, str]]
) -> None:
    wanted = event_key(source, type, subject)
    keys = waiting_on_events([*(event_key(*other) for other in others), wanted])
    assert sum(len(key.encode()) + 3 for key in keys) <= WAITING_ON_BYTES
    assert set(keys) & set(event_keys(source, type, subject))
    assert event_keys(source, type, "about this")[1:] == event_keys(source, type, None)
    assert all(key.isascii() and len(key) <= 120 and " " not in key for key in keys)


def test_keys_can_be_read_where_they_are_short_and_plain() -> None:
    assert (
        event().keys()
        == event_keys("github", "milestone", "acme/kettle")
        == [
            "event:github/milestone/acme/kettle",
            "event:github/milestone",
            EVENTS,
        ]
    )
    assert event_key("gitlab", "Pipeline Hook", None).startswith("event:gitlab/sha256-")
    assert event_key("s", "a", "b c") != event_key("s", "a b", "c")
