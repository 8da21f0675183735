"""`phasegate events list|retry`: the record, and what of it could not be delivered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from commands.options import Format, Key, Output, Whole

if TYPE_CHECKING:
    from commands.output import Grid
    from ledger import Delivery, Entry, Ledger
    from phasegate.events import Announcement


def list_(
    key: Key,
    /,
    *,
    types: Annotated[
        list[str] | None, Parameter(name="--type", negative=(), help="Only events of this type")
    ] = None,
    after: Annotated[Whole, Parameter(help="Only events after this number")] = 0,
    dead: Annotated[
        bool,
        Parameter(negative=(), help="Only what was given up: dead letters, one for each receiver"),
    ] = False,
    output: Output = "table",
) -> None:
    """A product's events, oldest first. No server is asked."""
    from client.settings import Settings
    from commands.output import Grid, emit, note
    from commands.parsing import key_of
    from ledger import Ledger

    key = key_of(key)
    ledger = Ledger(Settings.load().ledger_url)
    if dead:
        _list_dead(ledger, key, types or (), after, output)
        return
    entries = ledger.events(key, after, types or None)
    if not entries:
        known = sorted({entry.announcement.type for entry in ledger.events(key)})
        among = f"; of these types there are some: {', '.join(known)}" if known else ""
        note(f"no such events of {key} in this ledger{among}")
    documents = [event_document(entry) for entry in entries]
    rows = [
        (e.seq, f"{a.at:%Y-%m-%d %H:%M:%S} UTC", a.type, a.actor, _said(a))
        for e in entries
        for a in [e.announcement]
    ]
    emit(documents, lambda: [Grid(("n", "at", "type", "who", "what"), rows)], output)


async def retry(
    key: Key,
    event: Annotated[
        str | None, Parameter(help="The event's id, or its number; all of them if unset")
    ] = None,
    /,
    *,
    receiver: Annotated[
        str | None, Parameter(help="Only what this receiver was to get; see events list --dead")
    ] = None,
    output: Output = "table",
) -> None:
    """Try again what was given up. It goes out before what is new, with the same id."""
    from client import deliveries
    from client.engine import Engine
    from commands.output import emit, note
    from commands.parsing import key_of

    key = key_of(key)
    chosen, back = await deliveries.retry(await Engine.connect(), key, event, receiver)
    for name in back:
        note(f"{name} was gone; it is asked again")
    if not chosen:
        note(f"nothing of {key} was given up")
    emit([_letter(item) for item in chosen], lambda: [_letters(chosen)], output)


def _list_dead(ledger: Ledger, key: str, types: Sequence[str], after: int, output: Format) -> None:
    from client.deliveries import undelivered
    from commands.output import cell, emit, note

    found = undelivered(ledger, key)
    wanted = [item for item in found.dead if item.seq > after]
    if types:
        of_type = {entry.seq for entry in ledger.events(key, after, types)}
        wanted = [item for item in wanted if item.seq in of_type]
    if not wanted:
        note(f"nothing of {key} was given up")
    for late in found.late:
        note(f"{late.receiver} takes nothing since {cell(late.since)}, is tried again: {late.why}")
    for receiver, at in found.gone.items():
        note(f"{receiver} said on {cell(at)} that it takes nothing any more (410)")
    emit([_letter(item) for item in wanted], lambda: [_letters(wanted)], output)


def _letter(item: Delivery) -> dict[str, Any]:
    return {"schema_version": 1, **vars(item)}


def _letters(items: Sequence[Delivery]) -> Grid:
    from commands.output import Grid, cell

    rows = [(i.seq, i.receiver, i.state, cell(i.at), i.event, i.why) for i in items]
    return Grid(("n", "receiver", "state", "at", "event", "why"), rows)


def _said(announcement: Announcement) -> str:
    comment = announcement.data.get("comment")
    return f"{announcement.text}: {comment}" if comment else announcement.text


def event_document(entry: Entry) -> dict[str, Any]:
    """An event for machines."""
    return {
        "schema_version": 1,
        "seq": entry.seq,
        **entry.announcement.model_dump(mode="json"),
        "hash": entry.hash,
        "prev_hash": entry.prev_hash,
    }


def event_line(entry: Entry) -> str:
    """An event on one line."""
    from commands.output import cell

    said = entry.announcement
    who = f" [{said.actor}]" if said.actor else ""
    return cell(f"{said.at:%Y-%m-%d %H:%M:%S} UTC {said.type}{who} {said.text}")
