"""A product on its way out of the market: what people do there, and what they see."""

from __future__ import annotations

from typing import Any

from stage import Stage

from client.asking import ask, new_request_id
from phasegate.adjusting import Adjustments
from phasegate.base import Wire
from phasegate.ids import product_id, sunset_id
from phasegate.requests import (
    AbortRequest,
    Asked,
    ConfirmRequest,
    CustomersRequest,
    LegalHoldRequest,
    PlanSunsetRequest,
    Receipt,
)
from phasegate.sunset_views import SunsetView, TaskView

DIRECTORY = """
directory: KEY
people: {olga: {}, tim: {}, ana: {}, bo: {}, cy: {}, lea: {}, eve: {}}
groups:
  product: {members: [ana]}
  eng: {members: [bo, cy]}
  legal: {members: [lea]}
"""

POLICY = """
policy: KEY
version: "1"
title: Leave
phases:
  - id: market
    title: Market
    in_market: true
    gate: {id: retire, title: Retire, opens: submit, requires: [{group: product}]}
sunset:
  abort_by: legal
  legal_hold_by: legal
MORE  tasks:
"""

GATE = """
    - id: GATE
      title: Gate GATE
      kind: gate
      gate: {id: GATE, title: Gate GATE, requires: [{group: eng}]}
"""

RETURN = """
    - id: GATE
      title: Gate GATE
      kind: gate
      point_of_no_return: true
      gate:
        id: GATE
        title: Gate GATE
        requires: [{group: eng}]
        criteria:
          - {id: settled, text: Every customer is settled, milestone: customers-settled}
"""

REQUESTS: dict[str, type[Asked]] = {
    "confirm": ConfirmRequest,
    "plan_sunset": PlanSunsetRequest,
    "abort": AbortRequest,
    "legal_hold": LegalHoldRequest,
    "customers": CustomersRequest,
}


def gate(name: str) -> str:
    return GATE.replace("GATE", name)


def no_return(name: str = "off") -> str:
    """The gate that is the point of no return."""
    return RETURN.replace("GATE", name)


def task(line: str) -> str:
    return f"    - {{{line}}}\n"


class Leaving(Stage):
    """A product whose sunset is played; its owner is olga, in her team is tim.

    `also` is a line more of its plan.
    """

    also: str = ""

    async def leave(self, *tasks: str) -> None:
        """Start the product and decide that it leaves."""
        await self.enter(*tasks)
        await self.decide()

    async def enter(self, *tasks: str) -> None:
        """Start the product, in its market."""
        more = f"  {self.also}\n" if self.also else ""
        policy = POLICY.replace("KEY", self.key).replace("MORE", more) + "".join(tasks)
        product = f"key: {self.key}\nname: Kettle\nowner: olga\ntier: 2\nteam: [tim]"
        await self.start(policy, DIRECTORY.replace("KEY", self.key), product)
        await self.becomes(phase="market")

    async def decide(self, round_number: int = 1) -> None:
        """Decide that it leaves."""
        await self.submit("retire")
        await self.gate_opens("retire", round_number)
        await self.vote("retire", "ana", "go")

    async def plan(self, who: str = "olga", **adjustments: Any) -> Receipt:
        """Adjust the sunset before it begins."""
        plan = Adjustments.model_validate(adjustments)
        request = PlanSunsetRequest(actor=who, adjustments=plan, request_id=new_request_id())
        return await ask(self.engine.workflow(product_id(self.key)), "plan_sunset", request)

    async def passes(self, name: str, who: str = "bo") -> None:
        await self.gate_opens(name)
        await self.vote(name, who, "go")

    async def ask(self, update: str, who: str = "olga", **fields: Any) -> Receipt:
        """Ask something of the sunset."""
        fields.setdefault("request_id", new_request_id())
        request: Wire = REQUESTS[update](actor=who, **fields)
        return await ask(self.engine.workflow(sunset_id(self.key)), update, request)

    async def confirmed(self, name: str, who: str = "olga", **fields: Any) -> Receipt:
        fields.setdefault("note", "seen")
        return await self.ask("confirm", who, task=name, **fields)

    async def abort(self, who: str = "olga", **fields: Any) -> Receipt:
        return await self.ask("abort", who, reason="the market has come back", **fields)

    async def hold(self, matter: str, who: str = "lea", **fields: Any) -> Receipt:
        return await self.ask("legal_hold", who, matter=matter, reason="a court asks", **fields)

    async def replan(self, who: str = "olga", **adjustments: Any) -> Receipt:
        plan = Adjustments.model_validate(adjustments)
        return await self.ask("plan_sunset", who, adjustments=plan)

    async def task(self, name: str) -> TaskView:
        view = await self.sunset()
        assert view is not None
        return next(task for task in view.tasks if task.id == name)

    async def states(self) -> dict[str, str]:
        view = await self.sunset()
        return {task.id: task.state for task in view.tasks} if view else {}

    async def task_is(self, name: str, state: str) -> TaskView:
        async def is_so() -> TaskView | None:
            view = await self._seen()
            found = [t for t in view.tasks if t.id == name and t.state == state] if view else []
            return found[0] if found else None

        return await self.until(is_so, f"task {name} is {state}")

    async def sunset_is(self, status: str) -> SunsetView:
        async def is_so() -> SunsetView | None:
            view = await self._seen()
            return view if view and view.status == status else None

        return await self.until(is_so, f"the sunset is {status}")

    async def told(self, type: str, times: int = 1) -> list[dict[str, Any]]:
        """Wait until the ledger has this many events of a type; their data, text and actor."""

        async def written() -> list[dict[str, Any]] | None:
            found = [e.announcement for e in self.engine.ledger.events(self.key, types=(type,))]
            data = [{**event.data, "actor": event.actor, "text": event.text} for event in found]
            return data if len(data) >= times else None

        return await self.until(written, f"{times} × {type}")

    async def _seen(self) -> SunsetView | None:
        try:
            return await self.sunset()
        except Exception:  # it does not run yet
            return None
