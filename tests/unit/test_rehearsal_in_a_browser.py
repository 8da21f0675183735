"""The page of a rehearsal as Debian's chromium shows it: on screens, on paper, and by keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import chromium, fits, opened, reached_by_keyboard
from playwright.sync_api import Browser
from rehearsals import HOSTILE, rehearsal

from client.pictures.rehearsal import rehearsal_html

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]

OVERLAPS = """() => {
  const box = (e) => e.getBoundingClientRect(), found = [];
  const meet = (a, b) => a.left < b.right - 1 && b.left < a.right - 1
    && a.top + 2 < b.bottom - 2 && b.top + 2 < a.bottom - 2;
  for (const svg of document.querySelectorAll(".picture svg")) {
    const frame = box(svg), texts = [...svg.querySelectorAll("text")];
    texts.forEach((one, n) => {
      const a = box(one);
      if (a.left < frame.left - 1 || a.right > frame.right + 1)
        found.push("out: " + one.textContent);
      for (const other of texts.slice(n + 1))
        if (meet(a, box(other))) found.push(one.textContent + " / " + other.textContent);
    });
  }
  return found;
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module", params=["fine", "hostile"])
def file(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    words = HOSTILE + "x" * 200 if request.param == "hostile" else ""
    found = rehearsal(12, 60, stuck=0.2, alone=["mara"], words=words)
    path = tmp_path_factory.mktemp("pages") / "rehearsal.html"
    path.write_text(rehearsal_html(found), "utf-8")
    return path


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 320])
def test_nothing_is_run_loaded_upon_another_or_wider_than_the_screen(
    browser: Browser, file: Path, scheme: Any, width: int
) -> None:
    page = fits(browser, file, scheme, width)
    assert page.evaluate(OVERLAPS) == []


def test_what_stops_it_is_seen_without_scrolling(browser: Browser, file: Path) -> None:
    page, _ = opened(browser, file, viewport={"width": 1280, "height": 800})
    first = page.locator(".verdict").first
    assert "One person on leave" in first.inner_text()
    box = first.bounding_box()
    assert box is not None
    assert box["y"] + 100 < 800


def test_paper_has_the_tables_that_a_screen_folds(browser: Browser, file: Path) -> None:
    page, _ = opened(browser, file, viewport={"width": 718, "height": 1000})  # A4 at 96 dpi
    folded = page.locator("details table").first
    assert not folded.is_visible()
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("document.documentElement.scrollWidth") <= 718
    assert not page.locator("nav").is_visible()
    assert folded.is_visible()
    colour = page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--page')")
    assert colour == "#ffffff"


def test_the_keyboard_reaches_the_report_and_all_that_scrolls(browser: Browser, file: Path) -> None:
    reached_by_keyboard(browser, file, ".wide,.picture")
