"""Events on their way out: who is told, and what couriers ask of activities."""

from __future__ import annotations

from phasegate.base import Wire

DELIVER = "deliver"
SWEEP = "sweep_couriers"

COURIER = "Courier"
COURIER_SWEEP = "CourierSweep"

MAIL = "mail"
"""The receiver that hands events to the couriers of the people they concern."""


def subscriber(name: str) -> str:
    """What a subscriber of the integrations file is called among receivers."""
    return f"subscriber/{name}"


def courier_id(receiver: str, product: str) -> str:
    return f"courier/{receiver}/{product}"


class CourierOrder(Wire):
    """Bring a receiver what it has not been sent of a product, in the ledger's order."""

    receiver: str
    product: str


class Delivered(Wire):
    """What one round of deliveries came to; `more` asks for another one."""

    text: str
    more: bool = False


class Swept(Wire):
    """How many couriers were started that nobody had woken."""

    started: int
