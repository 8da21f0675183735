"""How wide a text will be, about: for pictures that are laid out without a browser."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from unicodedata import category, combining, east_asian_width

_NARROW = frozenset("ijlI.,:;'|!()[]{}ftr ")
_BROAD = frozenset("mwMW@%&<>=+~^#")


def width_of(text: str, size: float) -> float:
    """Pixels of a text in a sans-serif font of `size` pixels; rather too much than too little."""
    return sum(map(_ems, text)) * size


def _ems(char: str) -> float:
    if combining(char) or category(char) in ("Mn", "Me", "Cf"):
        return 0.0
    if east_asian_width(char) in ("W", "F"):
        return 1.15
    if char in _NARROW:
        return 0.36
    if char in _BROAD:
        return 0.98
    return 0.72 if char.isupper() else 0.62


def fit(text: str, pixels: float, size: float) -> str:
    """As much of a text as fits, an ellipsis behind it if some does not; empty if too little."""
    text = " ".join(text.split())
    if width_of(text, size) <= pixels:
        return text
    ends = list(accumulate(map(_ems, text)))
    kept = text[: bisect_right(ends, pixels / size - _ems("…"))]
    return f"{kept.rstrip()}…" if len(kept) > 1 else ""
