"""One difference between two policies, in words and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from phasegate.base import Document, Wire, canonical
from phasegate.span import Span
from phasegate.within import BusinessDays

How = Literal["added", "removed", "renamed", "moved", "changed"]
What = Literal[
    "policy", "phase", "milestone", "review", "gate", "requirement", "criterion", "clock", "sunset"
]


class PolicyChange(Wire):
    """One difference. `where` is the phase, gate or task; values are as JSON would have them."""

    change: How
    what: What
    where: str
    field: str = ""
    old: Any = None
    new: Any = None
    text: str


def there(
    change: How, what: What, where: str, text: str, *, old: Any = None, new: Any = None
) -> PolicyChange:
    return PolicyChange(change=change, what=what, where=where, old=old, new=new, text=text)


def field_change(
    what: What, where: str, old: Document, new: Document, field: str, words: str
) -> Iterator[PolicyChange]:
    """One field, if it is not what it was."""
    was, now = getattr(old, field), getattr(new, field)
    if was == now:
        return
    yield PolicyChange(
        change="changed",
        what=what,
        where=where,
        field=field,
        old=as_json(old)[field],
        new=as_json(new)[field],
        text=f"{words}: {said(now)}, not {said(was)}",
    )


def as_json(model: Document) -> dict[str, Any]:
    return model.model_dump(mode="json")


def said(value: Any) -> str:
    """A value of a policy in words, cut short."""
    match value:
        case None | "" | () | []:
            return "none"
        case bool():
            return "yes" if value else "no"
        case Span() | BusinessDays():
            return value.words
        case tuple() | list():
            return ", ".join(map(said, value))
        case Document():
            text = canonical(as_json(value)).decode()
        case dict():
            text = ", ".join(f"{name}: {said(inner)}" for name, inner in value.items())
        case _:
            text = str(value)
    return text if len(text) <= 120 else text[:117] + "..."
