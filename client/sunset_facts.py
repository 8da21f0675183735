"""What the world is to be told of a product's sunset: of the one that runs, or the one planned."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from client import products, sunsets
from client.engine import Engine
from ledger import Entry
from phasegate.adjusting import Adjustments
from phasegate.errors import EngineError, NotRunning, Refusal
from phasegate.policy import Policy
from phasegate.product import Product
from phasegate.public_sunset import (
    DatedTask,
    PublicSunset,
    public_sunset,
    reminders_of,
    standing_of,
    tasks_of,
)
from phasegate.span import Span
from phasegate.sunset_layout import Layout, lay_out
from phasegate.sunset_views import SunsetView
from phasegate.views import ProductView

DEFINING = ("product.started", "product.updated")
PLANNED = "product.sunset-planned"
DATING = (PLANNED, "sunset.planned", "sunset.replanned", "sunset.withdrawn", "sunset.aborted")
"""After these its public dates are not what they were."""


@dataclass(frozen=True)
class Recorded:
    """What the ledger adds to what the workflows say."""

    product: Product
    policy: Policy
    available: datetime | None
    dated: Entry | None
    planned_since: bool
    """Whether the next sunset was planned after the one before it was aborted."""

    contracts_until: datetime | None
    """The latest contract of a customer who is open, for a sunset that is still to come."""

    seq: int
    """Where the record stands: it grows with whatever changes a plan."""


async def facts(engine: Engine, key: str, now: datetime) -> PublicSunset:
    """The facts at `now`. Raises EngineError where there is nothing to tell, Rejected where the
    plan cannot be laid out, LedgerError, and DocumentUnknown where the ledger lacks its policy."""
    view = await products.show(engine, key)
    recorded = await asyncio.to_thread(_recorded, engine, view)
    sunset = await _sunset(engine, view)
    if sunset is None or (sunset.status == "aborted" and recorded.planned_since):
        return _planned(view, recorded, now)
    remind = _reminders(recorded, sunset)
    return public_sunset(
        recorded.product,
        sunset.adjustments,
        sunset.notice_at,
        tasks_of(sunset, remind),
        standing=standing_of(sunset, now),
        changed_at=recorded.dated.announcement.at if recorded.dated else now,
        number=sunset.number,
        revision=recorded.dated.seq if recorded.dated else recorded.seq,
        general_availability=recorded.available,
    )


async def _sunset(engine: Engine, view: ProductView) -> SunsetView | None:
    """The sunset that runs or was aborted; None where the next one is still to come."""
    try:
        return await sunsets.show(engine, view.key)
    except EngineError as error:
        none_yet = isinstance(error.__cause__, NotRunning) and view.ended_at is None
        if none_yet and view.status != "sunsetting":
            return None
        raise


def _recorded(engine: Engine, view: ProductView) -> Recorded:
    policy = engine.ledger.documents.read_policy(view.policy_digest)
    told = engine.ledger.events(view.key, types=(*DEFINING, *DATING, "product.phase-entered"))
    events = [entry.announcement for entry in told]
    defined = [e.data["product"] for e in events if e.type in DEFINING and "product" in e.data]
    if not defined:
        raise EngineError(
            f"what {view.key} is cannot be told",
            "its definition is not in this ledger, or not yet",
            f"phasegate events list {view.key}  # then ask again",
        )
    market = {phase.id for phase in policy.phases if phase.in_market}
    entered = [e.at for e in events if e.data.get("phase") in market]
    dated = [entry for entry in told if entry.announcement.type in DATING]
    return Recorded(
        product=Product.model_validate(defined[-1]),
        policy=policy,
        available=entered[0] if entered else None,
        dated=dated[-1] if dated else None,
        planned_since=bool(dated) and dated[-1].announcement.type == PLANNED,
        contracts_until=engine.ledger.customers.summary(view.key, view.sunsets + 1).contracts_until,
        seq=engine.ledger.head(view.key).seq,
    )


def _planned(view: ProductView, recorded: Recorded, now: datetime) -> PublicSunset:
    adjustments = view.adjustments or Adjustments()
    layout = _laid_out(recorded, adjustments, now, None, view.key)
    return public_sunset(
        recorded.product,
        adjustments,
        layout.notice_at,
        [
            DatedTask(
                id=placed.task.id,
                title=placed.task.title,
                kind=placed.task.kind,
                at=placed.at,
                marks=getattr(placed.task, "marks", None) or "",
                effect=getattr(placed.task, "effect", ""),
                reminders=reminders_of(
                    placed.at, getattr(placed.task, "remind", ()), layout.notice_at
                ),
                skipped=bool(placed.skipped),
            )
            for placed in layout.tasks
        ],
        standing="planned",
        changed_at=now,
        number=view.sunsets + 1,
        revision=recorded.seq,
        general_availability=recorded.available,
    )


def _reminders(recorded: Recorded, sunset: SunsetView) -> Mapping[str, Sequence[Span]]:
    """Reminders of the dates, which the view does not have: from the plan it was made of.

    A plan that can no longer be laid out has none; the dates themselves are those of the view.
    """
    try:
        notice = sunset.notice_at
        layout = _laid_out(recorded, sunset.adjustments, notice, notice, sunset.product)
    except (Refusal, EngineError):
        return {}
    return {placed.task.id: getattr(placed.task, "remind", ()) for placed in layout.tasks}


def _laid_out(
    recorded: Recorded, adjustments: Adjustments, now: datetime, notice: datetime | None, key: str
) -> Layout:
    if recorded.policy.sunset is None:
        raise EngineError(
            f"{key} has no sunset to tell of",
            f"its policy, {recorded.policy.policy}, plans none",
            f"phasegate policy show {recorded.policy.policy}",
        )
    return lay_out(
        recorded.policy.sunset,
        adjustments,
        maturity=recorded.product.maturity,
        now=now,
        notice=notice,
        contracts_until=recorded.contracts_until if notice is None else None,
        product=key,
    )
