"""What is written is bound to its hash in every detail, and words can be taken out all the same."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phasegate import chain
from phasegate.chain import ChainBroken, Row
from phasegate.events import Anchor, Announcement
from phasegate.redacted import GONE, REDACTED, Redacted, as_redacted
from phasegate.seals import OPEN, Seal, read_seal, redact, sealed, texts

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ROOT = "5a" * 32

words = st.text(max_size=6) | st.sampled_from(["bo", "ana", "pairs", "bo bo", ""])
data = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
datas = st.dictionaries(words, data, max_size=4)


def said(data: dict[str, Any], **more: Any) -> Announcement:
    values = {"id": "e1", "type": "x", "product": "atlas", "source": "s", "at": AT, "actor": "bo"}
    return Announcement.model_validate({**values, "text": "bo said so", "data": data, **more})


def entry(data: dict[str, Any], **more: Any) -> chain.Entry:
    return chain.entry(said(data, **more), Anchor(), ROOT)


def seal_of(entry: chain.Entry) -> Seal:
    assert entry.seal is not None
    return entry.seal


def row(entry: chain.Entry, **changed: Any) -> Row:
    a, seal = entry.announcement, seal_of(entry).text
    values = (a.product, entry.seq, a.id, a.type, entry.prev_hash, entry.hash, entry.body, seal)
    return Row(**{**dict(zip(Row.__dataclass_fields__, values, strict=True)), **changed})


def why_broken(*rows: Row) -> str:
    with pytest.raises(ChainBroken) as broken:
        chain.walk("atlas", rows, Anchor())
    return f"{broken.value.seq}: {broken.value.why}"


@given(datas, datas)
def test_two_contents_never_have_one_hash(one: dict[str, Any], other: dict[str, Any]) -> None:
    first, second = entry(one), entry(other)
    assert (first.hash == second.hash) is (first.body == second.body)


@given(datas, st.data())
def test_any_other_character_in_a_stored_entry_is_found(one: dict[str, Any], pick: Any) -> None:
    stored = row(entry(one))
    for field in ("body", "seal"):
        text = getattr(stored, field)
        at = pick.draw(st.integers(0, len(text)))
        cut = pick.draw(st.integers(0, 2))
        new = (
            text[:at] + pick.draw(st.text(max_size=2) | st.just(text[at])) + text[at + cut :]
            if (at < len(text))
            else text + " "
        )
        if new != text and not (field == "seal" and new == ""):
            why_broken(row(entry(one), **{field: new}))


@given(datas, st.sets(st.integers(0, 40)), st.sets(st.integers(0, 40)))
def test_any_words_can_be_erased_and_the_hash_stays(
    one: dict[str, Any], first: set[int], second: set[int]
) -> None:
    whole = entry(one)
    body, seal = redact(whole.body, seal_of(whole), dict.fromkeys(first, GONE))
    again, both = redact(body, seal, dict.fromkeys(second, "person-0a1b2c"))
    places = len(texts(whole.body))
    assert set(both.redacted) == {n for n in first | second if n < places}
    for text, its in ((body, seal), (again, both)):
        assert chain.link("", text, its) == whole.hash
        assert read_seal(its.text) == its
    assert [p.number for p in texts(again)] == list(range(places))
    for place in texts(again):
        if place.number in second:
            assert place.text.strip("'") == "person-0a1b2c"


@given(datas)
def test_an_erased_word_cannot_be_found_by_trying(one: dict[str, Any]) -> None:
    """Whoever holds all that is left, and the right word, cannot tell that it is the right one."""
    whole = entry(one)
    number = next(p.number for p in texts(whole.body) if p.path == ("actor",))
    body, seal = redact(whole.body, seal_of(whole), {number: "person-0a1b2c"})
    assert seal.root is None
    assert number not in seal.salts
    left = json.dumps([body, seal.text])
    secret, _ = list(zip(seal_of(whole).parts(), texts(whole.body), strict=False))[number][0]
    assert not any(one in left for one in (secret.hex(), ROOT))
    # The digest is that of another word under another salt just as well: it commits to one only
    # together with a salt that nobody has any more.
    other = chain.entry(said(one), Anchor(), "6b" * 32)
    assert redact(other.body, seal_of(other), {number: "x"})[1].redacted != seal.redacted


def test_a_word_cannot_move_into_its_salt() -> None:
    """sha256(salt + text) would be the same for a longer salt and a shorter text."""
    whole = entry({"comment": "not go"})
    _, seal = redact(whole.body, seal_of(whole), {0: GONE})
    number = next(p.number for p in texts(whole.body) if p.text == "not go")
    salts = {**seal.salts, number: seal.salts[number] + b"not ".hex()}
    with pytest.raises(ValueError, match="match pattern"):
        Seal(salts=salts, redacted=seal.redacted)


def test_names_and_texts_and_shapes_are_told_apart() -> None:
    pairs: list[tuple[Any, Any]] = [
        ({"a": {"b": 1}}, {"a": ["b", 1]}),
        ({"a": {}}, {"a": []}),
        ({"a": {"pairs": [["b", 1]]}}, {"a": {"b": 1}}),
        ({"a": 1}, {"a": 1.0}),
        ({"a": 1}, {"a": True}),
        ({"a": 0}, {"a": None}),
        ({"a": "1"}, {"a": 1}),
        ({"a": "", "b": "c"}, {"a": "c", "b": ""}),
        ({"a": ["b"]}, {"a": "b"}),
    ]
    for one, other in pairs:
        assert entry(one).hash != entry(other).hash, (one, other)


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body.replace('"actor":', '"actor":"ana","actor":'),  # the last one would count
        lambda body: body.replace(":[1,2]", ":[1, 2]"),
        lambda body: body.replace(":1.5", ":1.50"),
        lambda body: body.replace(":1.5", ":15e-1"),
        lambda body: body.replace("1,2", "1,2.0"),
        lambda body: body.replace('"bo"', '"\\u0062o"'),
        lambda body: body.replace("ü", "u\u0308"),
        lambda body: body.replace("[1,2]", "[NaN,2]"),
        lambda body: body.replace('"bo"', '"\\ud800"'),
        lambda body: body.replace("[1,2]", "[" * 3_000 + "]" * 3_000),
        lambda body: body.replace("[1,2]", "[" * 700 + "]" * 700),
        lambda body: body.replace("[1,2]", "9" * 5_000),
        lambda body: json.dumps(dict(reversed(json.loads(body).items())), separators=(",", ":")),
        lambda body: body + "\n",
        lambda body: "[]",
        lambda body: "",
        lambda body: '"' + body,
    ],
)
def test_another_spelling_of_the_same_is_refused(change: Any) -> None:
    whole = entry({"n": [1, 2], "f": 1.5, "who": "bü"})
    assert change(whole.body) != whole.body
    why_broken(row(whole, body=change(whole.body)))


def test_what_is_nested_too_deeply_is_not_gone_through() -> None:
    whole = entry({"n": [1, 2]})
    deep = whole.body.replace("[1,2]", "[" * 700 + "]" * 700)
    with pytest.raises(ValueError, match="too deeply"):
        texts(deep)
    with pytest.raises(ValueError, match="too deeply"):
        redact(deep, seal_of(whole), {0: GONE})


@pytest.mark.parametrize(
    "seal",
    [
        "", "{}", "[]", "null", "x", '{"root":"5a"}', f'{{"root":"{"5A" * 32}"}}',
        f'{{"root": "{ROOT}"}}', f'{{"root":"{ROOT}","new":1}}', f'{{"root":"{"5b" * 32}"}}',
        f'{{"root":"{ROOT}","redacted":{{"0":"{ROOT}"}}}}', f'{{"salts":{{"0":"{ROOT}"}}}}',
        f'{{"salts":{{"-1":"{ROOT}"}}}}', f'{{"salts":{{"x":"{ROOT}"}}}}',
        f'{{"salts":{{"0":"{ROOT}"}},"redacted":{{"0":"{ROOT}"}}}}', "[" * 100_000,
        '{"salts":{' + ",".join(f'"{n}":"{ROOT}"' for n in range(99)) + "}}",
    ],
)  # fmt: skip
def test_a_seal_that_is_none_breaks_the_chain_and_nothing_else(seal: str) -> None:
    why = why_broken(row(entry({"a": "b"}), seal=seal))
    assert ROOT not in why


@given(st.text() | st.recursive(st.none() | st.text(), st.lists, max_leaves=5).map(json.dumps))
def test_whatever_stands_in_the_table_is_answered_with_a_broken_chain(text: str) -> None:
    whole = entry({"a": "b"})
    why_broken(row(whole, body=text))
    why_broken(row(whole, seal=text))


def test_what_an_entry_is_filed_under_is_never_salted() -> None:
    whole = entry({"a": "b"})
    tree = json.loads(sealed(whole.body, seal_of(whole)))
    assert {name: tree[name] for name in OPEN} == {
        name: json.loads(whole.body)[name] for name in OPEN
    }
    assert "bo" not in json.dumps(tree)


# -- erased words and the chain ----------------------------------------------------------------


def erased(instead: str, *, announce: dict[str, Any] | None = None) -> list[Row]:
    """A vote whose actor is replaced, and what is announced of it; None announces nothing."""
    whole = entry({"vote": "go"})
    place = next(p.number for p in texts(whole.body) if p.text == "go")
    body, seal = redact(whole.body, seal_of(whole), {place: instead})
    lost = row(whole, body=body, seal=seal.text)
    if announce is None:
        return [lost]
    about = Redacted(
        pseudonym="person-0a1b2c", reason="asked", entries=[as_redacted(1, body, seal)]
    ).model_dump(mode="json")
    about["entries"][0] |= announce
    after = chain.entry(
        said(about, id="e2", type=REDACTED), Anchor(seq=1, hash=whole.hash), "7c" * 32
    )
    return [lost, row(after)]


def test_erased_words_are_announced_and_the_chain_holds() -> None:
    assert chain.walk("atlas", erased("[redacted]", announce={}), Anchor()).seq == 2


def test_words_that_are_exchanged_in_silence_are_found() -> None:
    assert "no later entry says so" in why_broken(*erased("[redacted]"))


def test_no_vote_is_made_another_one_by_way_of_a_redaction() -> None:
    assert "other words stand" in why_broken(*erased("kill", announce={}))


@pytest.mark.parametrize(
    "wrong", [{"digest": "0" * 64}, {"texts": [0]}, {"texts": []}, {"seq": 2}, {"seq": 3}]
)
def test_what_is_announced_binds_what_stands_there(wrong: dict[str, Any]) -> None:
    assert why_broken(*erased("[redacted]", announce=wrong)).startswith("1: ")


def test_words_that_are_back_are_found() -> None:
    lost, after = erased("[redacted]", announce={})
    whole = row(entry({"vote": "go"}))
    assert "they are there" in why_broken(whole, after)
    assert chain.walk("atlas", [after], Anchor(seq=1, hash=lost.hash)).seq == 2  # asked from 2 on


def test_an_announcement_of_erased_words_that_is_none_breaks_the_chain() -> None:
    odd = entry({"entries": 3}, type=REDACTED)
    assert "not an announcement" in why_broken(row(odd))
