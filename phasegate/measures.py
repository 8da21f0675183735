"""What phasegate measures: the names, labels and meanings of its own metrics.

Labels are few and bounded: no person, no product, no text is ever one. A metric by product would
outgrow its store, and one by person would be personal data (docs/observing.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["counter", "gauge", "duration"]

SUFFIX = {"counter": "_total", "gauge": "", "duration": "_seconds"}
"""What the exporter puts behind a name; a duration is a histogram of seconds."""

SPANS = (60, 900, 3600, 14400, 28800, *(86400 * d for d in (1, 2, 3, 5, 7, 10, 14, 21, 30, 60, 90)))
"""Bounds, in seconds, of what takes people hours or weeks."""

MOMENTS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600)
"""Bounds, in seconds, of what takes machines a moment."""


@dataclass(frozen=True)
class Measure:
    """One metric. `bounds` are the buckets of a duration, in seconds."""

    name: str
    kind: Kind
    meaning: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()

    @property
    def exported(self) -> str:
        """Its name as Prometheus has it; a duration's series end in _bucket, _sum and _count."""
        return self.name + SUFFIX[self.kind]


REFUSALS = Measure(
    "phasegate_refusals",
    "counter",
    "votes and requests refused, by the codes of refusals.md",
    ("code", "kind"),
)
VOTES = Measure(
    "phasegate_votes",
    "counter",
    "votes taken; `in_time` says whether by the voter's respond deadline",
    ("vote", "in_time"),
)
VOTE_LATENCY = Measure(
    "phasegate_vote_latency",
    "duration",
    "from when the voter's step was opened to the vote, weekends and nights included",
    ("vote",),
    SPANS,
)
DECISIONS = Measure("phasegate_decisions", "counter", "rounds that ended, by outcome", ("outcome",))
ROUND_DURATION = Measure(
    "phasegate_round_duration",
    "duration",
    "from the opening of a round to its end",
    ("outcome",),
    SPANS,
)
HANDLING = Measure(
    "phasegate_update_handling",
    "duration",
    "what the worker takes to answer an Update, waiting included",
    ("update",),
    MOMENTS,
)
ANNOUNCED = Measure(
    "phasegate_announced", "counter", "events written to the ledger, by type", ("type",)
)
LEDGER_LAG = Measure(
    "phasegate_ledger_lag",
    "duration",
    "from when an event happened to when the ledger had it",
    bounds=MOMENTS,
)
OUTBOX_AGE = Measure(
    "phasegate_outbox_age_seconds",
    "gauge",
    "how old the oldest event is that this worker last failed to write; 0 if none",
)
DELIVERIES = Measure(
    "phasegate_deliveries",
    "counter",
    "attempts to tell a receiver: sent, refused or given-up",
    ("receiver", "result"),
)
SERVED = Measure(
    "phasegate_served",
    "counter",
    "requests to `phasegate serve`: what they bring, and the status they were answered with",
    ("brought", "status"),
)
CHECKS = Measure(
    "phasegate_milestone_checks",
    "counter",
    "polls of milestones: met, not-met or cannot-tell",
    ("kind", "result"),
)
UNTOLD = Measure(
    "phasegate_milestones_untold",
    "gauge",
    "milestones whose latest poll by this worker, within a day, could not tell",
)
ACTS = Measure(
    "phasegate_acts",
    "counter",
    "attempts of acts of sunsets: done, failed, stuck or unknown",
    ("kind", "result"),
)
GATES = Measure(
    "phasegate_gates",
    "gauge",
    "rounds that are not decided: open, waiting-on-owner or on-hold",
    ("status",),
)
GATES_OVERDUE = Measure(
    "phasegate_gates_overdue", "gauge", "open rounds in which somebody is past the respond deadline"
)
PRODUCTS = Measure(
    "phasegate_products", "gauge", "products that are active, on-hold or sunsetting", ("status",)
)
PRODUCTS_OVERDUE = Measure(
    "phasegate_products_overdue",
    "gauge",
    "products with a milestone, condition, review or date of their sunset that is past due",
)
SUNSETS = Measure("phasegate_sunsets", "gauge", "sunsets under way")
COURIERS_FAILING = Measure(
    "phasegate_couriers_failing",
    "gauge",
    "products of which a receiver takes nothing at present",
    ("receiver",),
)
DELIVERY_DELAY = Measure(
    "phasegate_delivery_delay_seconds",
    "gauge",
    "for how long a receiver has taken nothing",
    ("receiver",),
)
DEAD_LETTERS = Measure(
    "phasegate_dead_letters", "gauge", "events that were given up, by receiver", ("receiver",)
)
ACTS_OPEN = Measure(
    "phasegate_acts_open",
    "gauge",
    "acts that cannot be undone and of which nobody knows whether they happened: begun for more "
    "than ten minutes, or unknown",
    ("state",),
)
ENTRIES = Measure("phasegate_ledger_entries", "gauge", "entries in the ledger")
ASKED = Measure(
    "phasegate_asked_timestamp_seconds",
    "gauge",
    "when the gauges of the portfolio were last asked for, and answered (Unix time; 0 if never)",
    ("of",),
)
BUILD = Measure(
    "phasegate_build_info",
    "gauge",
    "1; which phasegate this is, and the build it runs as",
    ("version", "deployment", "build_id", "part"),
)

MEASURES: tuple[Measure, ...] = (
    *(VOTES, VOTE_LATENCY, DECISIONS, ROUND_DURATION, REFUSALS, HANDLING),
    *(GATES, GATES_OVERDUE, PRODUCTS, PRODUCTS_OVERDUE, SUNSETS),
    *(ANNOUNCED, LEDGER_LAG, OUTBOX_AGE, ENTRIES),
    *(DELIVERIES, COURIERS_FAILING, DELIVERY_DELAY, DEAD_LETTERS),
    *(CHECKS, UNTOLD, ACTS, ACTS_OPEN, SERVED, ASKED, BUILD),
)


def table() -> str:
    """The table as Markdown."""
    rows = [
        f"| `{m.exported}` | {'histogram' if m.kind == 'duration' else m.kind} | "
        f"{', '.join(f'`{label}`' for label in m.labels)} | {m.meaning} |"
        for m in MEASURES
    ]
    return "\n".join(["| metric | type | labels | meaning |", "|---|---|---|---|", *rows])


if __name__ == "__main__":
    print(table())
