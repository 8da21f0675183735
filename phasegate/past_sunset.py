"""The sunsets of a product as its record tells of them: plans, tasks with their proof, aborts.

What a reset did again replaces what it did before: the last word of a task counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from phasegate.askings import instant_in
from phasegate.events import Announcement
from phasegate.retrospective_view import HoldStory, Said, SunsetStory, TaskStory

BEGINS = "product.sunsetting"
ENDINGS = {
    "sunset.aborted": "aborted",
    "sunset.retired": "retired",
    "sunset.cancelled": "cancelled",
    "product.back-in-market": "aborted",
    "product.retired": "retired",
    "product.cancelled": "cancelled",
}
UNDER_WAY = "under way"


@dataclass(frozen=True)
class Known:
    """What a plan says of a task that announcements do not repeat."""

    title: str
    kind: str
    effect: str = ""
    marks: str = ""


class PastSunsets:
    """All sunsets of one product, after its last event."""

    def __init__(self, events: Iterable[Announcement], known: Mapping[str, Known]) -> None:
        """Events in the order of the record; others than of sunsets are passed over."""
        self.sunsets: list[SunsetStory] = []
        self._known = known
        self._holds: list[HoldStory] = []
        """Placed and not lifted: a sunset that begins has those that are there."""
        self._files: list[Said] = []
        self._plans: list[Said] = []
        """What was done for the next sunset before it began."""
        for event in events:
            self._tell(event)
        place = {id: n for n, id in enumerate(known)}
        for sunset in self.sunsets:
            # A record's own order is that of names: a plan has its days, and an order of its own.
            sunset.tasks.sort(
                key=lambda t: (t.planned or sunset.begun_at, place.get(t.id, len(place)))
            )

    def _tell(self, event: Announcement) -> None:
        if event.type in (BEGINS, "sunset.planned"):
            self._begin(event)
        here = self._here
        if event.type in ENDINGS and here:
            self._end(here, ENDINGS[event.type], event)
        elif event.type.startswith("sunset.legal-hold-"):
            self._hold(event)
        elif event.type == "sunset.customers":
            self._count(event)
        elif event.type == "product.sunset-planned":
            self._plans.append(said(event))
        elif event.type.startswith("sunset.task-") or event.type == "sunset.settled":
            if here:
                self._of_a_task(here, event)
        elif event.type.startswith("sunset.") and here:
            self._of_itself(here, event)

    @property
    def _here(self) -> SunsetStory | None:
        """The one that is under way, or else the last: it may speak after its product did."""
        return self.sunsets[-1] if self.sunsets else None

    def _begin(self, event: Announcement) -> None:
        """It may speak of itself before its product does, and be begun again by a reset."""
        here = self._here
        if here and here.outcome == UNDER_WAY:
            here.why = here.why or (event.text if event.type == BEGINS else "")
            return
        number = event.data.get("sunset", event.data.get("number"))
        begun = SunsetStory(
            number=number if isinstance(number, int) else len(self.sunsets) + 1,
            begun_at=event.at,
            outcome=UNDER_WAY,
            why=event.text if event.type == BEGINS else "",
        )
        begun.legal_holds = [hold for hold in self._holds if hold.lifted_at is None]
        begun.customer_files, self._files = self._files, []
        begun.plans, self._plans = self._plans, []
        self.sunsets.append(begun)

    def _end(self, here: SunsetStory, word: str, event: Announcement) -> None:
        if here.outcome != UNDER_WAY:
            return
        here.outcome, here.ended_at = word, event.at
        for task in here.tasks:
            if task.state not in ("done", "undone"):
                task.state = "not-done"

    def _of_itself(self, here: SunsetStory, event: Announcement) -> None:
        match event.type:
            case "sunset.planned" | "sunset.replanned":
                self._plan(here, event)
            case "sunset.abort-begun":
                reason = str(event.data.get("reason") or event.text)
                here.aborted = Said(at=event.at, by=event.actor, text=reason)
            case "sunset.customers-reminded":
                here.customers_reminded.append(said(event))
            case "sunset.withdrawn":
                here.withdrawn.append(said(event))
            case _:
                pass

    def _plan(self, here: SunsetStory, event: Announcement) -> None:
        data = event.data
        if notice := instant_in(data.get("notice_at")):
            here.first_notice_at = here.first_notice_at or notice
            here.notice_at = notice
        here.plans.append(said(event))
        here.moved = [str(line) for line in _list(data.get("moved"))]
        days = data.get("tasks")
        for id, day in days.items() if isinstance(days, dict) else ():
            task = self._task(here, str(id))
            task.at = instant_in(day) or task.at
            task.planned = task.planned or task.at

    def _of_a_task(self, here: SunsetStory, event: Announcement) -> None:
        data, word = event.data, event.type.removeprefix("sunset.").removeprefix("task-")
        if "task" not in data:
            return  # shortened, while the ledger was away for long
        task = self._task(here, str(data["task"]))
        match word:
            case "begun" if task.state == "planned":
                task.state = "begun"
            case "intended":
                task.state, task.intended_at = "begun", event.at
            case "done":
                self._done(task, event)
            case "undone":
                task.state, task.undone_at, task.undone = "undone", event.at, event.text
            case "overdue":
                task.overdue_at = event.at
            case "stuck" | "unknown" | "held" | "settled":
                task.trouble.append(said(event))
                if word != "settled" and task.state not in ("done", "undone"):
                    task.state = word
            case _:
                pass

    def _done(self, task: TaskStory, event: Announcement) -> None:
        data = event.data
        task.state, task.done_at = "done", event.at
        task.done = event.text.removeprefix(f"{task.title}: ")
        task.digest = str(data.get("digest") or "")
        task.confirmed_by = str(data.get("by") or event.actor)
        proof = data.get("proof")
        task.proof = proof if isinstance(proof, dict) else {}

    def _task(self, here: SunsetStory, id: str) -> TaskStory:
        for task in here.tasks:
            if task.id == id:
                return task
        known = self._known.get(id, Known(title=id, kind=""))
        task = TaskStory(
            id=id,
            title=known.title,
            kind=known.kind,
            effect=known.effect,
            marks=known.marks,
            state="planned",
        )
        here.tasks.append(task)
        return task

    def _hold(self, event: Announcement) -> None:
        matter, reason = str(event.data.get("matter")), str(event.data.get("reason") or event.text)
        if event.type.endswith("-placed"):
            hold = HoldStory(
                matter=matter, placed_at=event.at, placed_by=event.actor, reason=reason
            )
            self._holds.append(hold)
            if (here := self._here) and here.outcome == UNDER_WAY:
                here.legal_holds.append(hold)
            return
        for hold in self._holds:
            if hold.matter == matter and hold.lifted_at is None:
                hold.lifted_at, hold.lifted_by = event.at, event.actor
                hold.lift_reason = reason

    def _count(self, event: Announcement) -> None:
        data, here = event.data, self._here
        counts = _counts(data.get("counts"))
        if here is None or here.outcome != UNDER_WAY:
            self._files.append(_filed(event))
            return
        if counts:
            here.customers, here.customers_at = counts, event.at
            here.customers_digest = str(data.get("digest") or "")
            here.customer_files += [
                Said(at=event.at, text=str(line)) for line in _list(data.get("said"))
            ]
        else:
            here.customer_files.append(_filed(event))


def said(event: Announcement) -> Said:
    return Said(at=event.at, by=event.actor, text=event.text)


def _filed(event: Announcement) -> Said:
    digest = str(event.data.get("digest") or "")
    return Said(at=event.at, by=event.actor, text=f"{event.text} {digest}".strip())


def _counts(found: Any) -> dict[str, int]:
    if not isinstance(found, dict):
        return {}
    return {str(name): n for name, n in found.items() if isinstance(n, int)}


def _list(found: Any) -> list[Any]:
    return found if isinstance(found, list) else []
