"""Business days of people: their working week, their country's holidays, their time zone.

For lint and activities only. Workflows never import this: holidays are proclaimed, moved and
corrected, so that what a release knows of next year may differ from what the last one knew. An
instant that was counted is therefore stored by whoever asked, and never counted again.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from phasegate.directory import WORKING_DAYS, Absence, Person, Weekday
from phasegate.within import BusinessDays, Length

WEEK: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MORNING = time(9)
"""When people are reminded, by their own clock: a working day that is over reminds nobody."""

_DAY = timedelta(days=1)
_FIRST, _LAST = date.min + _DAY, date.max - _DAY
"""Days whose start is an instant in every time zone."""
_LONGEST_GAP = 366
"""Days without a single working day, after which the search for one is given up."""


class CalendarError(ValueError):
    """A calendar cannot be used, or has no day that is asked for."""


class TooFar(CalendarError):
    """The day that is asked for lies beyond the calendar of years."""


class Calendar:
    """When one person works. Days are theirs; instants come and go in UTC.

    `holiday` says of a day whether it is free. Half days count as working days, as does a
    weekend day that a government declares a working day: what counts is the person's own week.
    """

    def __init__(
        self,
        zone: ZoneInfo,
        working_days: tuple[Weekday, ...] = WORKING_DAYS,
        holiday: Callable[[date], bool] = lambda day: False,
    ) -> None:
        self._zone = zone
        self._week = frozenset(WEEK.index(day) for day in working_days)
        self._holiday = holiday

    @classmethod
    def of(cls, person: Person) -> Calendar:
        """The calendar of a person of the directory.

        Raises CalendarError for a country, a part of it or a time zone that nobody knows.
        """
        country, subdivision = person.country, person.subdivision
        problem = country_problem(country) or subdivision_problem(country, subdivision)
        if problem := problem or zone_problem(person.time_zone):
            raise CalendarError(problem)

        def holiday(day: date) -> bool:
            return country is not None and day in _holidays(country, subdivision, day.year)

        return cls(ZoneInfo(person.time_zone), person.working_days, holiday)

    def works(self, day: date) -> bool:
        """Whether it is a working day."""
        return day.weekday() in self._week and not self._holiday(day)

    def due(self, since: datetime, within: Length) -> datetime:
        """When something asked at `since` is due, in UTC.

        The day of `since` is not counted, and the last business day counts to its end, 23:59:59
        local time. A span is plain time. Raises CalendarError where no business day comes, and
        where the calendar of years ends.
        """
        try:
            if not isinstance(within, BusinessDays):
                return within.after(since)
            return self._end(self._nth(self._day(since), within.count))
        except OverflowError:
            raise _too_far(since) from None

    def ahead_of(self, due: datetime, within: Length) -> datetime:
        """When to remind of `due`, in UTC: in the morning so many business days before its day,
        or a plain span before it. Raises CalendarError as `due` does."""
        try:
            if not isinstance(within, BusinessDays):
                return within.before(due)
            return self._at(self._nth(self._day(due), -within.count), MORNING)
        except OverflowError:
            raise _too_far(due) from None

    def left(self, stopped: datetime, due: datetime) -> int:
        """The business days after the day of `stopped`, up to the day of `due`; never below 0."""
        first, last = self._day(stopped), self._day(due)
        days = (first + n * _DAY for n in range(1, (last - first).days + 1))
        return sum(self.works(day) for day in days)

    def moved_on(
        self, due: datetime, within: Length, *, stopped: datetime, since: datetime
    ) -> datetime:
        """`due`, counted as `within`, after the clock stood still from `stopped` to `since`.

        As many business days are left at `since` as were at `stopped`; if only the rest of the
        last day was, the next business day to come. What had passed when it stopped stays so, and
        so does what would move beyond the calendar of years: no pause makes that end sooner.
        """
        if due <= stopped:
            return due
        try:
            if not isinstance(within, BusinessDays):
                return due + (since - stopped)
            lost = self.left(stopped, since)
            local = due.astimezone(self._zone)
            moved = due
            if lost:
                moved = self._at(self._nth(local.date(), lost), local.time())
            if moved > since:
                return moved
            return self._end(self._nth(self._day(since) - _DAY, 1))
        except OverflowError:
            return due

    def start_of(self, day: date) -> datetime:
        """The first moment of a local day, in UTC. At the edges of the calendar of years it is
        that of the last day which is an instant everywhere."""
        return self._at(min(max(day, _FIRST), _LAST), time())

    def instants(self, absence: Absence) -> tuple[datetime, datetime]:
        """An absence as instants: from the start of its first day to the end of its last."""
        return self.start_of(absence.start), self.start_of(min(absence.end, _LAST) + _DAY)

    def _day(self, instant: datetime) -> date:
        try:
            return instant.astimezone(self._zone).date()
        except OverflowError:  # at the edge of the calendar, where another zone has no day
            return instant.date()

    def _at(self, day: date, clock: time) -> datetime:
        # Where a clock is set back, a time comes twice: the first is meant. Where it is set
        # forward, a time that never comes is as long after the change as it was written.
        return datetime.combine(day, clock, self._zone).astimezone(UTC)

    def _end(self, day: date) -> datetime:
        """A second before the next day, so that an hour which comes twice is there in full."""
        return self._at(day + _DAY, time()) - timedelta(seconds=1)

    def _nth(self, day: date, count: int) -> date:
        """The business day so many after `day`; before it, if negative."""
        step = _DAY if count > 0 else -_DAY
        gap = 0
        while count:
            day, gap = day + step, gap + 1
            if self.works(day):
                count, gap = count - (1 if count > 0 else -1), 0
            elif gap >= _LONGEST_GAP:
                raise CalendarError(
                    f"there is no working day within {gap} days of {day - gap * step}: holidays "
                    "fill the working week; name more working_days"
                )
        return day


def country_problem(country: str | None) -> str:
    """Why a country cannot be used, what is meant instead; empty if it can, or is not given."""
    if country is None or country in _countries():
        return ""
    hint = _meant(country.upper()[:2], tuple(_countries())) if country else ""
    return f"no holidays are known of a country {country!r}; use two letters as DE or US{hint}"


def subdivision_problem(country: str | None, subdivision: str | None) -> str:
    """Why a part of a country cannot be used; empty if it can, or is not given."""
    if subdivision is None:
        return ""
    if country is None:
        return f"subdivision {subdivision!r} belongs to no country; give the country, too"
    known = _countries().get(country)
    if known is None or subdivision in known:
        return ""
    parts = f"it has {', '.join(known)}" if known else "its holidays are the same everywhere"
    return f"country {country} has no part {subdivision!r}; {parts}; use one, or leave it out"


def zone_problem(name: str) -> str:
    """Why a time zone cannot be used; empty if it can."""
    known = _zones()
    if name in known:
        return ""
    hint = _meant(name, tuple(sorted(known)))
    return f"there is no time zone {name!r}; use an IANA name as Europe/Berlin or UTC{hint}"


def _meant(name: str, known: tuple[str, ...]) -> str:
    close = get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else ""


def _too_far(instant: datetime) -> TooFar:
    return TooFar(
        f"counted from {instant:%Y-%m-%d} it is beyond the years there are; use a shorter span"
    )


@lru_cache(maxsize=1)
def _countries() -> dict[str, list[str]]:
    """Country → its parts. Read once: the library loads every country for it."""
    from holidays import list_supported_countries  # noqa: PLC0415 - takes a fifth of a second

    return list_supported_countries(include_aliases=False)


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


@lru_cache(maxsize=4096)
def _holidays(country: str, subdivision: str | None, year: int) -> frozenset[date]:
    """The public holidays of one year, observed days included.

    Made anew for each year and kept: the library's own objects grow while they are read, which
    threads must not share. Its neighbours are asked as well: a New Year's Day on a Saturday may
    be observed in December.
    """
    from holidays import country_holidays  # noqa: PLC0415 - as above

    years = range(year - 1, year + 2)
    found = country_holidays(country, subdiv=subdivision, years=years)
    return frozenset(day for day in found if day.year == year)
