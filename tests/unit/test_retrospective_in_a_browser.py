"""A retrospective as Debian's chromium shows it: on screens and on paper, and by keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import chromium, fits, opened, reached_by_keyboard
from playwright.sync_api import Browser
from tales import day
from whole_life import HOSTILE, policy, whole_life

from client.pictures.retrospective import html
from phasegate.events import Anchor
from phasegate.retrospective import retrospective_of

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    said = HOSTILE + "x" * 200
    life = retrospective_of(
        "kettle", whole_life(said=said).events, policy(), Anchor(seq=9, hash="ab" * 32), day(400)
    )
    path = tmp_path_factory.mktemp("pages") / "kettle.html"
    path.write_text(html(life), "utf-8")
    return path


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 320])
def test_nothing_is_run_loaded_or_wider_than_the_screen(
    browser: Browser, file: Path, scheme: Any, width: int
) -> None:
    fits(browser, file, scheme, width)


def test_paper_has_all_of_it_and_no_menu(browser: Browser, file: Path) -> None:
    page, _ = opened(browser, file, viewport={"width": 718, "height": 1000})  # A4 at 96 dpi
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.scrollWidth") <= 718
    assert not page.locator("nav").is_visible()
    assert page.locator("code.hash").is_visible()


def test_the_keyboard_reaches_the_report_and_every_table(browser: Browser, file: Path) -> None:
    reached_by_keyboard(browser, file, ".wide")
