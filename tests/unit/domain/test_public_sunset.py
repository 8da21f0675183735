"""What the world reads of a sunset: the same facts in every format, and nothing broken by names."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from phasegate.adjusting import Adjustments
from phasegate.deprecation import address, as_caddy, as_http, as_nginx, headers_of
from phasegate.errors import Rejected
from phasegate.openeox import SCHEMA_ID, faults_of, record_of, require_valid
from phasegate.product import Product
from phasegate.public_sunset import (
    DatedTask,
    PublicSunset,
    Standing,
    is_day,
    public_sunset,
    reminders_of,
    standing_of,
    tasks_of,
)
from phasegate.span import Span
from phasegate.sunset_notice import in_words, notice_of
from phasegate.sunset_views import SunsetView, TaskView

NOTICE = datetime(2027, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
CHANGED = datetime(2026, 12, 1, 8, 30, tzinfo=UTC)
HOSTILE = 'Kettle\r\nX-Evil: 1 `"$HOME" \\ <script>alert(1)</script> [a](javascript:b) {env.X}'


def end(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T23:59:59Z")


DATES = (
    DatedTask(id="eos", title="Sales", kind="date", at=end("2027-06-30"), marks="end-of-sales"),
    DatedTask(id="ro", title="Read-only", kind="date", at=end("2027-12-01")),
    DatedTask(id="eol", title="End", kind="date", at=end("2027-12-31"), marks="end-of-life"),
    DatedTask(id="wipe", title="W", kind="http", at=end("2028-01-30"), effect="deletion"),
    DatedTask(id="wipe2", title="W", kind="http", at=end("2028-03-30"), effect="deletion"),
)
MORE: dict[str, Any] = {
    "successor": {"name": "Samovar", "link": "https://samovar.example.org/"},
    "notice_text": "We thank all who used it.\n\nMove in time.",
    "links": {
        "notice": "https://kettle.example.org/end",
        "migration": "https://kettle.example.org/move",
        "contact": "https://kettle.example.org/ask",
        "price-list": "https://kettle.example.org/prices",
    },
}


def facts(
    *dates: DatedTask,
    standing: Standing = "announced",
    name: str = "Kettle",
    available: datetime | None = None,
    **adjusted: Any,
) -> PublicSunset:
    return public_sunset(
        Product(key="kettle", name=name, owner="olga"),
        Adjustments.model_validate(adjusted),
        NOTICE,
        dates or DATES,
        standing=standing,
        changed_at=CHANGED,
        revision=7,
        general_availability=available,
    )


# -- the facts ------------------------------------------------------------------------------------


def test_the_facts_of_a_running_sunset() -> None:
    def task(id: str, **more: Any) -> TaskView:
        given = {"title": id, "kind": "date", "state": "planned", "at": end("2027-12-31"), **more}
        return TaskView(id=id, **given)

    view = SunsetView(
        product="kettle",
        status="sunsetting",
        notice_at=NOTICE,
        workflow_id="product/kettle/sunset",
        tasks=[
            task("eol", marks="end-of-life"),
            task("left", state="skipped"),
            task("not-any-more", state="dropped"),
            task("wipe", kind="http", effect="deletion"),
        ],
    )
    found = tasks_of(view, {"eol": (Span.parse("90 days"), Span.parse("24 months"))})
    assert [t.id for t in found if not t.skipped] == ["eol", "not-any-more", "wipe"]
    assert found[0].reminders == [end("2027-10-02")]
    assert standing_of(view, NOTICE) == "announced"
    assert standing_of(view, NOTICE - DAY) == "planned"
    for word in ("aborting", "aborted", "cancelled"):
        assert standing_of(view.model_copy(update={"status": word}), NOTICE) == "withdrawn"


def test_nobody_is_reminded_before_the_notice() -> None:
    spans = [Span.parse(text) for text in ("0 days", "31 days", "32 days")]
    at = NOTICE + 31 * DAY
    assert reminders_of(at, spans, NOTICE) == [at, NOTICE]


def test_dates_are_in_order_and_the_last_of_a_mark_counts() -> None:
    late = DatedTask(id="b", title="B", kind="date", at=end("2027-08-01"), marks="end-of-sales")
    found = facts(*reversed(DATES), late)
    assert [date.id for date in found.dates] == ["eos", "b", "ro", "eol"]
    assert found.marked("end-of-sales") == end("2027-08-01")
    assert found.deletion_at == end("2028-01-30")
    assert facts(DATES[0]).deletion_at is None
    skipped = [date.model_copy(update={"skipped": True}) for date in DATES]
    without = facts(*skipped)
    assert (without.dates, without.deletion_at) == ([], None)
    assert [date.id for date in without.left_out] == ["eos", "ro", "eol"]


# -- OpenEoX --------------------------------------------------------------------------------------


def test_the_record_has_its_fields_spelt_out() -> None:
    assert record_of(facts(available=datetime(2020, 5, 1, 12, tzinfo=UTC))) == {
        "$schema": SCHEMA_ID,
        "end_of_life": "2027-12-31T23:59:59Z",
        "end_of_sales": "2027-06-30T23:59:59Z",
        "end_of_security_support": "2027-12-31T23:59:59Z",
        "general_availability": "2020-05-01T12:00:00Z",
        "last_updated": "2026-12-01T08:30:00Z",
    }


def test_a_date_that_is_not_known_is_to_be_announced() -> None:
    secure = DatedTask(
        id="s", title="S", kind="date", at=end("2027-03-01"), marks="end-of-security-support"
    )
    for found in (facts(DATES[0], secure), facts(standing="withdrawn")):
        record = record_of(found)
        assert record["end_of_life"] == record["end_of_security_support"] == "tba"
        assert "end_of_sales" not in record
    assert record_of(facts(*DATES, secure))["end_of_security_support"] == "2027-03-01T23:59:59Z"


def test_an_availability_that_does_not_come_first_is_left_out() -> None:
    assert "general_availability" not in record_of(facts(available=end("2027-07-01")))


def test_a_sale_past_the_end_of_life_never_leaves_as_a_record() -> None:
    late = DatedTask(id="x", title="X", kind="date", at=end("2028-01-01"), marks="end-of-sales")
    with pytest.raises(Rejected) as refused:
        record_of(facts(*DATES, late))
    assert refused.value.code == "openeox-invalid"
    assert "end_of_sales is later than end_of_life" in refused.value.why


GOOD = {
    "$schema": SCHEMA_ID,
    "end_of_life": "2025-11-25T10:00:00.000-20:30",
    "end_of_security_support": "tba",
    "last_updated": "2025-02-01T12:00:00Z",
}
FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"$schema": "https://example.org/core.json"}, "$schema"),
    ({"end_of_life": None}, "end_of_life"),
    ({"end_of_life": "2025-12-31 12:00:00Z"}, "end_of_life"),
    ({"end_of_life": "2025-12-31t12:00:00Z"}, "end_of_life"),
    ({"end_of_life": "2025-12-31T12:00:00"}, "end_of_life"),
    ({"end_of_life": "2025-12-31"}, "end_of_life"),
    ({"end_of_life": "2025-02-30T12:00:00Z"}, "end_of_life"),
    ({"end_of_life": "2025-12-31T23:59:60Z"}, "end_of_life"),
    ({"end_of_life": "TBA"}, "end_of_life"),
    ({"last_updated": "tba"}, "last_updated"),
    ({"end_of_support": "2025-12-31T12:00:00Z"}, "end_of_support"),
    ({"end_of_sales": "2025-11-26T06:31:00Z"}, "end_of_sales is later"),
    ({"general_availability": "2025-11-26T06:31:00Z"}, "general_availability is later"),
]


def test_a_record_by_somebody_else_is_read_as_the_specification_has_it() -> None:
    require_valid(GOOD, "kettle")
    assert faults_of({**GOOD, "end_of_sales": "2025-11-26T06:30:00Z"}) == []  # the same instant


@pytest.mark.parametrize(("fault", "where"), FAULTS)
def test_what_is_no_record_is_refused(fault: dict[str, Any], where: str) -> None:
    with pytest.raises(Rejected) as refused:
        require_valid({**GOOD, **fault}, "kettle")
    assert refused.value.code == "openeox-invalid"
    assert where in refused.value.why


@pytest.mark.parametrize("missing", GOOD)
def test_a_record_lacks_nothing_that_is_required(missing: str) -> None:
    with pytest.raises(Rejected):
        require_valid({name: value for name, value in GOOD.items() if name != missing}, "kettle")


def test_another_schema_may_be_stricter_and_has_to_be_one() -> None:
    with pytest.raises(Rejected) as refused:
        require_valid(GOOD, "kettle", {"required": ["product_name"]})
    assert "product_name" in refused.value.why
    circle = {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}
    for none in ({"type": 7}, {"$ref": "http://127.0.0.1:9/x.json"}, {"$ref": "#/no"}, circle):
        with pytest.raises(Rejected) as refused:
            require_valid(GOOD, "kettle", none)
        assert refused.value.code == "openeox-schema"


instants = st.integers(315_532_800, 7_258_118_400).map(lambda s: datetime.fromtimestamp(s, UTC))


@st.composite
def plans(draw: st.DrawFn) -> PublicSunset:
    """Any dates that the rules of a plan let be: no sale and no fix past the end of life."""
    sales, secure, life = sorted(draw(st.lists(instants, min_size=3, max_size=3)))
    named = (("end-of-sales", sales), ("end-of-security-support", secure), ("end-of-life", life))
    tasks = [DatedTask(id=m, title=m, kind="date", at=at, marks=m) for m, at in named]
    kept = draw(st.lists(st.sampled_from(tasks), min_size=1, unique_by=lambda task: task.id))
    return facts(
        *kept,
        available=draw(st.none() | instants),
        standing=draw(st.sampled_from(["planned", "announced", "withdrawn"])),
    )


@given(plans())
def test_every_plan_that_keeps_the_rules_makes_a_valid_record(found: PublicSunset) -> None:
    record = record_of(found)
    require_valid(record, "kettle")
    assert list(record) == sorted(record)


# -- headers --------------------------------------------------------------------------------------


def test_headers_ready_to_paste() -> None:
    assert as_http(headers_of(facts(**MORE))) == (
        "Deprecation: @1798761600\n"
        "Sunset: Fri, 31 Dec 2027 23:59:59 GMT\n"
        'Link: <https://kettle.example.org/end>; rel="deprecation"; type="text/html"\n'
        'Link: <https://kettle.example.org/end>; rel="sunset"\n'
        'Link: <https://samovar.example.org/>; rel="successor-version"\n'
    )


def test_headers_of_a_plan_without_an_end_or_pages() -> None:
    assert headers_of(facts(DATES[0])) == [("Deprecation", "@1798761600")]
    only_move = {"links": {"migration": MORE["links"]["migration"]}}
    found = headers_of(facts(DATES[0], **only_move, successor={"name": "Samovar"}))
    assert [name for name, _ in found] == ["Deprecation", "Link"]
    assert headers_of(facts(standing="withdrawn", **MORE)) == []
    assert as_caddy([]) == ""


def test_a_sunset_before_its_deprecation_is_refused() -> None:
    early = DatedTask(id="eol", title="E", kind="date", at=NOTICE - DAY, marks="end-of-life")
    with pytest.raises(Rejected) as refused:
        headers_of(facts(early))
    assert refused.value.code == "sunset-before-deprecation"


def test_snippets_for_two_servers() -> None:
    headers = headers_of(facts(**MORE))
    assert as_nginx(headers).splitlines()[2] == (
        'add_header Link "<https://kettle.example.org/end>; rel=\\"deprecation\\";'
        ' type=\\"text/html\\"" always;'
    )
    assert as_caddy(headers).splitlines() == [
        "header {",
        "\tDeprecation `@1798761600`",
        "\tSunset `Fri, 31 Dec 2027 23:59:59 GMT`",
        '\t+Link `<https://kettle.example.org/end>; rel="deprecation"; type="text/html"`',
        '\t+Link `<https://kettle.example.org/end>; rel="sunset"`',
        '\t+Link `<https://samovar.example.org/>; rel="successor-version"`',
        "}",
    ]


@pytest.mark.parametrize(
    ("url", "written"),
    [
        ("https://example.org/a?b=c&d#e", "https://example.org/a?b=c&d#e"),
        ("https://bücher.example/ü", "https://xn--bcher-kva.example/%C3%BC"),
        ("https://example.org/100%", "https://example.org/100%25"),
        ("https://example.org/a%20b", "https://example.org/a%20b"),
        ("https://[broken/", "https://[broken/"),
        ("https://" + "ü" * 80 + "/", "https://" + "%C3%BC" * 80 + "/"),
    ],
)
def test_addresses_are_kept_where_they_can_be(url: str, written: str) -> None:
    assert address(url) == written


nasty: SearchStrategy[str] = st.text() | st.text('\r\n"`<>\\${};,% \t\0ü#@/\u2028')


@given(nasty, nasty)
def test_no_name_or_link_ends_a_header_or_a_string(name: str, tail: str) -> None:
    found = facts(
        name=name, links={"notice": f"https://x.example/{tail}"[:2000]} if "\n" not in tail else {}
    )
    headers = headers_of(found)
    http, nginx, caddy = as_http(headers), as_nginx(headers), as_caddy(headers)
    for text in (http, nginx, caddy):
        assert text.isascii()
        assert "\r" not in text
        assert "\0" not in text
        assert "$" not in text
    assert len(http.splitlines()) == len(nginx.splitlines()) == len(headers)
    assert len(caddy.splitlines()) == len(headers) + 2
    assert all(
        re.fullmatch(r'add_header \w+ "([^"\\]|\\")*" always;', x) for x in nginx.splitlines()
    )
    assert all(line.count("`") == 2 for line in caddy.splitlines()[1:-1])
    for _, value in headers[2:]:
        assert re.fullmatch(r'<[^<>"\s]+>(; \w+="[\w/-]+")+', value)


@given(plans())
def test_headers_say_the_same_dates_and_end_after_they_begin(found: PublicSunset) -> None:
    life = found.end_of_life
    if found.standing != "withdrawn" and life and life < NOTICE:
        with pytest.raises(Rejected):
            headers_of(found)
        return
    said = dict(headers_of(found))
    if "Sunset" in said:
        assert life is not None
        at = parsedate_to_datetime(said["Sunset"])
        assert at == life.replace(microsecond=0)
        assert at.timestamp() >= int(said["Deprecation"].removeprefix("@"))


# -- the notice -----------------------------------------------------------------------------------


def test_the_notice_as_text() -> None:
    assert (
        notice_of(facts(**MORE))
        == """\
Kettle is being retired

We thank all who used it.

Move in time.

Dates (UTC):

- 1 January 2027: Public notice
- 30 June 2027: End of sales, the last day on which it can be ordered
- 1 December 2027: Read-only
- 31 December 2027: End of life, the last day on which it is supported in any way
- 30 January 2028: Deletion, data that is still there is deleted from then on

What to use instead: Samovar: https://samovar.example.org/

More:

- This notice: https://kettle.example.org/end
- How to move: https://kettle.example.org/move
- Questions: https://kettle.example.org/ask
- Price list: https://kettle.example.org/prices
"""
    )


def test_the_notice_as_markdown_is_only_text_where_somebody_wrote() -> None:
    text = notice_of(
        facts(name=HOSTILE, notice_text="# No\n1. no\n- no\n<b>no</b>", **{"links": MORE["links"]}),
        markdown=True,
    )
    lines = text.splitlines()
    assert lines[0].startswith("# Kettle")
    assert "<script" not in text.replace("\\<", "")
    assert not re.search(r"(?<!\\)[`*\[\]]", text)
    assert lines[2:6] == ["\\# No", "1\\. no", "\\- no", "\\<b\\>no\\</b\\>"]
    assert "- Questions: <https://kettle.example.org/ask>" in lines


def test_the_notice_of_a_plan_with_little_to_say() -> None:
    text = notice_of(facts(DATES[0], successor={"name": "Samovar"}))
    assert "What to use instead: Samovar.\n" in text
    assert "More:" not in text
    assert "Deletion" not in text


def test_a_withdrawal_names_no_dates_but_the_one_it_takes_back() -> None:
    text = notice_of(facts(standing="withdrawn", **MORE))
    assert text.startswith("Kettle stays\n")
    assert "1 January 2027 is withdrawn" in text
    assert "2028" not in text
    assert "- Questions: https://kettle.example.org/ask" in text
    assert "Price list" not in text


@given(nasty.filter(lambda text: text.strip() != ""))
def test_nothing_in_a_name_steers_a_terminal(name: str) -> None:
    for markdown in (False, True):
        text = notice_of(facts(name=name), markdown=markdown)
        assert all(char.isprintable() or char == "\n" for char in text)


def test_days_and_instants_are_told_apart() -> None:
    assert in_words(end("2027-12-31")) == "31 December 2027"
    assert in_words(NOTICE) == "1 January 2027"
    assert in_words(datetime(2027, 2, 3, 14, 5, tzinfo=UTC)) == "3 February 2027, 14:05 UTC"
    assert is_day(end("2027-12-31").replace(microsecond=5))


def test_every_output_has_the_same_days() -> None:
    found = facts(**MORE)
    text = notice_of(found)
    places = [text.index(in_words(date.at)) for date in found.dates]
    assert all(a < b for a, b in pairwise(places))
    assert record_of(found)["end_of_life"] == "2027-12-31T23:59:59Z"
    assert ("Sunset", "Fri, 31 Dec 2027 23:59:59 GMT") in headers_of(found)
