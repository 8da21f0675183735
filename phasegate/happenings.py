"""What happens outside: events as `phasegate serve` takes them, and the milestones they meet."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints

from phasegate.base import Slug, Wire, canonical
from phasegate.check import EventCheck
from phasegate.errors import Rejected
from phasegate.lifecycle import Lifecycle
from phasegate.milestones import Milestone, MilestoneStatus
from phasegate.placeholders import names_in
from phasegate.pseudonyms import PLAIN, Names
from phasegate.requests import RequestId
from phasegate.search import event_key, event_keys

SHOWN = 200
"""Characters of what a sender writes that announcements and milestones keep."""


def _printable(text: str) -> str:
    """What CloudEvents allow in an attribute (spec 1.0.2, "Type System"): no control characters."""
    if any(mark < " " or "\x7f" <= mark <= "\x9f" for mark in text):
        raise ValueError("holds a control character")
    return text


Attribute = Annotated[
    str, StringConstraints(min_length=1, max_length=2000), AfterValidator(_printable)
]
"""A text that a sender chose."""


class Happening(Wire):
    """One event, without its data: what tells it from others, and what it is about.

    `source` is the name in the integrations file, `origin` the CloudEvent's own source attribute:
    by the CloudEvents specification (1.0.2, "source") a producer's ids are unique for that only.
    """

    source: Slug
    origin: Attribute
    type: Attribute
    subject: Attribute | None = None
    id: Attribute

    def keys(self, names: Names = PLAIN) -> list[str]:
        """What a product that waits for it has in its search attribute."""
        return event_keys(self.source, self.type, self.subject, names)

    def told(self) -> str:
        """It in a few words, for people."""
        about = f" about {self.subject[:SHOWN]}" if self.subject else ""
        return f"{self.source} says {self.type[:SHOWN]}{about} ({self.id[:SHOWN]})"

    def shown(self) -> dict[str, str]:
        """What the ledger keeps of it."""
        named = {"source": self.source, "origin": self.origin, "type": self.type, "id": self.id}
        return {name: text[:SHOWN] for name, text in named.items()} | {
            "subject": (self.subject or "")[:SHOWN]
        }


class EventRequest(Happening):
    """An event, for one milestone. Whoever delivers it again makes the same request."""

    milestone: Slug
    request_id: RequestId = Field(description="see `of`")

    @classmethod
    def of(cls, event: Happening, milestone: str) -> EventRequest:
        """The request that tells a milestone of an event: always the same id for the same two."""
        return cls(
            **event.model_dump(include=set(Happening.model_fields)),
            milestone=milestone,
            request_id=request_id(event, milestone),
        )

    @property
    def actor(self) -> str:
        """Nobody of the directory: a colon is in no person's name."""
        return f"source:{self.source}"

    @property
    def key(self) -> str:
        return f"{self.actor}/{self.request_id}"


def request_id(event: Happening, milestone: str) -> str:
    """What tells this event, for this milestone, from all others."""
    return sha256(canonical([event.source, event.origin, event.id, milestone])).hexdigest()[:40]


class Wait(Wire):
    """A milestone that waits for an event, or did: `told` means that this very event met it."""

    milestone: str
    when: str = Field("", description="a CEL expression; empty if any such event will do")
    state: Literal["open", "told", "settled"]


class Awaiting(Wire):
    """Which milestones of a product an event may meet. `product` is what expressions may ask."""

    product: dict[str, Any]
    waits: list[Wait]


def waits_for(check: EventCheck, event: Happening) -> bool:
    """Whether a check is about events like this one; its expression is another question."""
    same = (check.source, check.type) == (event.source, event.type)
    return same and check.subject in (None, event.subject)


def listening(state: Lifecycle) -> Iterator[tuple[Milestone, EventCheck]]:
    """The milestones that events may meet now: of the phase the product is in, and no other.

    In the sunset these are those of the phase before it, for which its gates may ask. One whose
    subject the product could not fill is about nothing, and waits to be waived.
    """
    if not state.status.is_final and not state.entering:
        for milestone in state.here():
            check = milestone.check
            if isinstance(check, EventCheck) and not names_in(check.subject or ""):
                yield milestone, check


def listened_for(state: Lifecycle, names: Names = PLAIN) -> list[str]:
    """The keys of what a product waits for, the open ones first.

    Those that were met stay until the phase ends: a delivery that is repeated finds them, and its
    sender hears that it was told before.
    """
    open_, met = dict[str, None](), dict[str, None]()
    for milestone, check in listening(state):
        key = event_key(check.source, check.type, check.subject, names)
        if not milestone.state.settled:
            open_[key] = None
        elif milestone.state is MilestoneStatus.met:
            met[key] = None
    return list(open_ | met)


def awaited(state: Lifecycle, event: Happening) -> Awaiting:
    """What the product says of an event."""
    product = state.product
    return Awaiting(
        product={
            "key": product.key,
            "name": product.name,
            "owner": product.owner,
            "tier": product.tier,
        },
        waits=[
            Wait(milestone=m.id, when=check.when or "", state=_state(state, event, m))
            for m, check in listening(state)
            if waits_for(check, event)
        ],
    )


def _state(
    state: Lifecycle, event: Happening, milestone: Milestone
) -> Literal["open", "told", "settled"]:
    if EventRequest.of(event, milestone.id).key in state.handled:
        return "told"
    return "settled" if milestone.state.settled else "open"


def check_event(state: Lifecycle, request: EventRequest) -> Milestone:
    """The milestone meant. Raises Rejected where it does not wait for this, or for nothing more."""
    milestone = state.milestone(request.milestone)
    heard = any(m is milestone and waits_for(check, request) for m, check in listening(state))
    what = f"{milestone.id} of {state.key} takes no event of {request.source}"
    hint = f"phasegate milestone list {state.key}"
    if not heard:
        why = f"it does not wait now for {request.type[:SHOWN]}"
        raise Rejected("event-not-awaited", what, why, hint)
    if milestone.state.settled:
        raise Rejected("milestone-settled", what, f"it is {milestone.state}", hint)
    return milestone
