"""A roadmap: the courses of many products beside one another, and how they depend on each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pydantic import Field

from phasegate.base import Instant, Wire
from phasegate.forecast_view import Forecast


class RoadmapProduct(Wire):
    schema_version: int = 1
    key: str
    name: str
    owner: str
    policy: str
    tier: int = 3
    status: str
    phase: str | None = None
    gate: str | None = None
    waiting_for: str = ""
    started_at: Instant | None = None
    ended_at: Instant | None = None
    ui_url: str = ""
    forecast: Forecast


class Dependency(Wire):
    """A milestone of one product waits for a milestone or gate of another."""

    product: str
    milestone: str
    on_product: str
    on: str = Field(description="the milestone or gate it waits for")
    at: Instant | None = Field(None, description="when that is expected, or came")
    met: bool = False


class Missing(Wire):
    """A product that could not be read, and why."""

    key: str
    why: str


class Roadmap(Wire):
    """Everything that is drawn. Scripts rely on these names: add, don't rename."""

    schema_version: int = 1
    as_of: Instant
    products: list[RoadmapProduct] = []
    dependencies: list[Dependency] = []
    missing: list[Missing] = []


def roadmap_of(
    as_of: Instant, products: Iterable[RoadmapProduct], missing: Sequence[Missing] = ()
) -> Roadmap:
    """Products in the order of their keys, and what is known of their dependencies."""
    ordered = sorted(products, key=lambda product: product.key)
    return Roadmap(
        as_of=as_of,
        products=ordered,
        dependencies=dependencies_of(ordered),
        missing=sorted(missing, key=lambda m: m.key),
    )


def dependencies_of(products: Sequence[RoadmapProduct]) -> list[Dependency]:
    """What waits for what. The other product may be none of these; its date is then not known."""
    steps = {product.key: _steps(product.forecast) for product in products}
    found = []
    for product in products:
        for milestone in product.forecast.milestones:
            key, slash, step = milestone.waits_for.partition("/")
            if slash:
                at, met = steps.get(key, {}).get(step, (None, False))
                found.append(
                    Dependency(
                        product=product.key,
                        milestone=milestone.id,
                        on_product=key,
                        on=step,
                        at=at,
                        met=met,
                    )
                )
    return found


def _steps(forecast: Forecast) -> dict[str, tuple[Instant | None, bool]]:
    """The milestones and gates that may be waited for, when they come, and whether they came."""
    found: dict[str, tuple[Instant | None, bool]] = {}
    for gate in forecast.gates:
        passed = gate.outcome in ("go", "conditional-go")
        if not found.get(gate.gate, (None, False))[1]:
            found[gate.gate] = (gate.actual if passed else gate.expected or gate.actual, passed)
    for milestone in forecast.milestones:
        met = milestone.state == "met"
        found[milestone.id] = (milestone.actual if met else milestone.expected, met)
    return found
