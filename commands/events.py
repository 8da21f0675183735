"""`phasegate events list`: the record, from the ledger; no server is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from commands.options import Key, Output

if TYPE_CHECKING:
    from ledger import Entry
    from phasegate.events import Announcement


def list_(
    key: Key,
    /,
    *,
    types: Annotated[
        list[str] | None, Parameter(name="--type", negative=(), help="Only events of this type")
    ] = None,
    after: Annotated[int, Parameter(help="Only events after this number")] = 0,
    output: Output = "table",
) -> None:
    """A product's events, oldest first."""
    from client.settings import Settings
    from commands.output import Grid, emit, note
    from commands.parsing import key_of
    from ledger import Ledger

    key = key_of(key)
    ledger = Ledger(Settings.load().ledger_url)
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
