"""Files of customers: what is taken, and what is said of each line that is wrong."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phasegate import customer_file
from phasegate.customer_file import COLUMNS, MOST_PROBLEMS, CustomersError, read_csv, read_json
from phasegate.customers import FACTS, ImportedView, Known, Row, merged, sentence, summed

NOW = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)


def day(year: int, month: int, date: int, *, end: bool = False) -> datetime:
    at = datetime(year, month, date, tzinfo=UTC)
    return at + timedelta(hours=23, minutes=59, seconds=59) if end else at


def taken(text: str | bytes) -> list[Row]:
    return read_csv(text.encode() if isinstance(text, str) else text, "c.csv", NOW)


def wrong(text: str | bytes) -> list[str]:
    with pytest.raises(CustomersError) as error:
        taken(text)
    return [f"{p.line}: {'.'.join(map(str, p.path))}: {p.message}" for p in error.value.problems]


def test_a_file_is_read() -> None:
    rows = taken(
        "id,name,email,contract_until,notified,exported,migrated,waived,note\n"
        "c1,Ann  Öd ,ann@example.org,2028-05-31,2027-02-01,yes,,no,moved\n"
        "c2,,,,,,,,\n"
        "c3,,,2028-05-31T12:00:00+02:00,2027-03-01T08:00:00Z,X,TRUE,N,\n"
    )
    assert rows == [
        Row(
            "c1", name="Ann Öd", email="ann@example.org",
            contract_until=day(2028, 5, 31, end=True), note="moved",
            notified=day(2027, 2, 1), exported=True, waived=False,
        ),
        Row("c2"),
        Row(
            "c3", contract_until=datetime(2028, 5, 31, 10, tzinfo=UTC),
            notified=datetime(2027, 3, 1, 8, tzinfo=UTC), exported=True, migrated=True,
            waived=False,
        ),
    ]  # fmt: skip


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_as_spreadsheets_write_it(newline: str, delimiter: str, mark: bytes) -> None:
    lines = ["", "ID, Name ".replace(",", delimiter), f"c1{delimiter}Ann", "", "c2" + delimiter]
    text = newline.join(lines) + newline
    assert taken(mark + text.encode()) == [Row("c1", name="Ann"), Row("c2")]


def test_lines_are_those_of_the_file_behind_quoted_line_breaks() -> None:
    text = 'id,note\nc1,"one\ntwo\n\nthree"\n\nc2,"a\r\nb"\nc1,again\n"",none\n'
    assert wrong(text) == ["9: id: 'c1' is there already: line 2", "10: id: is missing"]
    assert taken(text.partition("c1,again")[0])[0].note == "one two three"


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("email=ann", "1: email: 'ann' is no mail address"),
        ("email=a b@x.org", "1: email: 'a b@x.org' is no mail address"),
        ("email=<a@x.org>", "1: email: '<a@x.org>' is no mail address"),
        ("contract_until=31.5.2028", "1: contract_until: '31.5.2028' is no date"),
        ("contract_until=20280531", "1: contract_until: '20280531' is no date"),
        ("contract_until=2028-W01-1", "1: contract_until: '2028-W01-1' is no date"),
        ("contract_until=2028-02-30", "1: contract_until: '2028-02-30' is no date"),
        ("contract_until=9999-12-31", "1: contract_until: 9999 is not between 1970 and 2199"),
        ("contract_until=2028-05-31T12:00:00", "'2028-05-31T12:00:00' is no date"),
        ("contract_until=0001-01-01T00:00:00+10:00", "is no date"),
        ("migrated=soon", "1: migrated: 'soon' is no date"),
        ("migrated=2027-03-03", "1: migrated: 2027-03-03 is in the future"),
        ("migrated=1969-01-01", "1: migrated: 1969-01-01 is before 1970"),
        ("name=" + "x" * 201, "1: name: is too long: 200 characters at most"),
        ("id=" + "x" * 101, "1: id: is too long: 100 characters at most"),
        ("note=a\x1b[31mred", "1: note: has a control character"),
        ("id=a\u202eb", "1: id: has a control character, or one that is not seen"),
        ("name=a\x00b", "1: name: has a control character"),
    ],
)
def test_a_value_that_is_none(cell: str, message: str) -> None:
    name, _, value = cell.partition("=")
    row = {"id": "c1", name: value}
    with pytest.raises(CustomersError) as error:
        read_json(json.dumps([row]).encode(), "feed", NOW)
    (problem,) = error.value.problems
    assert message in f"{problem.line}: {problem.path[0]}: {problem.message}"


def test_today_may_have_begun_elsewhere() -> None:
    assert taken("id,waived\nc1,2027-03-02\n")[0].waived == day(2027, 3, 2)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ["1: : is empty: needs a header with the columns, id among them"]),
        (b"\xef\xbb\xbf\n  \n", ["1: : is empty: needs a header with the columns, id among them"]),
        ("name,email\nann,\n", ["1: : the column id is missing"]),
        ("id,id\nc1,c1\n", ["1: : the column 'id' is there 2 times"]),
        ("id,a\nc1,c2,c3\n", [f"1: : unknown column 'a'; known: {', '.join(COLUMNS)}"]),
        ("\n\nid,name\n\nc1\n", ["5: : has 1 value, and the header 2 columns"]),
        ("id\nc1,c2,c3\n", ["2: : has 3 values, and the header 1 columns"]),
        (
            'id,name\nc0,\nc1,"open\nc2,\nc3,\n',
            ["3: : a quote is opened here, and not closed to the end of the file"],
        ),
        (
            'id,name\nc1,"a"b\nc2,"c"d\n',
            ["2: : ',' expected after '\"'", "3: : ',' expected after '\"'"],
        ),
        ('"id"x,name\nc1,\n', ["1: : ',' expected after '\"'"]),
        ("id\nc1\n".encode("utf-16"), ["1: : is UTF-16: save it as CSV UTF-8"]),
        (
            "id,name\nc1,Bär\nc2,ok\nc3,Öd\n".encode("latin-1"),
            [
                "2: : byte 5 (0xe4) is no UTF-8: save it as CSV UTF-8",
                "4: : byte 4 (0xd6) is no UTF-8: save it as CSV UTF-8",
            ],
        ),
    ],
)  # fmt: skip
def test_files_that_are_wrong(text: str | bytes, found: list[str]) -> None:
    assert wrong(text) == found


def test_fifty_problems_are_listed_and_all_are_counted() -> None:
    with pytest.raises(CustomersError) as error:
        taken("id,email\n" + "".join(f"c{n},nobody\n" for n in range(2000)))
    assert len(error.value.problems) == MOST_PROBLEMS
    assert "2000 problems, and nothing of it is taken; the first 50" in error.value.what
    with pytest.raises(CustomersError) as error:
        taken("id,email\nc1,nobody\n")
    assert error.value.what == "c.csv has 1 problem, and nothing of it is taken"


def test_more_than_one_import_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(customer_file, "MOST_ROWS", 2)
    assert len(taken("id\na\nb\n")) == 2
    assert wrong("id\na\nb\nc\n") == ["4: : is beyond the 2 customers that one import takes"]


def test_a_feed_is_read() -> None:
    body = [
        {"id": 4711, "name": "Ann", "migrated": True, "waived": False, "note": None},
        {"id": "c2", "contract_until": "2028-05-31", "exported": "2027-02-01"},
    ]
    assert read_json(json.dumps(body).encode(), "feed", NOW) == [
        Row("4711", name="Ann", migrated=True, waived=False),
        Row("c2", contract_until=day(2028, 5, 31, end=True), exported=day(2027, 2, 1)),
    ]
    assert read_json(b"[]", "feed", NOW) == []


@pytest.mark.parametrize(
    ("body", "at", "message"),
    [
        (b"{", 1, "is no JSON"),
        (b"\xff\xfe\x00", 1, "is no JSON: it cannot be read"),
        (b"[" * 100_000, 1, "is no JSON"),
        (b'{"id": "a"}', 1, "needs a list of customers"),
        (b'[{"id": "a"}, 7]', 2, "needs an object with an id"),
        (b'[{"id": "a"}, {"name": "b"}]', 2, "is missing"),
        (b'[{"id": "a", "mail": "b"}]', 1, "unknown: 'mail'; known: id, name"),
        (b'[{"id": "a", "name": ["b"]}]', 1, "needs text, or true or false"),
        (b'[{"id": "a"}, {"id": 1.5}]', 2, "needs text, or true or false"),
        (b'[{"id": "a"}, {"id": "a"}]', 2, "'a' is there already: number 1"),
        (b'[{"id": "\\ud800"}]', 1, "has a control character"),
    ],
)
def test_feeds_that_are_wrong(body: bytes, at: int, message: str) -> None:
    with pytest.raises(CustomersError) as error:
        read_json(body, "feed", NOW)
    problem = error.value.problems[0]
    assert problem.line == at
    assert message in problem.message


words = st.text(
    st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=20
)
notes = st.text(st.sampled_from("ab,;\t\"'\r\n ="), max_size=20)


@given(st.dictionaries(words, notes, max_size=20), st.sampled_from(["\n", "\r\n"]))
def test_what_a_library_writes_is_read_as_it_was(customers: dict[str, str], newline: str) -> None:
    written = io.StringIO(newline="")
    table = csv.writer(written, lineterminator=newline, quoting=csv.QUOTE_ALL)
    table.writerow(["id", "note"])
    table.writerows(customers.items())
    expected = [Row(id, note=" ".join(note.split()) or None) for id, note in customers.items()]
    assert taken(written.getvalue()) == expected


@given(st.lists(notes, max_size=12))
def test_the_line_of_a_bad_row_is_where_it_begins(before: list[str]) -> None:
    written = io.StringIO(newline="")
    table = csv.writer(written, lineterminator="\n", quoting=csv.QUOTE_ALL)
    table.writerow(["id", "note"])
    table.writerows((f"c{n}", note) for n, note in enumerate(before))
    text = written.getvalue()
    bad = len(text.encode().splitlines()) + 1
    assert wrong(text + '" ",bad\n') == [f"{bad}: id: is missing"]


# -- what an import changes -----------------------------------------------------------------------

instants = st.integers(0, 300_000_000).map(lambda s: day(2020, 1, 1) + timedelta(seconds=s))
said = st.none() | st.booleans() | instants
rows = st.builds(
    Row,
    id=st.just("c1"),
    name=st.none() | words,
    email=st.none() | st.just("a@x.org"),
    contract_until=st.none() | instants,
    note=st.none() | words,
    **dict.fromkeys(FACTS, said),
)


@given(st.lists(rows, min_size=1, max_size=5), instants)
def test_the_same_again_changes_nothing(given: list[Row], now: datetime) -> None:
    known: Known | None = None
    for row in given:
        known, _ = merged(known, row, now)
    again, what = merged(known, given[-1], now + timedelta(days=30))
    assert (again, what) == (known, {})


@given(st.none() | st.just(Known("c1", name="A", migrated=NOW)), rows)
def test_what_a_row_does_not_say_stays(known: Known | None, row: Row) -> None:
    before = known or Known("c1")
    after, what = merged(known, row, NOW)
    for name in Known.__dataclass_fields__:
        if getattr(row, name) is None:
            assert getattr(after, name) == getattr(before, name)
    changed = {n for n in Known.__dataclass_fields__ if getattr(after, n) != getattr(before, n)}
    assert what.keys() - {"new"} == changed
    assert ("new" in what) is (known is None)


def test_a_fact_keeps_its_day_until_another_is_named_or_it_is_taken_back() -> None:
    known = Known("c1", migrated=day(2027, 1, 1))
    assert merged(known, Row("c1", migrated=True), NOW) == (known, {})
    later, what = merged(known, Row("c1", migrated=day(2027, 1, 5)), NOW)
    assert (later.migrated, what) == (day(2027, 1, 5), {"migrated": "2027-01-05T00:00:00+00:00"})
    back, what = merged(known, Row("c1", migrated=False), NOW)
    assert (back.state, what) == ("open", {"migrated": None})
    first, _ = merged(None, Row("c2", waived=True), NOW)
    assert (first.state, first.waived) == ("waived", NOW)


def test_states_and_counts() -> None:
    customers = [
        Known("a", notified=NOW, contract_until=day(2028, 1, 1)),
        Known("b", exported=NOW, migrated=NOW, contract_until=day(2030, 1, 1)),
        Known("c", waived=NOW, exported=NOW),
        Known("d", contract_until=day(2029, 1, 1)),
        Known("e", contract_until=day(2028, 6, 1)),
    ]
    assert [c.state for c in customers] == ["open", "migrated", "exported", "open", "open"]
    found = summed(customers)
    counts = (found.total, found.open, found.notified, found.exported, found.migrated, found.waived)
    assert counts == (5, 3, 1, 2, 1, 1)
    assert found.contracts_until == day(2029, 1, 1), "who is settled has no say"
    assert [c.id for c in customers if c.is_among("open")] == ["a", "d", "e"]
    assert [c.id for c in customers if c.is_among("exported")] == ["b", "c"]
    assert all(c.is_among(None) for c in customers)
    view = ImportedView(
        product="atlas", sunset=1, digest="", rows=5, new=2, changed=1, unchanged=2,
        not_mentioned=0, customers=found,
    )  # fmt: skip
    assert sentence(view) == "5 customers were imported: 2 new, 1 changed; 3 of 5 are open"
