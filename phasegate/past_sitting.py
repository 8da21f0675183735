"""A round as a retrospective tells of it: what it came to, who said what, and who was refused."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pydantic import ValidationError

from phasegate.events import Announcement
from phasegate.figures import days
from phasegate.past_round import ENDS, PastRound
from phasegate.pauses import Pauses, net
from phasegate.retrospective_view import Overruling, RoundStory
from phasegate.views import GateView


def round_of(
    held: PastRound, title: str, events: Sequence[Announcement], holds: Pauses
) -> RoundStory:
    """The story of one round, from what its product's events say of it."""
    own = list(_own(held, events))
    view = _view(own)
    end = held.ended_at or max((event.at for event in own), default=held.opened_at)
    outcome = held.outcome or ("open" if held.ended_at is None else "abandoned")
    return RoundStory(
        gate=held.gate,
        title=(view.title if view else "") or title,
        round=held.round,
        opened_at=held.opened_at,
        ended_at=held.ended_at,
        days=days(net(held.opened_at, end, holds)),
        outcome=outcome,
        why=held.why,
        submitter=_submitter(own),
        escalations=len(held.escalated),
        overridden_by=view.override.actor if view and view.override else "",
        overruled=[
            Overruling(
                at=event.at,
                by=event.actor,
                before=str(event.data["from"]),
                after=str(event.data.get("to")),
                reason=str(event.data.get("reason") or event.text),
            )
            for event in own
            if event.type == "gate.overridden" and "from" in event.data
        ],
        refusals=_refusals(own, view),
        view=view,
    )


def refusals_of(events: Iterable[Announcement]) -> int:
    """Attempts that were refused and recorded, by anybody, anywhere."""
    return sum(event.type.endswith(".refused") for event in events)


def _own(held: PastRound, events: Sequence[Announcement]) -> Iterator[Announcement]:
    return (
        event
        for event in events
        if event.type.startswith("gate.")
        and event.data.get("gate") == held.gate
        and event.data.get("round") == held.round
    )


def _view(own: Sequence[Announcement]) -> GateView | None:
    """As the round ended; the last end is the one that counts."""
    for event in reversed(own):
        if event.type in ENDS and "view" in event.data:
            try:
                return GateView.model_validate(event.data["view"])
            except ValidationError:
                return None
    return None


def _submitter(own: Sequence[Announcement]) -> str:
    opened = [event for event in own if event.type == "gate.opened"]
    return opened[-1].actor if opened else ""


def _refusals(own: Sequence[Announcement], view: GateView | None) -> int:
    if view is None:
        return refusals_of(own)
    return len(view.refused) + view.refused_more
