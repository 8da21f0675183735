"""The dates of a sunset as an .ics, read back as a calendar would read it."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar, Event

from client.sunset_calendar import calendar_of
from phasegate.public_sunset import PublicDate, PublicSunset

NOTICE = datetime(2027, 1, 1, tzinfo=UTC)
LIFE = datetime(2027, 12, 31, 23, 59, 59, tzinfo=UTC)
DAY = timedelta(days=1)


def facts(*, life: datetime = LIFE, **more: Any) -> PublicSunset:
    given = {
        "product": "kettle",
        "name": "Kettle",
        "standing": "announced",
        "notice_at": NOTICE,
        "dates": [
            PublicDate(
                id="eol",
                title="End",
                at=life,
                marks="end-of-life",
                reminders=[life - 90 * DAY, life],
            )
        ],
        "deletion_at": datetime(2028, 1, 30, 14, 5, tzinfo=UTC),
        "links": {"notice": "https://kettle.example.org/end"},
        "changed_at": datetime(2026, 12, 1, 8, 30, tzinfo=UTC),
        "revision": 7,
    }
    return PublicSunset.model_validate({**given, **more})


def events(written: bytes) -> dict[str, Event]:
    return {str(event["summary"]): event for event in Calendar.from_ical(written).events}


def test_days_are_all_day_and_instants_are_instants() -> None:
    found = events(calendar_of(facts()))
    life = found["Kettle: End of life"]
    assert life.decoded("dtstart") == date(2027, 12, 31)
    assert life.decoded("dtend") == date(2028, 1, 1)  # not included, RFC 5545 section 3.6.1
    assert str(life["description"]) == "The last day on which it is supported in any way."
    assert str(life["url"]) == "https://kettle.example.org/end"
    assert str(life["status"]) == "CONFIRMED"
    assert found["Kettle: Public notice"].decoded("dtstart") == date(2027, 1, 1)
    gone = found["Kettle: Data is deleted from now on"]
    assert gone.decoded("dtstart") == datetime(2028, 1, 30, 14, 5, tzinfo=UTC)
    assert "dtend" not in gone


def test_reminders_are_alarms_before_the_day() -> None:
    life = events(calendar_of(facts()))["Kettle: End of life"]
    assert [alarm.decoded("trigger") for alarm in life.walk("VALARM")] == [-90 * DAY, 0 * DAY]
    assert {str(alarm["action"]) for alarm in life.walk("VALARM")} == {"DISPLAY"}
    assert b"TRIGGER:-P90D" in calendar_of(facts())


def test_a_date_that_moves_updates_its_entry() -> None:
    before = events(calendar_of(facts()))["Kettle: End of life"]
    after = events(calendar_of(facts(life=LIFE + 31 * DAY, revision=9)))["Kettle: End of life"]
    assert before["uid"] == after["uid"]
    assert (before["sequence"], after["sequence"]) == (7, 9)
    assert after.decoded("dtstart") == date(2028, 1, 31)


def test_entries_of_another_product_or_sunset_are_others() -> None:
    for more in ({"number": 2}, {"product": "pot"}):
        one, other = (
            {event["uid"] for event in events(calendar_of(found)).values()}
            for found in (facts(), facts(**more))
        )
        assert one.isdisjoint(other)
        assert len(one) == 3


def test_a_date_that_is_left_out_is_taken_off_calendars() -> None:
    gone = PublicDate(id="ro", title="Read-only", at=LIFE - 30 * DAY, reminders=[LIFE - 40 * DAY])
    written = events(calendar_of(facts(left_out=[gone])))
    entry = written["Kettle: Read-only"]
    assert str(entry["status"]) == "CANCELLED"
    assert entry.walk("VALARM") == []
    there = events(calendar_of(facts(dates=[gone])))["Kettle: Read-only"]
    assert there["uid"] == entry["uid"]


def test_a_plan_is_tentative_and_a_withdrawal_cancels_every_entry() -> None:
    planned = events(calendar_of(facts(standing="planned")))
    assert {str(event["status"]) for event in planned.values()} == {"TENTATIVE"}
    written = calendar_of(facts(standing="withdrawn"))
    assert b"METHOD:CANCEL" in written
    withdrawn = events(written)
    assert {event["uid"] for event in withdrawn.values()} == {
        event["uid"] for event in planned.values()
    }
    assert {str(event["status"]) for event in withdrawn.values()} == {"CANCELLED"}
    assert b"VALARM" not in written


printable = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1)


@given(printable)
def test_any_name_comes_back_whole(name: str) -> None:
    written = calendar_of(facts(name=name))
    assert all(len(line) <= 75 for line in written.split(b"\r\n"))  # folded, section 3.1
    assert written.count(b"\n") == written.count(b"\r\n")
    assert f"{name}: End of life" in events(written)
    assert len(events(written)) == 3


@given(st.text('\r\n\\;:,"\x00\x07BEGINEND:VEVENT'))
def test_no_name_adds_lines_of_its_own(name: str) -> None:
    named = facts(name=name, links={"notice": f"https://x.example/{json.dumps(name)}"})
    assert len(Calendar.from_ical(calendar_of(named)).events) == 3
