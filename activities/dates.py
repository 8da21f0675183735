"""Due dates of gates as calendar entries (RFC 5545), which a moved date updates (RFC 5546)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256

from icalendar import Calendar, Event

from activities.known_people import Concerned
from phasegate.concern import Ask
from phasegate.letters import Item, answer

LENGTH = timedelta(minutes=30)
"""A due date is shown as the half hour before it."""


def calendar(found: Sequence[Concerned], *, over: bool = False) -> bytes | None:
    """One calendar with the dates by which somebody has to vote; None if there are none.

    An entry is known by product, gate, round and person; the place in the ledger counts up, so that
    a later one replaces it. With `over`, those that nobody has to keep any more (CANCEL).
    """
    latest: dict[str, Concerned] = {}
    for item in found:
        concern = item.concern
        dated = concern.over if over else concern.ask is Ask.vote and concern.due is not None
        if dated and item.entry.announcement.data.get("gate"):
            latest[_uid(item)] = item
    if not latest:
        return None
    written = Calendar()
    written.add("prodid", "-//phasegate//phasegate//EN")
    written.add("version", "2.0")
    written.add("method", "CANCEL" if over else "PUBLISH")
    for uid, item in latest.items():
        written.add_component(_event(uid, item, over=over))
    return bytes(written.to_ical())


def _uid(item: Concerned) -> str:
    said = item.entry.announcement
    place = [said.product, said.data.get("gate"), said.data.get("round"), item.concern.person]
    return sha256("/".join(map(str, place)).encode()).hexdigest()[:32] + "@phasegate"


def _event(uid: str, item: Concerned, *, over: bool) -> Event:
    said, concern = item.entry.announcement, item.concern
    due = concern.due or said.at
    event = Event()
    event.add("uid", uid)
    event.add("sequence", item.entry.seq)
    event.add("dtstamp", said.at)
    event.add("dtstart", due - LENGTH)
    event.add("dtend", due)
    event.add("summary", f"{item.product.name or said.product}: vote on {said.data['gate']}")
    event.add("transp", "TRANSPARENT")
    if over:
        event.add("status", "CANCELLED")
    else:
        shown = Item(event=said, concern=concern, name=item.product.name)
        event.add("description", answer(shown))
    return event
