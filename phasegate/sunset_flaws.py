"""What can be wrong with a sunset as it is planned: each rule with its code."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from phasegate.errors import Rejected
from phasegate.problems import DocPath


class Flaw(Rejected):
    """A rule that a plan breaks. `path` is where, from the top of the plan or the adjustments."""

    def __init__(
        self, code: str, what: str, why: str, hint: str = "", *, path: DocPath = ()
    ) -> None:
        super().__init__(code, what, why, hint)
        self.path = path


def meant(name: str, known: Iterable[str]) -> str:
    """`; did you mean …?` for a name that looks like a known one."""
    close = get_close_matches(name, sorted(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""


def raise_first(flaws: Iterable[Flaw], product: str) -> None:
    """Raise the first flaw; how many more there are is said in its reason."""
    found = list(flaws)
    if not found:
        return
    first, others = found[0], found[1:4]
    first.why += "".join(f"; also: {flaw}" for flaw in others)
    if len(found) > 4:
        first.why += f"; and {len(found) - 4} more"
    first.hint = first.hint or f"phasegate sunset plan {product} --dry-run"
    raise first
