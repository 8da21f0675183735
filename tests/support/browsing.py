"""Debian's chromium, for tests of pages; they are skipped where there is none."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@contextmanager
def chromium() -> Iterator[Browser]:
    found = os.environ.get("PHASEGATE_CHROMIUM") or shutil.which("chromium")
    if not found:
        pytest.skip("no chromium here: apt-get install chromium, or set PHASEGATE_CHROMIUM")
    with sync_playwright() as play:
        started = play.chromium.launch(executable_path=found, args=FLAGS)
        yield started
        started.close()


def opened(browser: Browser, file: Path, **more: Any) -> tuple[Page, list[str]]:
    """The page, and what its console said, what failed, and what it asked of the network."""
    page, said = browser.new_context(**more).new_page(), list[str]()
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: said.append(dialog.message))
    page.on("request", lambda r: None if r.url == file.as_uri() else said.append(r.url))
    page.goto(file.as_uri())
    return page, said


def fits(browser: Browser, file: Path, scheme: Any, width: int) -> Page:
    """The page on such a screen: it runs and loads nothing, is no wider, and has its colour."""
    page, said = opened(
        browser, file, color_scheme=scheme, viewport={"width": width, "height": 800}
    )
    assert [line for line in said if not line.startswith("data:")] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert colour == {"light": "rgb(255, 255, 255)", "dark": "rgb(13, 17, 23)"}[scheme]
    return page


def reached_by_keyboard(browser: Browser, file: Path, scrolling: str) -> None:
    """The keyboard skips to the text, and reaches all that scrolls; no heading is missing."""
    page, _ = opened(browser, file, viewport={"width": 320, "height": 800})
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    names = page.evaluate(
        f"[...document.querySelectorAll('{scrolling}')].map((e) => e.tabIndex + e.ariaLabel)"
    )
    assert len(names) > 10
    assert len(set(names)) == len(names)
    assert all(name.startswith("0") for name in names)
    levels = page.evaluate(
        "[...document.querySelectorAll('h1,h2,h3,h4')].map((e) => +e.tagName[1])"
    )
    assert all(b - a <= 1 for a, b in pairwise(levels))
