"""A retrospective as a page: whole, and what anybody wrote in it is text and nothing more."""

from __future__ import annotations

from collections import Counter

import pytest
from pages import Page
from tales import Tale, day
from whole_life import HOSTILE, policy, whole_life

from client.pictures.retrospective import acts, html
from phasegate.events import Anchor
from phasegate.retrospective import retrospective_of
from phasegate.retrospective_view import Retrospective, SunsetStory, TaskStory

HEAD = Anchor(seq=51, hash="ab" * 32)


def told(tale: Tale, chain_fault: str = "") -> Retrospective:
    return retrospective_of(
        tale.key, tale.events, policy(), HEAD, day(400), chain_fault=chain_fault
    )


@pytest.fixture(scope="module", params=["fine", HOSTILE], ids=["fine", "hostile"])
def page(request: pytest.FixtureRequest) -> Page:
    return Page(html(told(whole_life(said=request.param))))


def test_it_is_whole_and_loads_nothing(page: Page) -> None:
    assert page.faults == []
    assert page.open == []
    assert page.tags["script"] == page.tags["img"] == 0
    assert page.tags["h1"] == page.tags["main"] == 1
    assert all(count == 1 for count in Counter(page.ids).values())


def test_links_are_pages_and_places_that_are_there(page: Page) -> None:
    places = [link.removeprefix("#") for link in page.links if link.startswith("#")]
    assert set(places) <= set(page.ids)
    others = [link for link in page.links if not link.startswith("#")]
    assert others
    assert all(link.startswith("https://") for link in others)


def test_it_says_who_did_what_and_what_shows_it(page: Page) -> None:
    for said in (
        "Overridden by zoe",
        "2 attempts refused",
        "Not answered: cy (eng)",
        "5 days late",
        "Sunset 1: aborted",
        "Aborted by max",
        "Undone",
        "Sunset 2: retired",
        "sha256:" + "b" * 64,
        "count: 12345",
        "intent recorded 2026-12-01 09:00 UTC",
        "case-7",
        "unbroken",
        HEAD.hash,
    ):
        assert said in page.text, said
    assert page.text.count("sha256:" + "b" * 64) == 1


def test_what_anybody_wrote_is_text() -> None:
    page = Page(html(told(whole_life(said=HOSTILE))))
    assert "<script>alert(1)</script>" in page.text
    assert "{{ 7*7 }}" in page.text
    assert "\u202e" not in page.text
    assert "\0" not in page.text


def test_a_life_that_has_just_begun() -> None:
    page = Page(html(told(Tale().start())))
    assert page.faults == []
    assert "No gate was held." in page.text
    assert "Sunset" not in page.text


def test_a_broken_chain_is_said_at_the_top() -> None:
    page = Page(html(told(whole_life(), chain_fault="entry 7 is missing")))
    assert "The record does not add up : entry 7 is missing" in page.text
    assert "found broken" in page.text
    assert "unbroken" not in page.text


def test_an_overruled_stop_and_a_hold_are_shown() -> None:
    tale = Tale().start().open(1).decide(3, "hold").say(4, "product.held")
    tale.gate(5, "overridden", "zoe", reason="a buyer", **{"from": "hold", "to": "go"})
    page = Page(html(told(tale)))
    assert "Overruled by zoe" in page.text
    assert "hold became go. a buyer" in page.text
    assert "Time that did not count" in page.text


def test_tasks_whose_day_nobody_knows_come_last() -> None:
    """Of a plan that was shortened, while the ledger was away for long."""
    tasks = [
        TaskStory(id="unknown", title="Unknown", state="not-done"),
        TaskStory(id="planned", title="Planned", state="planned", at=day(9)),
        TaskStory(id="other", title="Other", state="not-done"),
        TaskStory(id="done", title="Done", state="done", done_at=day(20)),
    ]
    sunset = SunsetStory(number=1, begun_at=day(1), outcome="under way", tasks=tasks)
    assert [task.id for task in acts(sunset)] == ["done", "planned", "unknown", "other"]
