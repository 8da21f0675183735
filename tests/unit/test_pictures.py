"""Pictures of roadmaps: what is in them, that nobody's name breaks them, and that they stay."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import pytest
from portfolio import HOSTILE, portfolio

from client.pictures.drawing import html, svg
from client.pictures.png import png
from client.pictures.theme import DARK, LIGHT, MARKS, TEXTS
from client.usage import UsageError
from phasegate.roadmap import Missing, Roadmap
from phasegate.roadmap_layout import lay_out

GOLDEN = Path(__file__).with_name("roadmap.golden.svg")
SVG = "{http://www.w3.org/2000/svg}"
VOID = {"meta", "link", "input", "br"}


class Page(HTMLParser):
    """Reads a page strictly enough to see what a browser would make of it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.refs: list[str] = []
        self.scripts = 0
        self.headings: list[str] = []
        self.lang = ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        assert not [name for name in found if name.startswith("on")], "a handler of an event"
        self.ids += [found["id"]] if "id" in found else []
        self.refs += [found[name] for name in ("src", "href", "xlink:href") if name in found]
        self.scripts += tag == "script"
        self.lang = found.get("lang", self.lang)
        self.headings += [tag] if re.fullmatch("h[1-6]", tag) else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open, tag
        assert self.open.pop() == tag


def parsed(picture: str) -> ET.Element:
    return ET.fromstring(picture)  # noqa: S314  # ours


def page_of(roadmap: Roadmap, **more: object) -> str:
    return html(roadmap, lay_out(roadmap, **more))  # type: ignore[arg-type]


def picture_of(roadmap: Roadmap) -> str:
    return svg(roadmap, lay_out(roadmap))


# -- the page -------------------------------------------------------------------------------------


def test_the_page_needs_nothing_from_anywhere() -> None:
    text = page_of(portfolio(30))
    page = Page(text)
    outside = [ref for ref in page.refs if not ref.startswith(("#", "data:,"))]
    assert outside == []
    assert page.scripts == 1
    assert not re.search(r"@import|url\(", text)
    assert "default-src 'none'" in text


def test_whatever_products_are_called_stays_text() -> None:
    roadmap = portfolio(12, hostile=True)
    roadmap.missing.append(Missing(key="gone", why="<img src=x onerror=alert(1)>"))
    roadmap.products[6].name = "bell\x07 null\x00 \ud800"
    text = html(roadmap, lay_out(roadmap, group_by="owner"), title="</title><script>x</script>")
    assert Page(text).scripts == 1
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert HOSTILE[1] in text
    assert "\x07" not in text
    assert "\x00" not in text
    text.encode()


def test_the_page_can_be_read_without_seeing_it() -> None:
    roadmap = portfolio(5)
    text = page_of(roadmap)
    page = Page(text)
    assert page.lang == "en"
    assert page.headings == ["h1", "h2", "h2", "h3", "h3", "h3", "h3", "h3"]
    assert len(page.ids) == len(set(page.ids)), "an id is there twice"
    named = {ref for refs in re.findall(r'aria-labelledby="([^"]+)"', text) for ref in refs.split()}
    assert named <= set(page.ids)
    assert {ref[1:] for ref in page.refs if ref.startswith("#")} <= set(page.ids)
    for product in roadmap.products:  # the tables tell all that is drawn
        for milestone in product.forecast.milestones:
            assert text.count(milestone.title) >= 1
    rows = sum(
        len(p.forecast.phases) + len(p.forecast.gates) + len(p.forecast.milestones)
        for p in roadmap.products
    )
    assert text.count('<th scope="row">') == rows


def test_every_mark_can_be_reached_by_keyboard_and_tells_what_it_is() -> None:
    roadmap = portfolio(5)
    chart = lay_out(roadmap)
    text = html(roadmap, chart)
    marks = sum(len(r.bars) + len(r.diamonds) + len(r.dots) for r in chart.rows)
    assert text.count('<g class="item" tabindex="0" role="img" aria-labelledby=') == marks
    assert text.count("<desc ") == marks
    assert ":focus-visible" in text


def test_an_empty_roadmap_is_a_page_too() -> None:
    roadmap = portfolio(0)
    assert "0 products as of" in page_of(roadmap)
    parsed(picture_of(roadmap))


# -- the picture ----------------------------------------------------------------------------------


def test_the_svg_is_well_formed_whatever_products_are_called() -> None:
    roadmap = portfolio(24, hostile=True)
    roadmap.products[6].name = "bell\x07 null\x00"
    chart = lay_out(roadmap, group_by="policy")
    root = parsed(svg(roadmap, chart, title="<a> & ]]>"))
    assert root.find(f"{SVG}title").text == "<a> & ]]>"  # type: ignore[union-attr]
    assert not root.findall(f".//{SVG}script")
    assert {tag.tag for tag in root.iter()} <= {
        SVG + name
        for name in ("svg", "title", "desc", "style", "rect", "text", "g", "line", "path", "circle")
    }


def test_texts_of_the_svg_stay_in_their_room() -> None:
    root = parsed(picture_of(portfolio(24, hostile=True)))
    assert max(len(text.text or "") for text in root.iter(f"{SVG}text")) < 60


def test_the_same_roadmap_is_the_same_picture() -> None:
    """Run `python tests/unit/test_pictures.py` to draw it anew, and look at it."""
    assert picture_of(portfolio(3)) == GOLDEN.read_text("utf-8")
    assert page_of(portfolio(9)) == page_of(portfolio(9))


def test_png_is_drawn_at_twice_the_size() -> None:
    pytest.importorskip("resvg_py", reason="the extra `pictures` is not installed")
    drawn = png(picture_of(portfolio(3, hostile=True)))
    assert drawn[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = (int.from_bytes(drawn[at : at + 4]) for at in (16, 20))
    assert width == 2 * (230 + 1200 + 16)
    assert height > 400


def test_without_resvg_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "resvg_py", None)
    with pytest.raises(UsageError, match="PNG cannot be drawn here") as told:
        png("<svg/>")
    assert "phasegate[pictures]" in told.value.hint


# -- colours --------------------------------------------------------------------------------------


def luminance(colour: str) -> float:
    """Of sRGB, as WCAG 2.2 defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_contrast_is_enough_for_everybody(colours: dict[str, str]) -> None:
    texts = {pair: contrast(colours[pair[0]], colours[pair[1]]) for pair in TEXTS}
    assert {pair: round(c, 2) for pair, c in texts.items() if c < 4.5} == {}
    marks = {(m, on): contrast(colours[m], colours[on]) for m in MARKS for on in ("page", "band")}
    assert {pair: round(c, 2) for pair, c in marks.items() if c < 3} == {}
    assert LIGHT.keys() == DARK.keys()


if __name__ == "__main__":
    GOLDEN.write_text(picture_of(portfolio(3)), "utf-8")
