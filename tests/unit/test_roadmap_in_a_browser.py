"""The HTML roadmap as Debian's chromium shows it: a hundred products, legible and by keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from browsing import chromium
from browsing import opened as page_of
from playwright.sync_api import Browser, Page
from portfolio import portfolio

from client.pictures.drawing import html
from phasegate.roadmap_layout import lay_out

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@dataclass
class Seen:
    page: Page
    said: list[str]
    """What the console said, what failed, and what was asked of the network."""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    roadmap = portfolio(100, hostile=True)
    path = tmp_path_factory.mktemp("pages") / "roadmap.html"
    path.write_text(html(roadmap, lay_out(roadmap, group_by="owner")), "utf-8")
    return path


def opened(browser: Browser, file: Path, **more: Any) -> Seen:
    more.setdefault("viewport", {"width": 1440, "height": 900})
    return Seen(*page_of(browser, file, **more))


OVERLAPS = """() => {
  const box = (e) => e.getBoundingClientRect();
  const meet = (a, b) => a.left < b.right - 1 && b.left < a.right - 1
    && a.top < b.bottom - 1 && b.top < a.bottom - 1;
  const found = [];
  const check = (name, one, others) => {
    for (const other of others) if (meet(box(one), box(other)))
      found.push(`${name}: ${one.textContent} / ${other.textContent}`);
  };
  for (const row of document.querySelectorAll(".row")) {
    const all = [...row.querySelectorAll(".label")], gates = [...row.querySelectorAll(".gate")];
    const labels = all.filter((label) => box(label).width);
    labels.forEach((label, n) => {
      check("labels", label, labels.slice(n + 1));
      check("label and gate", label, gates);
    });
    const dots = [...row.querySelectorAll(".dot")];
    dots.forEach((dot) => check("milestone and gate", dot, gates));
    dots.forEach((dot) => check("milestone and label", dot, labels));
  }
  const ticks = [...document.querySelectorAll(".axis svg svg text")];
  ticks.forEach((tick, n) => check("ticks", tick, ticks.slice(n + 1)));
  const names = [...document.querySelectorAll(".name, .heading")];
  names.forEach((name, n) => check("names", name, names.slice(n + 1, n + 3)));
  return found;
}"""


@pytest.mark.parametrize("zoom", [1, 4])
def test_a_hundred_products_are_legible(browser: Browser, file: Path, zoom: int) -> None:
    seen = opened(browser, file)
    seen.page.check(f"#zoom{zoom}")
    assert seen.page.evaluate(OVERLAPS) == []
    sizes = seen.page.evaluate(
        "() => [...document.querySelectorAll('.label')].map("
        "(e) => e.getBoundingClientRect().height)"
    )
    shown = [size for size in sizes if size]
    assert len(shown) > 300
    assert min(shown) >= 9
    assert seen.said == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_follows_the_colours_of_the_system(browser: Browser, file: Path, scheme: Any) -> None:
    seen = opened(browser, file, color_scheme=scheme)
    page = seen.page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    assert page == {"light": "rgb(255, 255, 255)", "dark": "rgb(13, 17, 23)"}[scheme]
    assert seen.said == []


def test_names_and_the_axis_stay_while_the_chart_is_scrolled(browser: Browser, file: Path) -> None:
    seen = opened(browser, file)
    seen.page.check("#zoom4")
    where = """() => { const chart = document.querySelector("#chart");
      const at = (s) => document.querySelector(s).getBoundingClientRect();
      return [at(".names").left, at(".axis").top, chart.scrollWidth > chart.clientWidth * 2]; }"""
    seen.page.evaluate("() => document.querySelector('#chart').scrollTo(0, 0)")
    before = seen.page.evaluate(where)
    assert before[2], "zoomed, it is wider than the page"
    for x, y in ((900, 700), (1e6, 1e6)):
        seen.page.evaluate(f"() => document.querySelector('#chart').scrollTo({x}, {y})")
        assert seen.page.evaluate(where) == before


def test_it_is_used_by_keyboard(browser: Browser, file: Path) -> None:
    page = opened(browser, file).page
    stops = page.evaluate("() => document.querySelectorAll('.item[tabindex=\"0\"]').length")
    assert stops == 1, "the chart is one stop of the tab key"
    page.focus(".item[tabindex='0']")
    first = page.text_content("#told")
    page.keyboard.press("ArrowRight")
    second = page.text_content("#told")
    page.keyboard.press("ArrowDown")
    third = page.text_content("#told")
    assert len({first, second, third}) == 3
    outline = "() => getComputedStyle(document.activeElement).outlineStyle"
    assert page.evaluate(outline) == "solid"
    page.keyboard.press("End")
    page.keyboard.press("Home")
    assert (page.text_content("#told") or "").split(" – ")[0] == (third or "").split(" – ")[0]


def test_the_filter_closes_the_gaps(browser: Browser, file: Path) -> None:
    page = opened(browser, file).page
    page.fill("#filter", "ballast")
    shown = "() => [...document.querySelectorAll('.name')].filter((e) => !e.hidden).length"
    left = page.evaluate(shown)
    assert 0 < left < 20
    assert page.text_content("#count") == f"{left} of 100 products"
    apart = page.evaluate(
        """() => [...document.querySelectorAll(".name")].filter((e) => !e.hidden).map((e) => {
          const row = [...document.querySelectorAll(".row")].find(
            (r) => r.dataset.row === e.dataset.row);
          return Math.abs(row.querySelector(".rule").getBoundingClientRect().bottom
            - e.getBoundingClientRect().bottom); })"""
    )
    assert max(apart) < 2, "names and rows stay side by side"
    page.fill("#filter", "")
    assert page.evaluate(shown) == 100


def test_without_scripts_everything_is_there(browser: Browser, file: Path) -> None:
    seen = opened(browser, file, java_script_enabled=False)
    assert seen.page.locator(".item[tabindex='0']").count() > 1000
    assert seen.page.locator("#tools").is_hidden()
    assert seen.page.locator("table").count() == 100
    seen.page.check("#zoom2")
    assert seen.said == []


def test_a_narrow_screen_scrolls_the_chart_and_not_the_page(browser: Browser, file: Path) -> None:
    seen = opened(browser, file, viewport={"width": 390, "height": 800})
    wide = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert seen.page.evaluate(wide) <= 0
