"""What committees write into documents: terms, absences, permissions, figures, scores."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from phasegate.base import Figure
from phasegate.directory import Absence, Directory, Person
from phasegate.gate import Clocks, Requirement
from phasegate.reading import DocumentError, read_directory, read_policy, read_product
from phasegate.span import Span
from phasegate.within import BusinessDays, Within, read_length

PERSON = "people:\n  ann: %s\ngroups: {}\n"
GROUP = "people: {}\ngroups: {a: {permissions: %s}}\n"
GATE = (
    'policy: p\nversion: "1"\ntitle: P\n'
    "phases: [{id: a, title: A, gate: {id: g, title: G, requires: [{group: x}], %s}}]\n"
)
FIGURES = "key: k\nname: K\nowner: o\nfigures: %s\n"


def problems(read: object, text: str) -> list[str]:
    assert callable(read)
    with pytest.raises(DocumentError) as error:
        read(text, "f")
    return [str(problem).partition(" ")[2] for problem in error.value.problems]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 business day", BusinessDays(1)),
        ("5 business days", BusinessDays(5)),
        (" 3  working days ", BusinessDays(3)),
        ("1000 business days", BusinessDays(1000)),
        ("90 days", Span.parse("90 days")),
        ("PT2H", Span.parse("2 hours")),
    ],
)
def test_terms(text: str, expected: object) -> None:
    assert read_length(text) == expected
    assert read_length(expected) is expected


@given(st.integers(1, 1000))
def test_business_days_travel_as_text(count: int) -> None:
    within: TypeAdapter[object] = TypeAdapter(Within)
    days = BusinessDays(count)
    assert within.validate_json(within.dump_json(days)) == days
    assert days.words == str(days)
    assert days.words.endswith("days" if count > 1 else " day")
    assert days.approximate == timedelta(days=1.4 * count)


def test_the_schema_says_how_a_term_is_written() -> None:
    schema = TypeAdapter(Within).json_schema()
    assert schema["type"] == "string"
    assert "5 business days" in schema["examples"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0 business days", "'0 business days': business days count from 1 to 1000"),
        ("1001 business days", "'1001 business days': business days count from 1 to 1000"),
        ("5 busines days", "or ISO 8601 'P1Y', 'PT90S'; or '5 business days'"),
        ("-1 business day", "'-1 business day' is not a span"),
        ("5", "5 is no span such as '5 business days' or '90 days'"),
    ],
)
def test_a_term_that_is_none(text: str, message: str) -> None:
    (found,) = problems(read_policy, GATE % f"clocks: {{respond: {text}}}")
    assert message in found


@pytest.mark.parametrize(
    ("clocks", "message"),
    [
        ({"respond": "5 business days", "resolve": "6 days"}, "ends before respond"),
        ({"escalate": "0 days"}, "escalate counts on from the respond deadline"),
    ],
)
def test_clocks_are_in_order(clocks: dict[str, str], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Clocks.model_validate(clocks)


@pytest.mark.parametrize(
    ("gate", "message"),
    [
        ("criteria: [{id: c, text: T, weight: 2}]", "a must has no weight: it knocks out"),
        ("criteria: [{id: c, text: T, milestone: m, attested_by: x}]", "one check each"),
        ("criteria: [{id: c, text: T}], threshold: 50", "threshold needs should-criteria"),
        ("threshold: 101", "must be at most 100, not the number 101"),
    ],
)
def test_criteria_and_scores_fit_each_other(gate: str, message: str) -> None:
    assert message in problems(read_policy, GATE % gate)[0]


def test_a_requirement_is_titled_as_people_say_it() -> None:
    veto = Requirement(any_of=("legal", "finance"), need=0, veto=True)
    assert veto.title == "legal, finance (veto)"


@pytest.mark.parametrize(
    ("person", "message"),
    [
        ("{absences: [{start: soon, end: 2026-12-01}]}", "a day such as 2026-12-24, not 'soon'"),
        ("{absences: [{start: 2026-13-01, end: 2026-12-01}]}", "a day such as 2026-12-24"),
        ("{absences: [{start: 2026-12-01T09:00:00Z, end: 2026-12-02}]}", "needs a day such as"),
        ("{absences: [{start: 5, end: 2026-12-02}]}", "a day such as 2026-12-24, not the number 5"),
        (
            "{absences: [{start: 2026-12-02, end: 2026-12-01}]}",
            "ends on 2026-12-01, before it starts on 2026-12-02",
        ),
        ("{working_days: []}", "needs at least 1 of them"),
        ("{working_days: [mon, tues]}", "not 'tues'; did you mean tue?"),
        ("{timezone: UTC}", "unknown field, did you mean time_zone?"),
        ("{vacation: []}", "unknown field, did you mean absences?"),
    ],
)
def test_people(person: str, message: str) -> None:
    (found,) = problems(read_directory, PERSON % person)
    assert message in found


def test_a_day_is_a_day_in_code_and_in_json() -> None:
    absence = Absence(start=date(2026, 12, 24), end=date(2026, 12, 24))
    assert Absence.model_validate_json(absence.model_dump_json(), strict=True) == absence


@pytest.mark.parametrize(
    ("permissions", "message"),
    [
        (
            "{wave: [1]}",
            "needs one of waive, override, extend, reassign, migrate, not 'wave'; did you mean",
        ),
        ("{waive: ['1']}", "needs a whole number, not '1'; leave the quotes out"),
    ],
)
def test_permissions(permissions: str, message: str) -> None:
    (found,) = problems(read_directory, GROUP % permissions)
    assert message in found


def test_groups_and_managers_of_a_directory() -> None:
    known = Directory.model_validate(
        {
            "people": {"ann": {"manager": "bob"}, "bob": {"manager": "ann", "name": "Bob"}},
            "groups": {
                "leads": {"members": ["bob", "ann"], "permissions": {"waive": [1], "extend": [2]}},
                "heads": {"members": ["bob"], "approve": [1], "permissions": {"override": [1]}},
            },
        }
    )
    assert known.groups_of("bob") == ("heads", "leads")
    assert known.permissions("bob", 1) == ("override", "waive")
    assert known.permissions("ann", 2) == ("extend",)
    assert known.voters("heads", 1) == ("bob",)
    assert known.voters("heads", 2) == known.voters("none", 1) == known.members("none") == ()
    assert known.managers("ann") == ("bob",)
    assert known.managers("nobody") == ()
    assert [known.name_of(person) for person in ("ann", "bob", "cy")] == ["ann", "Bob", "cy"]
    assert known.people["ann"] == Person(manager="bob")


@pytest.mark.parametrize(
    ("figures", "message"),
    [
        ("{Revenue: 1}", "lower-case letters, digits and underscores, 63 at most, not 'Revenue'"),
        ("{net-revenue: 1}", "; write net_revenue?"),
        ("{1st: 1}", "digits and underscores, 63 at most, not '1st'"),
        ("{r: [1]}", "figures.r: needs a number, text, or true or false"),
        ("{r: null}", "figures.r: needs a number, text, or true or false"),
        ("{r: .inf}", "figures.r: needs a finite number"),
        ("{r: 1e400}", "figures.r: needs a finite number"),
        (f"{{r: {'x' * 501}}}", "figures.r: is too long: 500 characters at most; link to"),
    ],
)
def test_figures(figures: str, message: str) -> None:
    (found,) = problems(read_product, FIGURES % figures)
    assert message in found


@given(st.one_of(st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False)))
@example("a fact")
@example(10**400)
def test_figures_keep_their_kind(value: object) -> None:
    found = TypeAdapter(Figure).validate_python(value)
    assert (found, type(found)) == (value, type(value))
