"""A retrospective as one page of HTML that needs nothing else, on a screen and on paper."""

from __future__ import annotations

from datetime import UTC, datetime

from client.pictures.drawing import environment
from client.pictures.theme import DARK, LIGHT
from phasegate.base import canonical
from phasegate.past_sunset import UNDER_WAY
from phasegate.retrospective_view import Retrospective, SunsetStory, TaskStory
from phasegate.roadmap_words import OUTCOMES, day, slip_words

GOOD, WARN, BAD = "good", "warn", "bad"
TONES = {
    **dict.fromkeys(("go", "met", "closed", "done", "retired", "unbroken"), GOOD),
    **dict.fromkeys(
        ("conditional-go", "recycle", "hold", "waived", "aborted", "at-risk", "undone", "held"),
        WARN,
    ),
    **dict.fromkeys(
        (
            "kill",
            "killed",
            "missed",
            "not-done",
            "unknown",
            "stuck",
            "cancelled",
            "abandoned",
            "broken",
        ),
        BAD,
    ),
}
"""How a word is coloured; the word itself says it already."""


def html(life: Retrospective) -> str:
    """One self-contained page: no script, and nothing is loaded from anywhere."""
    return environment().get_template("retrospective.html.jinja").render(
        life=life,
        light=LIGHT,
        dark=DARK,
        day=day,
        minute=minute,
        slip_words=slip_words,
        outcomes=OUTCOMES,
        tones=TONES,
        under_way=UNDER_WAY,
        is_link=is_link,
        facts=facts,
        dates=dates,
        acts=acts,
        lengths=lengths(life),
    )  # fmt: skip


def minute(at: datetime | None) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC") if at else ""


def is_link(text: str) -> bool:
    """Only what a browser opens as a page: anybody may have written it."""
    return text.startswith(("https://", "http://"))


def facts(task: TaskStory) -> list[tuple[str, str]]:
    """What shows that it was done, in words; its digest is shown by itself."""
    return [
        (name.replace("_", " "), value if isinstance(value, str) else canonical(value).decode())
        for name, value in task.proof.items()
        if value != task.digest
    ]


def dates(sunset: SunsetStory) -> list[TaskStory]:
    """The public dates, in their order."""
    found = [task for task in sunset.tasks if task.kind == "date" or task.marks]
    return sorted(found, key=lambda task: (task.at is None, task.at))


def acts(sunset: SunsetStory) -> list[TaskStory]:
    """Everything else of it, as it was done; what was not done last."""
    shown = {task.id for task in dates(sunset)}
    found = [task for task in sunset.tasks if task.id not in shown]

    def order(task: TaskStory) -> tuple[bool, bool, datetime | None]:
        at = task.done_at or task.at
        return task.done_at is None, at is None, at

    return sorted(found, key=order)


def lengths(life: Retrospective) -> list[tuple[str, float]]:
    """Phases as parts of the whole, for the bar; so short that it would not show is one percent."""
    total = sum(phase.days for phase in life.phases) or 1
    return [(phase.title, max(phase.days / total * 100, 1)) for phase in life.phases]
