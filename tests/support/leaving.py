"""A product that leaves the market, or comes back to it."""

from __future__ import annotations

from typing import Any

from life import Life

from client import sunsets
from client.asking import ask, new_request_id
from phasegate.adjusting import Adjustments
from phasegate.ids import product_id, sunset_id
from phasegate.requests import (
    AbortRequest,
    CustomersRequest,
    LegalHoldRequest,
    PlanSunsetRequest,
    Receipt,
    SubmitRequest,
)
from phasegate.sunset_views import SunsetView

REVIEW = (
    "review: {first: 1 day, every: 1 day, gate: {id: plr, title: PLR, requires: [{group: eng}]}}"
)


class Leaving(Life):
    """A product that leaves the market, or does not."""

    async def asks(self, what: str, who: str = "olga", **fields: Any) -> Receipt:
        fields.setdefault("request_id", new_request_id())
        engine, key = self.engine, self.key
        match what:
            case "plan":
                wanted = fields.pop("adjustments")
                adjusted = Adjustments.model_validate(wanted)
                request = PlanSunsetRequest(actor=who, adjustments=adjusted, **fields)
                return await sunsets.record_plan(engine, key, request)
            case "hold":
                placed = LegalHoldRequest(actor=who, reason="a letter", **fields)
                return await sunsets.legal_hold(engine, key, placed)
            case "customers":
                told = CustomersRequest(actor=who, **fields)
                leaving = (await self.product()).status == "sunsetting"
                workflow_id = sunset_id(key) if leaving else product_id(key)
                return await ask(engine.workflow(workflow_id), "customers", told)
            case "start":
                return await sunsets.start(engine, key, SubmitRequest(actor=who, **fields))
            case _:
                abort = AbortRequest(actor=who, reason="a buyer was found", **fields)
                return await sunsets.abort(engine, key, abort)

    async def leave(self, number: int = 1) -> SunsetView:
        """Decide on the sunset; it is under way until its manual task waits."""
        await self.asks("start")
        await self.gate_opens("retire", number)
        await self.vote("retire", "ana", "go")
        return await self.waits("keys", number)

    async def waits(self, task: str, number: int = 1) -> SunsetView:
        async def waiting() -> SunsetView | None:
            try:
                view = await self.sunset()
            except Exception:  # its workflow is just being started
                return None
            if view is None or view.number != number:
                return None
            return view if any(t.id == task and t.state == "waiting" for t in view.tasks) else None

        return await self.until(waiting, f"{task} of sunset {number} waits")

    async def is_back(self) -> bool | None:
        return True if (await self.product()).status == "active" else None

    async def back(self) -> None:
        await self.becomes(status="active", phase="market", gate=None)
