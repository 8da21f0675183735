"""The events of the ledger as lines of the story, with real dates for compressed ones."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from demo.inputs import Inputs
from phasegate.events import Announcement
from phasegate.sunset import DateTask

STYLES = {
    "gate.opened": "bold",
    "gate.decided": "bold green",
    "gate.refused": "red",
    "gate.reminder": "yellow",
    "gate.overdue": "yellow",
    "gate.escalated": "yellow",
    "condition.reminder": "yellow",
    "condition.overdue": "yellow",
    "condition.escalated": "yellow",
    "milestone.at-risk": "dim",
    "milestone.missed": "yellow",
    "product.phase-entered": "bold blue",
    "sunset.reminder": "yellow",
    "sunset.notice": "bold",
    "product.retired": "bold green",
    "product.completed": "bold green",
}


@dataclass(frozen=True)
class Line:
    """What to say of an event; `now` also becomes the product's live line."""

    text: str
    style: str = ""
    now: str = ""


def words(event: Announcement, inputs: Inputs) -> Line | None:
    """What to say of an event; None for one that another event tells as well."""
    if event.type in ("sunset.retired", "product.back-to-work"):
        return None
    text = _text(event, inputs).removeprefix(f"{inputs.product.name} ")
    quiet = event.type.startswith("milestone.")
    return Line(
        text,
        STYLES.get(event.type, ""),
        now="" if quiet else text,
    )


def _text(event: Announcement, inputs: Inputs) -> str:
    """The engine's own text, where no compressed instant is in it."""
    data, text = event.data, event.text
    gate, number = data.get("gate"), data.get("round")
    match event.type:
        case "product.started":
            return f"{text}; owner {event.actor}"
        case "gate.opened":
            return f"gate {gate} opens, round {number}: {len(data['waiting_for'])} may vote"
        case "gate.vote":
            said = f" ({data['comment']})" if data["comment"] else ""
            by = ", sent by `temporal workflow signal`" if data["channel"] == "signal" else ""
            return f"{event.actor} votes {data['vote']} on {gate}{said}{by}"
        case "gate.refused":
            by = f"by {data['channel']}, " if data["channel"] == "signal" else ""
            return f"refused {by}{data['code']}: {text}"
        case "gate.reminder":
            return f"reminder of {gate} to {_names(data['pending'])}"
        case "gate.overdue":
            return f"overdue at {gate}: no answer from {_names(data['pending'])}"
        case "gate.escalated" if "escalations" not in data:
            acting = sorted({name for names in data["acting"].values() for name in names})
            return f"still no answer at {gate}: {_names(acting) or 'nobody'} may act"
        case "gate.escalated":
            return f"{gate} is undecided at its deadline and goes to those above"
        case "condition.reminder" | "condition.overdue" | "condition.escalated":
            word = event.type.partition(".")[2]
            day = _day(data["due"], inputs)
            return f"condition {data['condition']} of {data['owner']}, due {day}: {word}"
        case "gate.decided":
            return f"gate {gate}, round {number}: {data['outcome'].upper()} ({data['view']['why']})"
        case "milestone.at-risk" | "milestone.missed":
            due = inputs.dues.get(data["milestone"])
            word = event.type.partition(".")[2].replace("-", " ")
            return f"{data['milestone']} is {word}" + (f", due {due:%Y-%m-%d}" if due else "")
        case "sunset.planned":
            return f"sunset planned: public notice on {_day(data['notice_at'], inputs)}"
        case "sunset.reminder" | "sunset.task-done":
            return _sunset(event, inputs)
    return text


def _sunset(event: Announcement, inputs: Inputs) -> str:
    assert inputs.policy.sunset is not None
    task = next(task for task in inputs.policy.sunset.tasks if task.id == event.data["task"])
    if event.type == "sunset.reminder":
        return f"reminder: {task.title} on {inputs.sunset[task.id]:%Y-%m-%d}"
    return f"{task.title}: reached" if isinstance(task, DateTask) else event.text


def _day(played: str, inputs: Inputs) -> str:
    return f"{inputs.timeline.real(datetime.fromisoformat(played)):%Y-%m-%d}"


def _names(people: list[str]) -> str:
    """The first three by name, and how many more."""
    more = f" and {len(people) - 3} more" if len(people) > 3 else ""
    return ", ".join(people[:3]) + more
