"""How much of a payload a product's conditions and its roadmap may fill, and what gives way.

A product lives for years and carries everything with it: a state of more than 2 MB would never
continue as new again. What gives way here is kept in the ledger.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from phasegate.base import Wire, canonical
from phasegate.errors import Rejected
from phasegate.milestones import Milestone
from phasegate.product import Product
from phasegate.promises import Condition
from phasegate.views import ConditionView

OPEN_BYTES = 200_000
"""Of conditions that are open: all of them are kept, the text of some is not."""

SETTLED_BYTES = 150_000
"""Of conditions that are closed or waived."""

MILESTONES_BYTES = 200_000
"""Of milestones: those the product has, those its definition plans, and the first dates of all."""

SHORT = 80
"""Characters that stay of a condition's text."""

SHORT_NOTE = 300
"""Bytes of a note that are taken however many there are."""

IN_THE_RECORD = "(its text is in the record)"


def bytes_of(models: Iterable[Wire]) -> int:
    return sum(len(model.model_dump_json().encode()) for model in models)


# -- conditions -----------------------------------------------------------------------------------


def fitting(found: Sequence[ConditionView], kept: Iterable[ConditionView]) -> list[ConditionView]:
    """The conditions of a round, as far as there is room beside the open ones.

    Where their texts are too long, they are shortened; where they are too many even so, the rest
    become one. None is lost: each is open, or among those that the last one stands for.
    """
    room = OPEN_BYTES - bytes_of(kept)
    if bytes_of(found) <= room:
        return list(found)
    taken: list[ConditionView] = []
    for number, condition in enumerate(found):
        short = condition.model_copy(update={"text": shortened(condition.text)})
        room -= bytes_of([short])
        if room < 0:
            return [*taken, _rest(found[number:])]
        taken.append(short)
    return taken


def shortened(text: str) -> str:
    if len(text) <= SHORT:
        return text
    return f"{text[:SHORT].rstrip()}… (all of it is in the record)"


def _rest(found: Sequence[ConditionView]) -> ConditionView:
    first, dates = found[0], [condition.due for condition in found if condition.due]
    text = f"{len(found)} further conditions, which `phasegate gate show` lists"
    update = {"id": f"{first.id}-rest", "text": text, "due": min(dates, default=None)}
    return first.model_copy(update=update)


def settled_within(conditions: Sequence[Condition]) -> list[Condition]:
    """The same conditions, with room made among those that are settled.

    Those settled first lose their texts, and if that is not enough, they go.
    """
    settled = [condition for condition in conditions if condition.state != "open"]
    settled.sort(
        key=lambda condition: condition.closed_at.timestamp() if condition.closed_at else 0
    )
    over = bytes_of(settled) - SETTLED_BYTES
    for condition in settled:
        if over > 0:
            before = bytes_of([condition])
            condition.text = min(condition.text, IN_THE_RECORD, key=len)
            condition.note = condition.link = ""
            over -= before - bytes_of([condition])
    gone: list[str] = []
    for condition in settled:
        if over > 0:
            gone.append(condition.id)
            over -= bytes_of([condition])
    return [condition for condition in conditions if condition.id not in gone]


# -- milestones -----------------------------------------------------------------------------------


def roadmap_bytes(
    milestones: Sequence[Milestone], first: Mapping[str, datetime], product: Product
) -> int:
    """What the roadmap fills, now and once the phases to come are entered."""
    known = {milestone.id for milestone in milestones}
    planned = [plan for plan in product.milestones if plan.id not in known]
    dates = canonical({name: at.isoformat() for name, at in first.items()})
    ahead = sum(len(plan.model_dump_json().encode()) for plan in planned)
    return bytes_of(milestones) + ahead + len(dates)


def require_room_for_roadmap(key: str, before: int, after: int) -> None:
    """Raise Rejected where a new definition makes the roadmap outgrow its room.

    Milestones never leave a product, since a gate may ask for them: a definition alone is bounded,
    and many one after the other were not.
    """
    if after > max(before, MILESTONES_BYTES):
        raise Rejected(
            "too-large",
            f"the milestones of {key} would be too large",
            f"with those it has they would fill {after} bytes, and {MILESTONES_BYTES} are taken",
            f"phasegate milestone list {key}  # plan these anew instead of adding others",
        )


def require_room_for_note(key: str, milestones: Sequence[Milestone], note: str) -> None:
    """Raise Rejected for a long note once the milestones have filled their room."""
    size, taken = len(note.encode()), bytes_of(milestones)
    if size > SHORT_NOTE and size + taken > MILESTONES_BYTES:
        raise Rejected(
            "text-too-long",
            f"the note on a milestone of {key} has {size} bytes",
            f"its milestones fill {taken} bytes already; notes of {SHORT_NOTE} are always taken",
            f"phasegate product evidence {key}  # attach the text as a link",
        )
