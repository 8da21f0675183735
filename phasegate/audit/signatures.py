"""Signatures: each is good, and says just what the entry that has it says."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import timedelta
from typing import Any

from pydantic import ValidationError

from phasegate.audit.context import Place
from phasegate.audit.past import Past
from phasegate.audit.telling import Told
from phasegate.base import canonical
from phasegate.gate import Gate
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

_AHEAD = timedelta(minutes=15)


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
        "policy": past.policy_at(said.at),
    }
    for name, value in expected.items():
        if statement.get(name) != value:
            return f"its {name} is {statement.get(name)!r}, and here it is {value!r}"
    request = statement["request"]
    if request.get("approver" if action == "vote" else "actor") != said.actor:
        return "somebody else says it"
    if abs(signed.at - said.at) > _AHEAD:
        return "it was judged at another time"
    return _other_request(action, said, request)


def _other_request(action: str, said: Told, request: dict[str, Any]) -> str:
    """Of a request the record has what was asked; defaults are left out of a statement."""
    data = said.data
    for name in ("comment", "vote", "scores", "revision", "criterion", "state", "score", "to",
                 "outcome", "reason", "request_id"):  # fmt: skip
        if name not in data and name not in request:
            continue
        if name not in data:  # events have no reasons but in their texts
            continue
        if (request.get(name) or None) != (data[name] or None):
            return f"its {name} is another"
    if action == "reassign" and request.get("approver") != data.get("approver"):
        return "it is about somebody else"
    if "conditions" in data and (request.get("conditions") or []) != _as_signed(data["conditions"]):
        return "its conditions are others"
    whose = request.get("on_behalf_of")
    # The seat may have been given to somebody else, whose vote it is then.
    if action == "vote" and whose and not data.get("on_behalf_of") and whose != said.actor:
        return "it is said for somebody else"
    return ""


def _as_signed(conditions: Any) -> Any:
    """Promises as a statement has them: without what is left at its default."""
    if not isinstance(conditions, list):
        return conditions
    return [
        {name: value for name, value in promise.items() if value not in (None, "", [])}
        for promise in conditions
        if isinstance(promise, dict)
    ]
