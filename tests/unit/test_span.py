"""Spans: read, written, counted in calendar months."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from phasegate.span import Span

MONTHS = st.integers(-1200, 1200)
EXACT = st.timedeltas(timedelta(days=-20_000), timedelta(days=20_000))
INSTANTS = st.integers(-600_000_000, 7_000_000_000).map(
    lambda seconds: datetime.fromtimestamp(seconds, UTC)
)


@st.composite
def spans(draw: st.DrawFn) -> Span:
    """Spans as documents can have them: both parts of one sign."""
    sign = draw(st.sampled_from([1, -1]))
    return Span(sign * abs(draw(MONTHS)), sign * abs(draw(EXACT)))


@given(spans())
def test_a_span_survives_writing_and_reading(span: Span) -> None:
    assert Span.parse(str(span)) == span


@given(st.one_of(spans(), st.builds(Span, exact=EXACT), st.builds(Span, months=MONTHS)))
def test_the_words_of_a_span_are_read_back(span: Span) -> None:
    read = Span.parse(span.words)
    assert read == span


@given(spans())
def test_json_keeps_a_span(span: Span) -> None:
    adapter = TypeAdapter(Span)
    assert adapter.validate_json(adapter.dump_json(span)) == span


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("90 days", Span(exact=timedelta(days=90))),
        ("1 day", Span(exact=timedelta(days=1))),
        ("-30 days", Span(exact=timedelta(days=-30))),
        ("0 days", Span()),
        ("2 weeks", Span(exact=timedelta(days=14))),
        ("1.5 hours", Span(exact=timedelta(minutes=90))),
        ("12 months", Span(months=12)),
        ("-2 years", Span(months=-24)),
        ("  6   months ", Span(months=6)),
        ("P1Y2M10DT2H30M", Span(14, timedelta(days=10, hours=2, minutes=30))),
        ("-P1M", Span(months=-1)),
        ("P2W", Span(exact=timedelta(weeks=2))),
        ("PT1.5S", Span(exact=timedelta(seconds=1.5))),
    ],
)
def test_accepted_forms(text: str, span: Span) -> None:
    assert Span.parse(text) == span


@pytest.mark.parametrize(
    "text",
    [
        "",
        "90",
        "days",
        "ninety days",
        "1 fortnight",
        "P",
        "PT",
        "P1H",
        "--1 day",
        "+1 day",
        "1.5 months",
        "1 day 2 hours",
        "P1Y1",
        "PT1.5H",
        "day 1",
    ],
)
def test_other_forms_are_refused_with_the_accepted_ones(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not (a span such as|whole)"):
        Span.parse(text)


@pytest.mark.parametrize("value", [3, 1.5, True, None, ["1 day"], timedelta(days=1)])
def test_only_text_is_a_span(value: object) -> None:
    with pytest.raises(ValidationError, match="is not a span such as"):
        TypeAdapter(Span).validate_python(value)


@given(st.text(max_size=20))
def test_any_text_is_a_span_or_a_value_error(text: str) -> None:
    try:
        span = Span.parse(text)
    except ValueError:
        return
    assert Span.parse(str(span)) == span


@pytest.mark.parametrize(
    "text", ["9999999999 days", "P99999999999D", f"{'9' * 400} seconds", "1001 years", "-P13000M"]
)
def test_spans_longer_than_time_are_value_errors(text: str) -> None:
    with pytest.raises(ValueError, match="is too long: a span has 1000 years at most"):
        Span.parse(text)


@pytest.mark.parametrize(
    ("start", "span", "end"),
    [
        ("2024-02-29", "12 months", "2025-02-28"),
        ("2024-01-31", "1 month", "2024-02-29"),
        ("2023-01-31", "1 month", "2023-02-28"),
        ("2024-03-31", "-1 month", "2024-02-29"),
        ("2024-12-31", "2 months", "2025-02-28"),
        ("2024-11-30", "1 year", "2025-11-30"),
        ("2024-02-28", "1 day", "2024-02-29"),
        ("2024-01-15", "-1 month", "2023-12-15"),
    ],
)
def test_months_follow_the_calendar(start: str, span: str, end: str) -> None:
    begin = datetime.fromisoformat(start).replace(tzinfo=UTC)
    assert Span.parse(span).after(begin) == datetime.fromisoformat(end).replace(tzinfo=UTC)


@given(INSTANTS, EXACT)
def test_exact_spans_go_there_and_back(instant: datetime, exact: timedelta) -> None:
    span = Span(exact=exact)
    assert span.after(instant) - instant == exact
    assert span.before(span.after(instant)) == instant


@given(INSTANTS, MONTHS)
def test_months_keep_the_day_or_take_the_last(instant: datetime, months: int) -> None:
    after = Span(months=months).after(instant)
    assert (after.year - instant.year) * 12 + after.month - instant.month == months
    assert after.time() == instant.time()
    if after.day != instant.day:
        assert after.day < instant.day
        assert (after + timedelta(days=1)).day == 1


@given(INSTANTS, MONTHS)
def test_months_come_back_unless_the_day_was_cut(instant: datetime, months: int) -> None:
    assume(instant.day <= 28)
    span = Span(months=months)
    assert span.before(span.after(instant)) == instant


@given(INSTANTS, st.integers(0, 600))
def test_a_longer_span_never_ends_earlier(instant: datetime, months: int) -> None:
    ends = [Span(months=m).after(instant) for m in (months, months + 1, months + 2)]
    assert all(earlier < later for earlier, later in pairwise(ends))


@given(INSTANTS, MONTHS)
def test_approximate_is_close_to_the_calendar(instant: datetime, months: int) -> None:
    span = Span(months=months)
    real = span.after(instant) - instant
    assert abs(real - span.approximate) < timedelta(days=4)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("P12M", "1 year"),
        ("P6M", "6 months"),
        ("P1M", "1 month"),
        ("-P24M", "-2 years"),
        ("P30D", "30 days"),
        ("-P30D", "-30 days"),
        ("-P1D", "-1 day"),
        ("PT90M", "90 minutes"),
        ("PT1.5S", "1.5 seconds"),
        ("PT1234567.5S", "1234567.5 seconds"),
        ("P1M1D", "P1M1D"),
        ("P0D", "0 seconds"),
    ],
)
def test_words(text: str, words: str) -> None:
    assert Span.parse(text).words == words


def test_the_json_schema_says_what_a_span_looks_like() -> None:
    schema = TypeAdapter(Span).json_schema()
    assert schema["type"] == "string"
    assert all(Span.parse(example) for example in schema["examples"])


def test_a_span_in_code_is_taken_as_it_is() -> None:
    assert TypeAdapter(Span).validate_python(Span(months=1)) == Span(months=1)
