"""The colours of roadmaps, light and dark. Texts have a contrast of 4.5 and marks of 3 at least
(WCAG 2.2, success criteria 1.4.3 and 1.4.11); tests/unit/test_pictures.py holds them to it."""

from __future__ import annotations

from collections.abc import Mapping

LIGHT: Mapping[str, str] = {
    "page": "#ffffff",
    "band": "#f6f8fa",
    "line": "#d0d7de",
    "text": "#1f2328",
    "muted": "#59636e",
    "accent": "#0550ae",
    "done": "#e7ebf0",
    "done-edge": "#6e7781",
    "done-text": "#1f2328",
    "current": "#0969da",
    "current-edge": "#0550ae",
    "current-text": "#ffffff",
    "ahead": "#eaf4ff",
    "ahead-edge": "#2f81d8",
    "ahead-text": "#0a3069",
    "market": "#1a7f37",
    "market-edge": "#116329",
    "market-text": "#ffffff",
    "ghost": "#bc4c00",
    "good": "#1a7f37",
    "warn": "#9a6700",
    "bad": "#cf222e",
    "open": "#8250df",
    "on-mark": "#ffffff",
    "today": "#cf222e",
}
DARK: Mapping[str, str] = {
    "page": "#0d1117",
    "band": "#151b23",
    "line": "#3d444d",
    "text": "#f0f6fc",
    "muted": "#9198a1",
    "accent": "#4493f8",
    "done": "#262c36",
    "done-edge": "#848d97",
    "done-text": "#f0f6fc",
    "current": "#1158c7",
    "current-edge": "#79b8ff",
    "current-text": "#ffffff",
    "ahead": "#0c2239",
    "ahead-edge": "#4493f8",
    "ahead-text": "#cae8ff",
    "market": "#196c2e",
    "market-edge": "#56d364",
    "market-text": "#ffffff",
    "ghost": "#f0883e",
    "good": "#3fb950",
    "warn": "#d29922",
    "bad": "#f85149",
    "open": "#ab7df8",
    "on-mark": "#0d1117",
    "today": "#ff7b72",
}
TEXTS = (
    ("text", "page"),
    ("text", "band"),
    ("muted", "page"),
    ("muted", "band"),
    ("accent", "page"),
    ("accent", "band"),
    ("good", "page"),
    ("warn", "page"),
    ("bad", "page"),
    ("bad", "band"),
    ("ghost", "page"),
    ("ghost", "band"),
    ("done-text", "done"),
    ("current-text", "current"),
    ("ahead-text", "ahead"),
    ("market-text", "market"),
    ("on-mark", "good"),
    ("on-mark", "warn"),
    ("on-mark", "bad"),
    ("on-mark", "open"),
    ("on-mark", "done-edge"),
)
"""Pairs of text and what it stands on."""

MARKS = ("done-edge", "current-edge", "ahead-edge", "market-edge", "ghost", "good", "warn", "bad",
         "open", "today", "muted")  # fmt: skip
"""What has to stand out from the page and its bands."""
