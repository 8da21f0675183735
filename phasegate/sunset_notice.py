"""The public notice: what ends, when, and what customers can do. As text and as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from phasegate.deprecation import address
from phasegate.public_sunset import PublicSunset, is_day

MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September",
          "October", "November", "December")  # fmt: skip
MEANS = {
    "end-of-sales": "the last day on which it can be ordered",
    "end-of-security-support": "the last day with security fixes",
    "end-of-life": "the last day on which it is supported in any way",
}
"""What a date means, in the sense of the OpenEoX taxonomy."""

PAGES = {
    "notice": "This notice",
    "sunset": "All about it",
    "migration": "How to move",
    "export": "How to take your data with you",
    "support": "Help",
    "contact": "Questions",
}
"""What links are called that are known by name; others go by their own."""

_MARKS = re.compile(r"([\\`*_{}\[\]<>()#+=!|~&-])")
_NUMBERED = re.compile(r"^(\d+)([.)])", re.M)


@dataclass(frozen=True)
class _Pen:
    """Writes what people said as text, and nothing more than text."""

    markdown: bool

    def paragraph(self, text: str) -> str:
        """Lines stay lines; nothing of it steers a terminal or a mail."""
        text = "".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in text)
        text = "\n".join(line.strip() for line in text.splitlines())
        if not self.markdown:
            return text
        # CommonMark: no heading, list, link, code or HTML.
        return _NUMBERED.sub(r"\1\\\2", _MARKS.sub(r"\\\1", text))

    def line(self, text: str) -> str:
        return self.paragraph(" ".join(text.split()))

    def link(self, url: str) -> str:
        return f"<{address(url)}>" if self.markdown else address(url)


def notice_of(facts: PublicSunset, *, markdown: bool = False) -> str:
    """The whole notice. What of it somebody wrote is text, in Markdown, too."""
    return "\n\n".join(_parts(facts, _Pen(markdown))) + "\n"


def in_words(at: datetime) -> str:
    """`31 December 2027`, with the time where it is none of a day's ends; UTC."""
    at = at.astimezone(UTC)
    day = f"{at.day} {MONTHS[at.month - 1]} {at.year}"
    return day if is_day(at) else f"{day}, {at:%H:%M} UTC"


def _parts(facts: PublicSunset, pen: _Pen) -> Iterator[str]:
    name = pen.line(facts.name)
    title = f"{name} {'stays' if facts.standing == 'withdrawn' else 'is being retired'}"
    yield f"# {title}" if pen.markdown else title
    if facts.standing == "withdrawn":
        yield (
            f"The retirement of {name} with public notice on {in_words(facts.notice_at)} is "
            "withdrawn: the dates named there are no longer so."
        )
        yield from _list("", _pages(facts, pen, ("support", "contact")))
        return
    if facts.text:
        yield "\n\n".join(pen.paragraph(part) for part in re.split(r"\n\s*\n", facts.text))
    yield from _list("Dates (UTC):", _dates(facts, pen))
    if successor := facts.successor:
        linked = f": {pen.link(successor.link)}" if successor.link else "."
        yield f"What to use instead: {pen.line(successor.name)}{linked}"
    others = sorted(facts.links.keys() - PAGES.keys())
    yield from _list("More:", _pages(facts, pen, (*PAGES, *others)))


def _dates(facts: PublicSunset, pen: _Pen) -> Iterator[str]:
    days = [(facts.notice_at, "Public notice", "")]
    days += [(date.at, date.label, MEANS.get(date.marks, "")) for date in facts.dates]
    if facts.deletion_at:
        means = "data that is still there is deleted from then on"
        days.append((facts.deletion_at, "Deletion", means))
    for at, label, means in sorted(days, key=lambda day: day[0]):
        yield f"{in_words(at)}: {pen.line(label)}" + (f", {means}" if means else "")


def _pages(facts: PublicSunset, pen: _Pen, names: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        if url := facts.links.get(name):
            label = PAGES.get(name) or name.replace("-", " ").capitalize()
            yield f"{pen.line(label)}: {pen.link(url)}"


def _list(title: str, items: Iterator[str]) -> Iterator[str]:
    if lines := [f"- {item}" for item in items]:
        if title:
            yield title
        yield "\n".join(lines)
