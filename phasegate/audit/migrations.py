"""Another policy for a product: who put it there might, and what was open had a right to go on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from phasegate.audit.context import Place
from phasegate.audit.past import Past
from phasegate.audit.rights import check_permission
from phasegate.audit.telling import Telling, Told
from phasegate.directory import Permission
from phasegate.hands import hands_told
from phasegate.policy import Policy
from phasegate.policy_meaning import same_gate

Turns = Iterable[tuple[datetime, str, str]]
Opened = Mapping[tuple[str, int], Telling]


def check_migration(
    place: Place, said: Told, past: Past, phase: str, turns: Turns, rounds: Opened
) -> Mapping[str, str]:
    """Check it; what phases of the policy before are called in the new one."""
    check_permission(place, said, Permission.migrate, past)
    hands = hands_told(one.event for one in past.hands if one.at <= said.at)
    hands |= {one.owner: "owned it" for one in past.defined if one.at <= said.at}
    if why := hands.get(said.actor):
        place.fault(said, f"{said.actor} put it under another policy, and {why}", said.actor)
    left = [digest for since, digest in past.policies if since < said.at]
    if said.text("from") != (left[-1] if left else ""):
        place.differ(said, "it leaves another policy than the one that the product was under")
    _check_open(place, said, rounds)
    moved = _moved(said)
    old = place.context.documents.policy(said.text("from"))
    new = place.context.documents.policy(said.text("policy_digest"))
    if old is None or new is None:
        gone = said.text("from") if old is None else said.text("policy_digest")
        place.unchecked(said.seq, f"the policy {gone} is not in the record")
        return moved
    _check_phase(place, said, moved.get(phase, phase), new)
    _check_round(place, said, old, new, turns)
    return moved


def _moved(said: Told) -> dict[str, str]:
    found = said.data.get("phases")
    return {str(old): str(new) for old, new in found.items()} if isinstance(found, dict) else {}


def _check_phase(place: Place, said: Told, phase: str, new: Policy) -> None:
    if said.text("phase") != phase:
        place.differ(said, f"it goes on in {said.text('phase')}, and was to be in {phase}")
    elif phase not in {one.id for one in new.phases}:
        place.fault(said, f"it goes on in {phase}, which its new policy does not have")


def _check_open(place: Place, said: Told, rounds: Opened) -> None:
    """It says what became of every round that was open then."""
    on = said.data.get("goes_on")
    known = (on.get("gate"), on.get("round")) if isinstance(on, dict) else ()
    for key, telling in rounds.items():
        over = telling.end is not None and telling.end.at <= said.at
        if telling.said[0].at < said.at and not over and key != known:
            text = f"round {key[1]} of {key[0]} was open, and it does not say what became of that"
            place.differ(said, text)


def _check_round(place: Place, said: Told, old: Policy, new: Policy, turns: Turns) -> None:
    """A round goes on only where its gate asks the same; one that was stopped had not decided."""
    on, stopped = said.data.get("goes_on"), said.data.get("stopped")
    if isinstance(on, dict) and not same_gate(old, new, str(on.get("gate"))):
        text = f"round {on.get('round')} of {on.get('gate')} goes on, and the new policy asks "
        place.fault(said, f"{text}something else there")
    if isinstance(stopped, dict):
        gate = str(stopped.get("gate"))
        came = [outcome for when, of, outcome in turns if of == gate and when <= said.at]
        if not came or came[-1] != "abandoned":
            text = f"round {stopped.get('round')} of {gate} was stopped for it"
            place.differ(said, f"{text}, and came to {came[-1] if came else 'nothing yet'}")
