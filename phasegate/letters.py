"""Announcements as people read them: in plain words, with the command that answers them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from phasegate.base import Wire
from phasegate.concern import Ask, Concern
from phasegate.events import Announcement
from phasegate.markdown import day

LONGEST = 500
"""Characters of what an announcement says; the whole of it is in the record."""

RANK = list(Ask)


class Item(Wire):
    """One announcement, to one person it concerns."""

    event: Announcement
    concern: Concern
    name: str
    """The product's."""

    @property
    def rank(self) -> tuple[bool, int, str]:
        """Urgent first, then what asks for something, then by day."""
        due = self.concern.due.isoformat() if self.concern.due else "9999"
        return not self.concern.urgent, RANK.index(self.concern.ask), due


class Letter(NamedTuple):
    """A subject of one line, and plain text."""

    subject: str
    text: str


def letter(items: Sequence[Item]) -> Letter:
    """One event is a letter of its own; several are one digest, the urgent ones first."""
    if len(items) == 1:
        return _single(items[0])
    ordered = sorted(items, key=lambda item: item.rank)
    asking = [item for item in ordered if item.concern.ask is not Ask.nothing]
    urgent = sum(item.concern.urgent for item in items)
    waits = f"{len(asking)} wait for you" if len(asking) != 1 else "one waits for you"
    subject = f"{len(items)} events: {waits if asking else 'nothing is asked of you'}"
    parts = []
    for title, chosen in (
        ("These wait for you:", asking),
        ("To know:", [item for item in ordered if item.concern.ask is Ask.nothing]),
    ):
        if chosen:
            parts.append("\n\n".join([title, *map(_entry, chosen)]))
    if asking:
        parts.append(
            f"All that waits for you:\n\n    phasegate inbox --as {items[0].concern.person}"
        )
    return Letter(f"Urgent: {subject}" if urgent else subject, "\n\n".join(parts) + "\n")


def chat_line(event: Announcement, name: str) -> str:
    """An event in one line for a channel, with the command that shows more."""
    by = f" ({event.actor})" if event.actor else ""
    return f"{one_line(name or event.product)}: {one_line(event.text)}{by} – {_look(event)}"


def answer(item: Item) -> str:
    """The command that answers it, or that shows more where nothing is asked."""
    event, concern = item.event, item.concern
    key, who = event.product, concern.person
    gate = f"{key}/{event.data.get('gate', '')}"
    sign = " --sign" if event.data.get("assurance") == "signed" else ""
    match concern.ask:
        case Ask.vote | Ask.advise:
            return f"phasegate gate vote {gate} go --as {who}{sign}"
        case Ask.stand_in:
            return f"phasegate gate vote {gate} go --as {who} --for {concern.holder}{sign}"
        case Ask.work:
            return f"phasegate gate submit {gate if gate[-1] != '/' else key} --as {who}"
        case Ask.confirm | Ask.settle:
            task = event.data.get("task", "TASK")
            return f"phasegate sunset confirm {key} {task} --note 'what shows it' --as {who}"
        case Ask.plan:
            return f"phasegate sunset plan {key} FILE --as {who}"
        case Ask.promise:
            name = event.data.get("condition", "ID")
            return f"phasegate condition close {key} {name} --note 'what shows it' --as {who}"
        case Ask.milestone:
            return f"phasegate milestone report {key} {event.data.get('milestone')} --as {who}"
    return _look(event)


def _look(event: Announcement) -> str:
    if event.type.startswith("gate.") and event.data.get("gate"):
        return f"phasegate gate show {event.product}/{event.data['gate']}"
    if event.type.startswith("sunset."):
        return f"phasegate sunset show {event.product}"
    return f"phasegate product show {event.product}"


def _single(item: Item) -> Letter:
    event = item.event
    parts = [f"{one_line(event.text)}.", *_asks(item), f"    {answer(item)}"]
    if item.concern.ask is not Ask.nothing:
        parts += ["See it first:", f"    {_look(event)}"]
    by = f", by {event.actor}" if event.actor else ""
    parts.append(f"{one_line(item.name)} ({event.product}), {day(event.at)}{by}.")
    subject = f"{one_line(item.name or event.product)}: {_headline(item)}"
    urgent = "Urgent: " if item.concern.urgent else ""
    return Letter(f"{urgent}{subject}"[:180], "\n\n".join(parts) + "\n")


def _headline(item: Item) -> str:
    due = f" by {item.concern.due:%Y-%m-%d}" if item.concern.due else ""
    gate = item.event.data.get("gate", "a gate")
    match item.concern.ask:
        case Ask.vote:
            return f"please vote on {gate}{due}"
        case Ask.stand_in:
            return f"you may vote on {gate} for {item.concern.holder}"
        case Ask.advise:
            return f"your advice on {gate}{due}"
        case Ask.promise:
            return f"a condition of yours{due}"
        case Ask.confirm:
            return f"please do {item.event.data.get('task', 'a task')} of its sunset{due}"
        case Ask.settle:
            return f"was {item.event.data.get('task', 'a task')} of its sunset done?"
    return one_line(item.event.text)


def _asks(item: Item) -> list[str]:
    due = f" by {day(item.concern.due)}" if item.concern.due else ""
    match item.concern.ask:
        case Ask.vote:
            return [f"Your vote is asked for{due}: go, conditional-go, recycle, hold or kill."]
        case Ask.stand_in:
            return [f"You may vote for {item.concern.holder}."]
        case Ask.advise:
            return [
                f"Your advice is asked for{due}. It is shown beside the votes and does not decide."
            ]
        case Ask.work:
            return ["When the work is done, submit the gate again:"]
        case Ask.confirm:
            return [f"This is yours to do{due}. When it is done, say what shows it:"]
        case Ask.settle:
            return [
                "Nobody can tell whether this was done, and it is not done again before somebody "
                "says so. Find out, and confirm that it was done; with --not-done if it was not:"
            ]
        case Ask.plan:
            return ["Plan it anew, so that it keeps the rules:"]
        case Ask.promise:
            return [f"This condition is yours{due}. When it is kept, say what shows that:"]
        case Ask.milestone:
            return ["If it is met, report it; if it will not be, plan it anew:"]
    return []


def _entry(item: Item) -> str:
    urgent = "URGENT " if item.concern.urgent else ""
    due = f" (by {day(item.concern.due)})" if item.concern.due else ""
    said = f"* {urgent}{one_line(item.name)}: {one_line(item.event.text)}{due}"
    return f"{said}\n    {answer(item)}"


def one_line(text: str) -> str:
    """Free text on one line, with nothing in it that a mail or a terminal would act on."""
    shown = " ".join(text.split())[:LONGEST]
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in shown)
