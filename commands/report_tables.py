"""Reports as people read them: tables, and CSV for spreadsheets."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from client.usage import UsageError
from commands.output import Block, Fields, Grid, cell, dense
from commands.times import day_of
from phasegate.figures import Counts, Spread
from phasegate.portfolio import Portfolio, PortfolioRow
from phasegate.slo_view import Slo

SPREAD = ("n", "median", "90 %", "longest")
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins so is a formula to a spreadsheet, and anybody may name a product."""


def portfolio_blocks(found: Portfolio) -> Iterator[Block]:
    """Rows, then totals."""
    if not found.products:
        return
    yield dense(
        ("key", "name", "owner", "policy", "tier", "status", "phase", "since", "days", "next gate",
         "expected", "late", "at risk", "conditions", "overdue"),
        [
            (
                row.key,
                row.name,
                row.owner,
                row.policy,
                row.tier,
                row.status,
                row.phase,
                day_of(row.phase_since),
                _days(row.days_in_phase),
                row.next_gate,
                _expected(row),
                row.late,
                row.at_risk,
                row.conditions_open or "",
                row.conditions_overdue or "",
            )
            for row in found.products
        ],
    )  # fmt: skip
    totals = found.totals
    yield Fields(
        [
            ("products", totals.products),
            ("by status", _numbers(totals.by_status)),
            ("by phase", _numbers(totals.by_phase)),
            ("by policy", _numbers(totals.by_policy)),
            ("late", totals.late),
            ("at risk", totals.at_risk),
            ("conditions", f"{totals.conditions_open} open, {totals.conditions_overdue} overdue"),
        ]
    )
    yield Grid(
        ("gate", "policy", "products", "rounds", "people asked", "days"),
        [
            (g.gate, g.policy, g.products, g.rounds, g.people_asked, _days(g.days))
            for g in totals.gates
        ],
        "What gates have cost (calendar days, without holds)",
    )


def slo_blocks(found: Slo) -> Iterator[Block]:
    """One table each for phases, gates, groups and conditions."""
    yield Fields(
        [
            ("from", found.since),
            ("until", found.until),
            ("products", found.products),
            ("rounds decided", found.rounds_decided),
            ("recycled", _percent(found.recycle_rate)),
            ("escalations", found.escalations),
            ("overrides", found.overrides),
            ("counted", "in calendar days, without time on hold; percentiles are nearest rank"),
        ]
    )
    yield dense(
        ("phase", "policy", *SPREAD, "broken off", "in it now"),
        [
            (p.phase, p.policy, *_spread(p.days), p.broken_off or "", p.here or "")
            for p in found.phases
        ],
        "Phases, from entering to leaving (calendar days)",
    )
    yield dense(
        ("gate", "policy", *SPREAD, "open", "abandoned", "outcomes", "recycled", "rounds needed",
         "escalations", "overrides"),
        [
            (
                g.gate,
                g.policy,
                *_spread(g.days),
                g.open or "",
                g.abandoned or "",
                _numbers(g.outcomes),
                _percent(g.recycle_rate) if g.recycled else "",
                _rounds(g.rounds_needed),
                g.escalations or "",
                g.overrides or "",
            )
            for g in found.gates
        ],
        "Gates, from opening to decision (calendar days)",
    )  # fmt: skip
    yield dense(
        ("group", "asked", *SPREAD, "in time", "late", "never", "not needed", "waiting", "overdue"),
        [
            (
                g.group,
                g.asked,
                *_spread(g.days),
                _percent(g.in_time_share),
                g.late or "",
                g.never or "",
                g.not_needed or "",
                g.waiting or "",
                g.overdue or "",
            )
            for g in found.groups
        ],
        "Groups, from being asked to the first answer (calendar days)",
    )
    told = found.conditions
    yield Fields(
        [
            ("conditions", f"{told.promised} promised, {told.closed} closed, {told.waived} waived"),
            ("open", f"{told.open}, of these {told.overdue} overdue"),
            ("days to close", _said(told.days_to_close)),
        ]
    )


def write_csv(found: Portfolio, file: str) -> None:
    """The rows as RFC 4180 has it, in UTF-8. Raises UsageError where the file cannot be written."""
    text = io.StringIO(newline="")
    columns = [name for name in PortfolioRow.model_fields if name not in ("gates",)]
    writer = csv.writer(text)
    writer.writerow([*columns, "rounds", "people_asked", "days_at_gates"])
    for row in found.products:
        plain = row.model_dump(mode="json")
        costs = [sum(c.rounds for c in row.gates), sum(c.people_asked for c in row.gates)]
        spent = round(sum(c.days for c in row.gates), 4)
        writer.writerow([*(_plain(plain[name]) for name in columns), *costs, spent])
    if file == "-":
        sys.stdout.write(text.getvalue())
        return
    try:
        Path(file).write_text(text.getvalue(), encoding="utf-8", newline="")
    except OSError as error:
        raise UsageError(
            f"--csv {file} cannot be written", error.strerror or str(error), "--csv portfolio.csv"
        ) from error


def _plain(value: object) -> object:
    """A value in a cell; text that a spreadsheet would take for a formula is marked as text."""
    if isinstance(value, list):
        value = " ".join(map(str, value))
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"
    return value


def _expected(row: PortfolioRow) -> str:
    day = day_of(row.next_gate_expected)
    return f"{day} at the earliest" if day and row.at_earliest else day


def _days(length: float | None) -> str:
    """Days as people read them; what is shorter than one in hours or minutes."""
    if length is None:
        return ""
    if length >= 1:
        return f"{length:.1f}"
    hours = length * 24
    return f"{hours:.1f} h" if hours >= 1 else f"{hours * 60:.0f} min"


def _spread(found: Spread) -> tuple[object, ...]:
    return found.n, _days(found.median), _days(found.p90), _days(found.max)


def _said(found: Spread) -> str:
    if not found.n:
        return ""
    return (
        f"median {_days(found.median)}, 90 % {_days(found.p90)}, longest {_days(found.max)}"
        f" (n = {found.n})"
    )


def _rounds(found: Counts) -> str:
    if not found.n:
        return ""
    return f"{found.median}" if found.median == found.max else f"{found.median}, up to {found.max}"


def _percent(part: float | None) -> str:
    return "" if part is None else f"{part:.0%}"


def _numbers(found: Mapping[str, int]) -> str:
    return cell([f"{word} {number}" for word, number in found.items()])
