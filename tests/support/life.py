"""What people ask of a product over the years, beside its gates."""

from __future__ import annotations

from typing import Any

from stage import Stage

from client import changing, products
from client.asking import new_request_id
from phasegate.gate_requests import OverrideRequest
from phasegate.product import Product
from phasegate.requests import (
    ConditionRequest,
    HandoverRequest,
    Receipt,
    ReviveRequest,
    UpdateProductRequest,
)

DIRECTORY = """
directory: KEY
people:
  olga: {manager: max}
  max: {manager: zoe}
  zoe: {}
  ana: {}
  bo: {manager: max}
  cy: {}
  tim: {}
  eve: {}
groups:
  product: {members: [ana]}
  eng: {members: [bo, cy, tim]}
  board: {members: [zoe, olga, cy], permissions: {waive: [2], override: [2]}}
"""

POLICY = """
policy: KEY
version: "1"
title: Build, sell and build again
phases:
  - id: build
    title: Build
    milestones: [{id: done, title: Feature complete}]
    gate: {id: launch, title: Launch, opens: submit, requires: [{group: product}, {group: eng}]}
  - id: market
    title: Market
    in_market: true
    REVIEW
    gate: {id: retire, title: Retire, opens: submit, requires: [{group: product}]}
sunset:
  tasks:
    - {id: note, title: Public notice, kind: notice}
    - {id: keys, title: Revoke keys, kind: manual, by: eng}
    - id: down
      title: Take it down
      kind: gate
      gate: {id: down, title: Take it down, requires: [{group: product}, {group: eng}]}
"""


class Life(Stage):
    """A product with a team (tim), managers (max, zoe) and somebody with permissions (zoe)."""

    async def begin(self, *, review: str = "", sunset: bool = True, **fields: Any) -> None:
        policy = POLICY.replace("KEY", self.key).replace("REVIEW", review or "# no review")
        if not sunset:
            policy = policy[: policy.index("sunset:")]
        directory = DIRECTORY.replace("KEY", self.key)
        given = {"team": ["tim"], "tier": 2, **fields}
        lines = [f"key: {self.key}", "name: Kettle", "owner: olga"]
        lines += [f"{name}: {value}" for name, value in given.items()]
        await self.start(policy, directory, "\n".join(lines))
        await self.becomes(phase="build")

    async def opened(self, gate: str = "launch", round_number: int = 1, who: str = "olga") -> None:
        await self.submit(gate, who)
        await self.gate_opens(gate, round_number)

    async def launched(self, *, round_number: int = 1) -> None:
        await self.opened("launch", round_number)
        await self.votes("launch", "go", "ana", "bo")
        await self.becomes(phase="market")  # where a review may be open before anybody looks

    async def definition(self) -> Product:
        return await changing.definition(self.engine, self.key)

    async def update(self, who: str = "olga", **fields: Any) -> Receipt:
        data = (await self.definition()).model_dump(mode="json")
        product = Product.model_validate({**data, **fields})
        request = UpdateProductRequest(actor=who, product=product, request_id=new_request_id())
        return await changing.update(self.engine, self.key, request)

    async def handover(self, to: str, who: str = "olga", **more: Any) -> Receipt:
        more.setdefault("request_id", new_request_id())
        request = HandoverRequest(actor=who, to=to, reason="a new job", **more)
        return await changing.handover(self.engine, self.key, request)

    async def waive(self, condition: str, who: str, **more: Any) -> Receipt:
        more.setdefault("request_id", new_request_id())
        request = ConditionRequest(
            actor=who, condition=condition, action="waive", note="not needed any more", **more
        )
        return await products.request(self.engine, self.key, "condition", request)

    async def override(self, outcome: str, who: str = "zoe", **more: Any) -> Receipt:
        more.setdefault("request_id", new_request_id())
        request = OverrideRequest(actor=who, outcome=outcome, reason="the board wants it", **more)
        return await products.request(self.engine, self.key, "override", request)

    async def revive(self, who: str = "zoe", **more: Any) -> Receipt:
        more.setdefault("request_id", new_request_id())
        request = ReviveRequest(actor=who, reason="the market has come", **more)
        return await changing.revive(self.engine, self.key, request)

    async def told(self, type: str, times: int = 1) -> list[dict[str, Any]]:
        """Wait until the ledger has this many events of a type; their data, with their actors."""

        async def written() -> list[dict[str, Any]] | None:
            found = [e.announcement for e in self.engine.ledger.events(self.key, types=(type,))]
            data = [{**event.data, "actor": event.actor, "text": event.text} for event in found]
            return data if len(data) >= times else None

        return await self.until(written, f"{times} × {type}")
