"""Business days: each person's week, holidays and clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phasegate.calendars import Calendar, CalendarError
from phasegate.directory import Absence, Person
from phasegate.span import Span
from phasegate.within import BusinessDays

BERLIN = Person(country="DE", subdivision="BE", time_zone="Europe/Berlin")
MUNICH = Person(country="DE", subdivision="BY", time_zone="Europe/Berlin")
NEW_YORK = Person(country="US", subdivision="NY", time_zone="America/New_York")
CAIRO = Person(
    country="EG", time_zone="Africa/Cairo", working_days=("sun", "mon", "tue", "wed", "thu")
)
TOKYO = Person(country="JP", time_zone="Asia/Tokyo")
APIA = Person(time_zone="Pacific/Apia")
FRIDAYS = Person(working_days=("fri",))
PEOPLE = [Person(), BERLIN, MUNICH, NEW_YORK, CAIRO, TOKYO, APIA, FRIDAYS]

PERSONS = st.sampled_from(PEOPLE)
INSTANTS = st.datetimes(
    datetime(2024, 1, 1),  # noqa: DTZ001 - hypothesis wants bounds without a zone
    datetime(2031, 12, 31),  # noqa: DTZ001
    timezones=st.just(UTC),
)
COUNTS = st.integers(1, 40)
PAUSES = st.timedeltas(timedelta(0), timedelta(days=60))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def local(instant: datetime, person: Person) -> str:
    return f"{instant.astimezone(ZoneInfo(person.time_zone)):%a %Y-%m-%d %H:%M:%S}"


def due(person: Person, since: str, days: int) -> str:
    """When it is due by their own clock, for something asked at `since` by that clock."""
    zone = ZoneInfo(person.time_zone)
    asked = datetime.fromisoformat(since).replace(tzinfo=zone)
    found = Calendar.of(person).due(asked, BusinessDays(days))
    assert found.tzinfo is UTC
    return local(found, person)


@pytest.mark.parametrize(
    ("person", "since", "days", "expected"),
    [
        (Person(), "2026-11-23T09:00", 1, "Tue 2026-11-24 23:59:59"),
        (Person(), "2026-11-23T23:59", 5, "Mon 2026-11-30 23:59:59"),
        (Person(), "2026-11-27T09:00", 1, "Mon 2026-11-30 23:59:59"),
        (Person(), "2026-11-28T09:00", 1, "Mon 2026-11-30 23:59:59"),
        # year ends and leap days
        (BERLIN, "2026-12-23T09:00", 3, "Tue 2026-12-29 23:59:59"),
        (BERLIN, "2027-12-31T09:00", 1, "Mon 2028-01-03 23:59:59"),
        (Person(), "2028-02-28T09:00", 1, "Tue 2028-02-29 23:59:59"),
        (Person(), "2028-02-28T09:00", 2, "Wed 2028-03-01 23:59:59"),
        # a part of a country has holidays of its own
        (BERLIN, "2027-01-05T09:00", 1, "Wed 2027-01-06 23:59:59"),
        (MUNICH, "2027-01-05T09:00", 1, "Thu 2027-01-07 23:59:59"),
        # observed on Friday: 4 July 2026 and 1 January 2028 are Saturdays
        (NEW_YORK, "2026-07-02T09:00", 1, "Mon 2026-07-06 23:59:59"),
        (NEW_YORK, "2027-12-30T09:00", 1, "Mon 2028-01-03 23:59:59"),
        # half a holiday is a working day: Christmas Eve
        (NEW_YORK, "2026-12-23T09:00", 1, "Thu 2026-12-24 23:59:59"),
        # clocks change on the Sunday between
        (BERLIN, "2026-03-27T09:00", 1, "Mon 2026-03-30 23:59:59"),
        (BERLIN, "2026-10-23T09:00", 1, "Mon 2026-10-26 23:59:59"),
        (NEW_YORK, "2026-03-06T09:00", 1, "Mon 2026-03-09 23:59:59"),
        # Friday and Saturday are free there, and Sunday is not
        (CAIRO, "2026-11-26T09:00", 1, "Sun 2026-11-29 23:59:59"),
        (CAIRO, "2026-11-24T09:00", 3, "Sun 2026-11-29 23:59:59"),
        (FRIDAYS, "2026-11-27T00:00", 2, "Fri 2026-12-11 23:59:59"),
    ],
)
def test_due(person: Person, since: str, days: int, expected: str) -> None:
    assert due(person, since, days) == expected


def test_the_day_is_that_of_the_person() -> None:
    asked = at("2026-11-24T23:30")  # Wednesday already in Tokyo, Tuesday evening in New York
    there = {
        person.time_zone: local(Calendar.of(person).due(asked, BusinessDays(1)), person)
        for person in (TOKYO, NEW_YORK)
    }
    assert there == {
        "Asia/Tokyo": "Thu 2026-11-26 23:59:59",
        "America/New_York": "Wed 2026-11-25 23:59:59",
    }


def test_an_hour_that_comes_twice_is_there_in_full() -> None:
    """Egypt sets its clocks back at midnight, so that 29 October 2026 has 25 hours."""
    weekly = CAIRO.model_copy(update={"working_days": ("thu",)})
    found = Calendar.of(weekly).due(at("2026-10-27T08:00"), BusinessDays(1))
    assert local(found, CAIRO) == "Thu 2026-10-29 23:59:59"
    assert local(found + timedelta(seconds=1), CAIRO) == "Fri 2026-10-30 00:00:00"


def test_a_span_is_plain_time() -> None:
    calendar, since = Calendar.of(BERLIN), at("2026-12-23T09:00")
    assert calendar.due(since, Span.parse("5 days")) == at("2026-12-28T09:00")
    assert calendar.due(since, Span.parse("2 months")) == at("2027-02-23T09:00")
    assert calendar.ahead_of(since, Span.parse("4 hours")) == at("2026-12-23T05:00")


def test_reminders_come_on_the_morning_of_a_working_day_before() -> None:
    calendar = Calendar.of(BERLIN)
    monday = calendar.due(at("2026-12-28T12:00"), BusinessDays(4))
    assert local(monday, BERLIN) == "Mon 2027-01-04 23:59:59"
    ahead = [local(calendar.ahead_of(monday, BusinessDays(n)), BERLIN) for n in (1, 2, 4, 5)]
    assert ahead == [
        "Thu 2026-12-31 09:00:00",
        "Wed 2026-12-30 09:00:00",
        "Mon 2026-12-28 09:00:00",
        "Thu 2026-12-24 09:00:00",
    ]


def test_a_pause_leaves_as_many_business_days_as_there_were() -> None:
    calendar, five = Calendar.of(BERLIN), BusinessDays(5)
    until = calendar.due(at("2026-11-23T09:00"), five)  # Monday to Monday

    def resumed(stopped: str, since: str) -> str:
        return local(calendar.moved_on(until, five, stopped=at(stopped), since=at(since)), BERLIN)

    assert resumed("2026-11-24T09:00", "2026-11-24T18:00") == "Mon 2026-11-30 23:59:59"
    assert resumed("2026-11-24T09:00", "2026-11-25T09:00") == "Tue 2026-12-01 23:59:59"
    assert resumed("2026-11-27T09:00", "2026-11-29T09:00") == "Mon 2026-11-30 23:59:59"
    # on the last day, the rest of a day is left: the next working day's
    assert resumed("2026-11-30T09:00", "2026-12-02T09:00") == "Wed 2026-12-02 23:59:59"
    assert resumed("2026-11-30T09:00", "2026-12-05T09:00") == "Mon 2026-12-07 23:59:59"
    assert resumed("2026-11-30T09:00", "2026-11-30T23:30") == "Tue 2026-12-01 23:59:59"


def test_what_had_passed_before_a_pause_stays_so() -> None:
    calendar, until = Calendar.of(BERLIN), at("2026-11-20T12:00")
    pause = {"stopped": until, "since": until + timedelta(days=30)}
    assert calendar.moved_on(until, BusinessDays(1), **pause) == until
    assert calendar.moved_on(until, Span.parse("1 day"), **pause) == until


@given(PERSONS, INSTANTS, PAUSES)
def test_a_span_moves_by_the_length_of_the_pause(
    person: Person, stopped: datetime, pause: timedelta
) -> None:
    calendar, until = Calendar.of(person), stopped + timedelta(hours=1)
    span = Span.parse("3 days")
    moved = calendar.moved_on(until, span, stopped=stopped, since=stopped + pause)
    assert moved - until == pause


@given(PERSONS, INSTANTS, COUNTS)
def test_due_is_the_last_second_of_a_working_day(
    person: Person, since: datetime, count: int
) -> None:
    calendar, zone = Calendar.of(person), ZoneInfo(person.time_zone)
    found = calendar.due(since, BusinessDays(count))
    there = found.astimezone(zone)
    assert there.time() == time(23, 59, 59)
    assert calendar.works(there.date())
    assert found.microsecond == 0
    assert there.date() > since.astimezone(zone).date()


@given(PERSONS, INSTANTS, INSTANTS, COUNTS, COUNTS)
def test_due_is_monotone(
    person: Person, one: datetime, other: datetime, few: int, many: int
) -> None:
    calendar = Calendar.of(person)
    (one, other), (few, many) = sorted([one, other]), sorted([few, many])
    assert calendar.due(one, BusinessDays(few)) <= calendar.due(other, BusinessDays(few))
    assert calendar.due(one, BusinessDays(few)) <= calendar.due(one, BusinessDays(many))


@given(PERSONS, INSTANTS, COUNTS)
def test_as_many_days_are_left_as_were_given(person: Person, since: datetime, count: int) -> None:
    calendar = Calendar.of(person)
    until = calendar.due(since, BusinessDays(count))
    assert calendar.left(since, until) == count
    assert calendar.due(since, BusinessDays(calendar.left(since, until))) == until
    assert calendar.left(until, since) == 0


@given(PERSONS, INSTANTS, COUNTS, PAUSES, PAUSES)
def test_a_pause_takes_no_working_day_and_gives_none(
    person: Person, asked: datetime, count: int, before: timedelta, pause: timedelta
) -> None:
    calendar, days = Calendar.of(person), BusinessDays(count)
    until, stopped = calendar.due(asked, days), asked + before
    since = stopped + pause
    moved = calendar.moved_on(until, days, stopped=stopped, since=since)
    if until <= stopped:
        assert moved == until
        return
    assert moved >= until
    assert moved > since
    left = calendar.left(stopped, until)
    assert calendar.left(since, moved) in ({left} if left else {0, 1})
    assert calendar.moved_on(until, days, stopped=stopped, since=stopped) == until


@given(PERSONS, INSTANTS, COUNTS)
def test_reminders_are_ahead_of_what_they_remind_of(
    person: Person, until: datetime, count: int
) -> None:
    calendar, zone = Calendar.of(person), ZoneInfo(person.time_zone)
    ahead = calendar.ahead_of(until, BusinessDays(count))
    assert ahead < until
    assert calendar.works(ahead.astimezone(zone).date())


def test_absences_are_days_of_the_person() -> None:
    absence = Absence(start=date(2026, 12, 24), end=date(2026, 12, 24))
    assert Calendar.of(NEW_YORK).instants(absence) == (
        at("2026-12-24T05:00"),
        at("2026-12-25T05:00"),
    )
    # 29 March has 23 hours in Berlin
    absence = Absence(start=date(2026, 3, 29), end=date(2026, 3, 29))
    start, end = Calendar.of(BERLIN).instants(absence)
    assert end - start == timedelta(hours=23)


@pytest.mark.parametrize(
    ("person", "message"),
    [
        (Person(country="XX"), "no holidays are known of a country 'XX'; use two letters"),
        (Person(country="de"), "use two letters as DE or US; did you mean DE?"),
        (Person(country=""), "no holidays are known of a country ''"),
        (Person(country="DE", subdivision="CA"), "country DE has no part 'CA'; it has BB, BE,"),
        (Person(country="VA", subdivision="X"), "its holidays are the same everywhere"),
        (Person(subdivision="BY"), "subdivision 'BY' belongs to no country; give the country"),
        (Person(time_zone="Europe/Berln"), "did you mean Europe/Berlin?"),
        (Person(time_zone="../etc/passwd"), "there is no time zone '../etc/passwd'"),
    ],
)
def test_a_calendar_that_nobody_knows_is_refused(person: Person, message: str) -> None:
    with pytest.raises(CalendarError) as error:
        Calendar.of(person)
    assert message in str(error.value)


def test_a_year_without_a_working_day_ends_the_search() -> None:
    never = Calendar(ZoneInfo("UTC"), holiday=lambda day: True)
    for count in (never.due, never.ahead_of):
        with pytest.raises(CalendarError, match="no working day within 366 days of 2026-11-24"):
            count(at("2026-11-24T09:00"), BusinessDays(1))


def test_the_end_of_the_calendar_is_told() -> None:
    calendar, last = Calendar.of(Person()), at("9999-12-30T12:00")
    with pytest.raises(CalendarError, match="beyond the years there are; use a shorter span"):
        calendar.due(last, BusinessDays(10))
    with pytest.raises(CalendarError, match="beyond the years"):
        calendar.ahead_of(at("0001-01-02T12:00"), BusinessDays(10))


EDGES = st.one_of(
    st.dates(date.min, date(1, 1, 5)), st.dates(date(9999, 12, 26), date.max), st.just(date.max)
)


@given(PERSONS, st.lists(EDGES, min_size=2, max_size=2))
def test_an_absence_ends_where_the_calendar_does(person: Person, days: list[date]) -> None:
    absence = Absence(start=min(days), end=max(days))
    start, end = Calendar.of(person).instants(absence)
    assert start <= end
    for zone in ("Pacific/Apia", "Pacific/Pago_Pago"):  # everybody can read it by their own clock
        assert start.astimezone(ZoneInfo(zone)) <= end.astimezone(ZoneInfo(zone))


@given(PERSONS, st.sampled_from([BusinessDays(5), Span.parse("5 days")]))
def test_what_cannot_move_any_further_stays(person: Person, within: BusinessDays | Span) -> None:
    last = datetime.max.replace(tzinfo=UTC)
    calendar, pause = Calendar.of(person), {"stopped": at("2026-11-23T09:00")}
    moved = calendar.moved_on(last, within, **pause, since=at("2026-12-23T09:00"))
    assert moved == last
    assert calendar.left(last - timedelta(days=9), last) <= 9
    with pytest.raises(CalendarError, match="beyond the years"):
        calendar.due(last, within)
