"""Nothing that anybody wrote steers the terminal or the page on which it is read."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.failing import tell
from commands.output import Fields, Grid, emit, harmless, json_text, show_beside
from phasegate.errors import PhasegateError
from phasegate.markdown import line
from phasegate.problems import DocumentError
from phasegate.reading import read_product

ESCAPES = "\x1b[2J\x9b31m\x07\x08\r\u202eevil\u2066\u061c\x7f\u2028"


def steers(text: str) -> bool:
    return any(
        (not char.isprintable() and char not in "\n\t") or 0xD800 <= ord(char) < 0xE000
        for char in text
    )


def test_errors_notes_and_tables(capsys: pytest.CaptureFixture[str]) -> None:
    tell(PhasegateError(f"what {ESCAPES}", f"why {ESCAPES}", f"hint {ESCAPES}"))
    show_beside([Fields([("comment", ESCAPES)])])
    emit({}, lambda: [Fields([("a", ESCAPES)]), Grid(["b"], [[ESCAPES]])], "table")
    shown = capsys.readouterr()
    assert not steers(shown.out)
    assert not steers(shown.err)
    assert "evil" in shown.out


def test_json_is_the_same_data(capsys: pytest.CaptureFixture[str]) -> None:
    data = {"comment": ESCAPES, "name": "Größe 東京 👩‍🔧"}
    for form in ("json", "jsonl"):
        emit(data, list, form)  # type: ignore[arg-type]
        shown = capsys.readouterr().out
        assert not {*"\x1b\x9b\u202e"} & {*shown}
        assert "Größe 東京" in shown
        assert json.loads(shown) == data
    tell(PhasegateError(ESCAPES), machine=True)
    assert json.loads(capsys.readouterr().err)["error"] == ESCAPES


@given(st.text())
def test_whatever_was_written(text: str) -> None:
    assert json.loads(json_text([text])) == [text]
    for shown in (harmless(text), line(text)):
        assert not {*shown} & {*map(chr, (*range(9), *range(11, 32), *range(127, 160), 0x202E))}


def test_a_status_page_shows_text_as_text() -> None:
    hostile = "# x\n![i](http://x/) <img src=x> `a` | [b](javascript:c)\u202e\x1b[1m"
    shown = line(hostile)
    assert (
        shown
        == r"# x !\[i](http://x/) \<img src=x> \`a\` \| \[b](javascript:c)" + "\ufffd\ufffd\\[1m"
    )


@pytest.mark.parametrize("char", ["\u202e", "\u2066", "\x9b"])
def test_documents_are_read_in_the_order_in_which_they_are_written(char: str) -> None:
    with pytest.raises(DocumentError) as error:
        read_product(f"key: a\nname: 'A{char}B'\nowner: olga\ntier: 1\n", "product.yaml")
    assert f"U+{ord(char):04X}; remove it" in str(error.value) or "unreadable" in str(error.value)
