"""Who says what at an open gate: of everybody whom the gate itself says it waits for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from phasegate.rehearsal_acts import Act, Key
from phasegate.rehearsal_cast import Cast
from phasegate.views import GateView, PendingView

SCORE = 8
"""What a yes gives each should-criterion that approvers judge, of 10."""


def answers(
    view: GateView, cast: Cast, first_seen: dict[Key, datetime], now: datetime
) -> Iterator[Act]:
    """The votes and attestations that are to come; nothing of people who never say anything.

    `first_seen` keeps since when somebody may act for another, which no gate says.
    """
    if view.status != "open" or view.decided_at is not None:
        return
    for pending in view.pending:
        yield from _votes(view, pending, cast, first_seen, now)
    for criterion in view.criteria:
        if criterion.waits_for:
            key: Key = ("attest", view.gate, str(view.round), criterion.id, view.revision)
            since = first_seen.setdefault(key, now)
            asked = [
                (
                    cast.answer_at(person, (), view.gate, "/".join(key), since, view.respond_due),
                    person,
                )
                for person in criterion.waits_for
                if cast.word(person, (), view.gate, "/".join(key)) != "never"
            ]
            for at, person in sorted(asked)[:1]:
                yield Act(key, "attest", at, person, criterion.id, view.gate, "met")


def _votes(
    view: GateView,
    pending: PendingView,
    cast: Cast,
    first_seen: dict[Key, datetime],
    now: datetime,
) -> Iterator[Act]:
    groups = pending.group.split(", ")
    scored = tuple(
        c.id
        for c in view.criteria
        if c.kind == "should" and not (c.milestone or c.expression or c.attested_by)
    )
    for person in (pending.approver, *pending.acting):
        own = person == pending.approver
        # By number: the instant would differ by what the server was late, and with it the draw.
        nth = _nth(first_seen, view, pending)
        key: Key = ("vote", view.gate, str(view.round), pending.approver, person, nth)
        since = pending.since if own else first_seen.setdefault(key, now)
        place = "/".join(key)
        word = cast.word(person, groups, view.gate, place)
        if word == "never":
            continue
        at = cast.answer_at(person, groups, view.gate, place, since, pending.respond_due)
        yield Act(
            key,
            "vote",
            at,
            person,
            gate=view.gate,
            word=word,
            on_behalf_of="" if own else pending.approver,
            scored=scored if word in ("go", "conditional-go") else (),
        )


def _nth(first_seen: dict[Key, datetime], view: GateView, pending: PendingView) -> str:
    """The how-manieth time they are asked in this round."""
    asked: Key = ("asked", view.gate, str(view.round), pending.approver)
    first_seen.setdefault((*asked, pending.since.isoformat()), pending.since)
    return str(sum(key[:4] == asked for key in first_seen))
