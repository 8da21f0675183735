"""Rights that people used at a gate, and what was refused to them."""

from __future__ import annotations

from datetime import datetime

from phasegate.audit.context import Place
from phasegate.audit.past import Past
from phasegate.audit.telling import Telling, Told
from phasegate.directory import Directory, Permission
from phasegate.views import GateView

_PERMITTED = {
    "gate.extended": Permission.extend,
    "gate.overridden": Permission.override,
}

# -- permissions ----------------------------------------------------------------------------------


def check_right(place: Place, said: Told, past: Past) -> None:
    """The permission of whoever extends or overrides."""
    if permission := _PERMITTED.get(said.type):
        check_permission(place, said, permission, past)


def check_permission(place: Place, said: Told, permission: Permission, past: Past) -> None:
    directory = _named(place, said)
    if directory is None:
        return
    if permission not in directory.permissions(said.actor, past.tier_at(said.at)):
        text = f"{said.actor} may not {permission} by the directory {said.text('directory')}"
        place.fault(said, text, said.actor)


def check_reassigner(place: Place, said: Told, past: Past) -> None:
    directory = _named(place, said)
    if directory is None:
        return
    manages = said.actor in directory.managers(said.text("approver"))
    if not manages and Permission.reassign not in directory.permissions(
        said.actor, past.tier_at(said.at)
    ):
        text = f"{said.actor} may not give {said.text('approver')}'s seat to anybody"
        place.fault(said, text, said.actor)


def _named(place: Place, said: Told) -> Directory | None:
    """The directory by which somebody was permitted; early releases did not name it."""
    digest = said.text("directory")
    found = place.context.directory(digest) if digest else None
    if found is None:
        why = f"the directory {digest} is not in the record" if digest else "it names no directory"
        place.unchecked(said.seq, f"whether {said.actor} may do that: {why}", said.actor)
    return found


# -- days and refusals ----------------------------------------------------------------------------


def first_due(telling: Telling, person: str, before: int) -> datetime | None:
    """The earliest day by which somebody was ever to answer; None where none is told."""
    found = []
    for said in telling.said:
        respond = said.data.get("respond")
        if said.seq < before and isinstance(respond, dict) and isinstance(respond.get(person), str):
            try:
                found.append(datetime.fromisoformat(respond[person]))
            except ValueError:
                continue
    return min((at for at in found if at.tzinfo), default=None)


def compare_refusals(place: Place, telling: Telling, end: Told, view: GateView) -> None:
    """Every refusal of the decision's view was announced, and the other way round."""
    said = [
        (one.actor, one.text("code"), one.event.text)
        for one in telling.of("gate.refused")
        if one.seq < end.seq and not one.shortened
    ]
    shown = [(one.actor, one.code, f"{one.what}: {one.why}") for one in view.refused]
    if end.erased or any(one.erased for one in telling.of("gate.refused")):
        said = [(actor, code, "") for actor, code, _ in said]
        shown = [(actor, code, "") for actor, code, _ in shown]
    for one in shown:
        if one not in said:
            text = f"an attempt of {one[0]} was refused ({one[1]}), and the record lacks its entry"
            place.differ(end, text, one[0])
            return
        said.remove(one)
    for one in said:
        text = f"an attempt of {one[0]} was refused ({one[1]}), and the decision does not show it"
        place.differ(end, text, one[0])
        return
