"""What a sunset asks of activities: names, and the models that travel between them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from phasegate.acts import Act, Effect
from phasegate.base import Figure, FigureName, Instant, Wire

CARRY_OUT = "carry_out"
LOOK_AT_CUSTOMERS = "look_at_customers"
SETTLE_ACT = "settle_act"


class ActOrder(Wire):
    """Carry out an act. `key` is its Idempotency-Key, the same however often it is ordered; that of
    an act which undoes another ends with `/undo`.

    `values` fill its placeholders. `told` says that its being stuck is known. An act whose effect
    is not reversible is tried at most once: its intent is in the ledger before it happens.
    """

    product: str
    sunset: int = Field(1, description="the how-manieth sunset of the product")
    task: str
    key: str
    act: Act
    effect: Effect = "reversible"
    values: dict[str, str] = {}
    told: bool = False


class TaskProof(Wire):
    """What shows that an act was done."""

    text: str
    digest: str = ""
    data: dict[str, Any] = {}
    by: str = ""
    """Who confirmed it; empty where a system answered."""


class ActResult(Wire):
    """`done`; `stuck`: it was tried for a while and is not done (order again with `told`, and it
    goes on until it is); `unknown`: it may have been done, nobody can tell, and it is not repeated
    until somebody says so (`SETTLE_ACT`)."""

    state: Literal["done", "stuck", "unknown"]
    why: str = ""
    proof: TaskProof | None = None


class ActVerdict(Wire):
    """What a person found out of an act whose result was unknown. Ordered again, the act then has
    this for its result, or is begun once more. That it was done is never taken back."""

    key: str
    product: str
    sunset: int = 1
    task: str = ""
    done: bool
    by: str
    note: str
    proof: dict[FigureName, Figure] = {}


class CustomersQuery(Wire):
    product: str
    sunset: int = 1


class CustomersSummary(Wire):
    """The customers of a product, counted. `open`: not exported, migrated or waived.

    `contracts_until` is the latest end of a contract of those who are open; `digest` is over all
    rows in the order of their ids.
    """

    total: int = 0
    open: int = 0
    notified: int = 0
    exported: int = 0
    migrated: int = 0
    waived: int = 0
    contracts_until: Instant | None = None
    digest: str = ""
