"""What the items of a roadmap say of themselves, in words."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from phasegate.forecast_view import GateForecast, MilestoneForecast, PhaseForecast

OUTCOMES = {
    "go": "Go",
    "conditional-go": "Conditional Go",
    "recycle": "Recycle",
    "hold": "Hold",
    "kill": "Kill",
    "abandoned": "abandoned",
}


def day(at: datetime | None) -> str:
    """`2027-03-01`, in UTC; empty for none."""
    return at.astimezone(UTC).strftime("%Y-%m-%d") if at else ""


def slip_words(slip: int | None) -> str:
    if not slip:
        return ""
    unit = "day" if abs(slip) == 1 else "days"
    return f"{slip} {unit} late" if slip > 0 else f"{-slip} {unit} early"


def _said(parts: Iterable[tuple[str, str]], *more: str) -> str:
    said = [f"{label} {text}".strip() for label, text in parts if text]
    return ", ".join([*said, *(text for text in more if text)])


def _not_before(at: datetime | None, at_earliest: bool) -> str:
    return day(at) + (" at the earliest" if at and at_earliest else "")


def of_phase(phase: PhaseForecast) -> str:
    """`started 2027-01-01, expected to end 2027-06-11, planned to end 2027-06-01, 10 days late`."""
    end = _not_before(phase.expected_end, phase.at_earliest)
    open_end = phase.state != "done" and not phase.expected_end
    return _said(
        [
            ("started", day(phase.start)),
            ("expected to start", day(phase.expected_start)),
            ("ended", day(phase.end)),
            ("expected to end", end),
            ("planned to end", day(phase.planned_end)),
        ],
        slip_words(phase.slip),
        "no end in sight" if open_end else "",
    )


def state_of_gate(gate: GateForecast) -> str:
    return OUTCOMES.get(gate.outcome or "", gate.outcome or "") or gate.state


def of_gate(gate: GateForecast) -> str:
    """`round 2, Go on 2027-02-12, planned 2027-01-30, 13 days late`."""
    when = _not_before(gate.expected, gate.at_earliest)
    if gate.actual:
        said = f"{state_of_gate(gate)} on {day(gate.actual)}"
    elif gate.state == "open":
        said = f"open, decides until {when}"
    else:
        said = f"expected {when}" if when else "not planned"
    parts = [("round", str(gate.round or "")), ("", said), ("planned", day(gate.planned))]
    return _said(parts, slip_words(gate.slip), gate.basis)


def of_milestone(milestone: MilestoneForecast) -> str:
    """`at-risk, planned 2027-02-01, due 2027-02-11, expected 2027-03-01, 28 days late`."""
    due = milestone.due if milestone.due != milestone.planned else None
    return milestone.state + "".join(
        f", {text}"
        for text in (
            f"planned {day(milestone.planned)}" if milestone.planned else "without a date",
            f"due {day(due)}" if due else "",
            f"expected {day(milestone.expected)}" if milestone.expected else "",
            f"met on {day(milestone.actual)}" if milestone.actual else "",
            slip_words(milestone.slip),
            "at risk" if milestone.at_risk and milestone.state not in ("at-risk", "missed") else "",
            f"waits for {milestone.waits_for}" if milestone.waits_for else "",
        )
        if text
    )
