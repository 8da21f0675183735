"""The dates of a sunset as a calendar (RFC 5545), which a later one updates (RFC 5546)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from icalendar import Alarm, Calendar, Event

from phasegate.deprecation import address
from phasegate.public_sunset import PublicDate, PublicSunset, is_day
from phasegate.sunset_notice import MEANS

DAY = timedelta(days=1)
NOTICE = "public-notice"
DELETION = "deletion"


def calendar_of(facts: PublicSunset) -> bytes:
    """Every date with its reminders as alarms; of what is left out or withdrawn, the cancellation.

    An entry is known by product, sunset and task, and its SEQUENCE grows when dates move: who
    takes the calendar again has each date once, on its new day.
    """
    over = facts.standing == "withdrawn"
    written = Calendar()
    written.add("prodid", "-//phasegate//phasegate//EN")
    written.add("version", "2.0")
    written.add("method", "CANCEL" if over else "PUBLISH")
    for date in _dates(facts):
        written.add_component(_event(facts, date, over=over))
    for date in facts.left_out:
        written.add_component(_event(facts, date, over=True))
    return bytes(written.to_ical())


def _dates(facts: PublicSunset) -> Iterator[PublicDate]:
    yield PublicDate(id=NOTICE, title="Public notice", at=facts.notice_at)
    yield from facts.dates
    if facts.deletion_at:
        yield PublicDate(id=DELETION, title="Data is deleted from now on", at=facts.deletion_at)


def _event(facts: PublicSunset, date: PublicDate, *, over: bool) -> Event:
    event = Event()
    event.add("uid", _uid(facts, date))
    event.add("sequence", facts.revision)
    event.add("dtstamp", facts.changed_at)
    if is_day(date.at):
        event.add("dtstart", date.at.astimezone(UTC).date())
        event.add("dtend", date.at.astimezone(UTC).date() + DAY)
    else:
        event.add("dtstart", date.at.astimezone(UTC))
    summary = _line(f"{facts.name}: {date.label}")
    event.add("summary", summary)
    event.add("transp", "TRANSPARENT")
    if over:
        event.add("status", "CANCELLED")
        return event
    event.add("status", "CONFIRMED" if facts.standing == "announced" else "TENTATIVE")
    if means := MEANS.get(date.marks):
        event.add("description", f"{means[0].upper()}{means[1:]}.")
    if url := facts.named("notice", "sunset", "migration"):
        event.add("url", address(url))
    for reminder in date.reminders:
        event.add_component(_alarm(summary, date.at, reminder))
    return event


def _line(text: str) -> str:
    """Without control characters, which RFC 5545 (section 3.1) lets be in no text."""
    return "".join(char for char in " ".join(text.split()) if char.isprintable())


def _uid(facts: PublicSunset, date: PublicDate) -> str:
    place = f"{facts.product}/sunset/{facts.number}/{date.id}"
    return sha256(place.encode()).hexdigest()[:32] + "@phasegate"


def _alarm(summary: str, at: datetime, reminder: datetime) -> Alarm:
    """So long before the beginning of the entry; of a whole day, the same time before that day."""
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", summary)
    alarm.add("trigger", reminder - at)
    return alarm
