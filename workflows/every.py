"""Every workflow, as workers and replays know them."""

from __future__ import annotations

from workflows.courier import Courier, CourierSweep
from workflows.gate_review import GateReview
from workflows.mail_courier import MailCourier
from workflows.portfolio_digest import PortfolioDigest
from workflows.product_lifecycle import ProductLifecycle
from workflows.sunset import Sunset

WORKFLOWS = (
    ProductLifecycle,
    GateReview,
    Sunset,
    Courier,
    MailCourier,
    CourierSweep,
    PortfolioDigest,
)
