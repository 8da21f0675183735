"""Signatures: each is good, and says just what the entry that has it says."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError

from phasegate.audit.context import Place
from phasegate.audit.past import Past
from phasegate.audit.telling import Told, round_of
from phasegate.base import canonical
from phasegate.gate import Gate
from phasegate.signed_words import AHEAD, BEHIND
from phasegate.signing import Signed

ACTIONS = {
    "gate.vote": "vote",
    "gate.advice": "vote",
    "gate.withdrawn": "withdraw",
    "gate.delegated": "delegate",
    "gate.reassigned": "reassign",
    "gate.attested": "attest",
    "gate.needs-work": "needs_work",
    "gate.extended": "extend",
    "gate.overridden": "override",
}
"""What is signed where a gate demands it, by the type of the event."""

_LATER = timedelta(minutes=15)
"""How far the instant for which a key was judged may be from that of the entry."""


def check_signature(
    place: Place, gate: Gate, said: Told, past: Past, signers: Collection[str] = ()
) -> None:
    """A word that has to be signed is, by a key that the directory had, and says just this.

    Who has signed something in a round (`signers`) goes on to.
    """
    action, found = ACTIONS.get(said.type), said.data.get("signed")
    if action is None:
        return
    if not found:
        if said.actor in signers:
            place.differ(said, f"{said.actor} did not sign it, and had signed before", said.actor)
        elif gate.assurance == "signed":
            place.fault(said, f"{said.actor} did not sign it, and the gate demands it", said.actor)
        elif said.data.get("assurance") == "signed":
            place.fault(said, "it is said to be signed, and has no signature", said.actor)
        return
    if said.erased:
        place.unchecked(
            said.seq, "words of it were erased: its signature cannot be checked", said.actor
        )
        return
    try:
        signed = Signed.model_validate(found)
        statement = json.loads(signed.statement)
    except (ValidationError, ValueError, RecursionError):
        place.fault(said, "its signature cannot be read", said.actor)
        return
    if why := _other_words(place, action, said, signed, statement, past):
        place.fault(said, f"what {said.actor} signed is something else: {why}", said.actor)
        return
    directory = place.context.directory(signed.directory)
    if directory is None or directory.directory != past.directory:
        place.fault(said, f"the directory {signed.directory} of its key is not there", said.actor)
        return
    person = directory.people.get(said.actor)
    problem = place.context.signature(
        signed.statement, signed.signature, said.actor, person.keys if person else (), signed.at
    )
    if problem:
        place.fault(said, f"the signature of {said.actor} is not good: {problem}", said.actor)
    else:
        place.context.report.signatures += 1


def _other_words(
    place: Place, action: str, said: Told, signed: Signed, statement: Any, past: Past
) -> str:
    """How the statement differs from what the entry says; empty if it does not."""
    if not isinstance(statement, dict) or not isinstance(statement.get("request"), dict):
        return "it is no statement"
    if canonical(statement).decode() != signed.statement:
        return "it is not written as statements are"
    expected = {
        "statement": "phasegate/1",
        "action": action,
        "product": place.context.product,
        "gate": place.gate,
        "round": place.round,
        "policy": _policy(place, said, past),
    }
    for name, value in expected.items():
        if statement.get(name) != value:
            return f"its {name} is {statement.get(name)!r}, and here it is {value!r}"
    request = statement["request"]
    if request.get("approver" if action == "vote" else "actor") != said.actor:
        return "somebody else says it"
    if abs(signed.at - said.at) > _LATER:
        return "it was judged at another time"
    when = signed_when(said)
    if when is None or not signed.at - BEHIND <= when <= signed.at + AHEAD:
        return "it was signed at another time"
    return _other_request(action, said, request)


def _policy(place: Place, said: Told, past: Past) -> str:
    """Of a round that it was said in, or of the product, which overrides one that is over."""
    if round_of(said) is None:
        return past.policy_at(said.at)
    return past.policy_of(place.gate, place.round, said.at)


def signed_when(said: Told) -> datetime | None:
    """When its signer says that it was signed; None where that cannot be read."""
    try:
        request = json.loads(said.data["signed"]["statement"])["request"]
        found = datetime.fromisoformat(request["signed_at"])
    except (LookupError, TypeError, ValueError, RecursionError):
        return None
    return found if found.tzinfo else None


_SAID: dict[str, tuple[str, ...]] = {
    "vote": ("vote", "comment", "scores", "revision", "request_id"),
    "withdraw": ("on_behalf_of",),
    "delegate": ("to", "start", "end"),
    "reassign": ("approver", "to"),
    "attest": ("criterion", "state", "score", "revision"),
    "extend": ("resolve",),
    "override": ("outcome", "reason"),
    "needs_work": (),
}
"""Of what is asked, what its entry has under the same name."""


def _other_request(action: str, said: Told, request: dict[str, Any]) -> str:
    """Where the entry says something else than what was asked. Defaults are left out of a
    statement, and an early entry may lack what later ones have."""
    data = said.data
    for name in _SAID[action]:
        if name in data and not _same(request.get(name), data[name]):
            return f"its {name} is another"
    for name in ("note", "what"):  # entries have these in their texts
        if str(request.get(name) or "") not in said.event.text:
            return f"its {name} is another"
    if action == "vote":
        return _other_vote(data, said.actor, request)
    return ""


def _other_vote(data: dict[str, Any], actor: str, request: dict[str, Any]) -> str:
    if "conditions" in data and (request.get("conditions") or []) != _as_signed(data["conditions"]):
        return "its conditions are others"
    # What is signed names the seat: nobody else finds out for the signer whose it is.
    if (request.get("on_behalf_of") or actor) != (data.get("on_behalf_of") or actor):
        return "it is said for somebody else"
    return ""


def _same(asked: Any, kept: Any) -> bool:
    """Also where one is an instant in another spelling, or left at its default."""
    if isinstance(asked, str) and isinstance(kept, str) and asked != kept:
        try:
            return datetime.fromisoformat(asked) == datetime.fromisoformat(kept)
        except (ValueError, TypeError):
            return False
    return (asked or None) == (kept or None)


def _as_signed(conditions: Any) -> Any:
    """Promises as a statement has them: without what is left at its default."""
    if not isinstance(conditions, list):
        return conditions
    return [
        {name: value for name, value in promise.items() if value not in (None, "", [])}
        for promise in conditions
        if isinstance(promise, dict)
    ]
