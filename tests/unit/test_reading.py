"""Documents from text: every mistake is found, placed, and said in plain words."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phasegate import yaml_tree
from phasegate.errors import PhasegateError
from phasegate.policy import Policy
from phasegate.reading import (
    DocumentError,
    parse_policy,
    parse_product,
    read_directory,
    read_policy,
    read_product,
)
from phasegate.wording import explain, shown

POLICY = """\
policy: tiny
version: "1"
title: Tiny
phases:
  - id: build
    title: Build
    gate:
      id: ship
      title: Ship it
      requires:
        - {group: leads, need: 2}
"""
PRODUCT = "key: kettle\nname: Kettle\nowner: ann\n"


def problems(text: str | bytes, read=read_policy) -> list[str]:
    with pytest.raises(DocumentError) as caught:
        read(text, "launch.yaml")
    return [str(problem) for problem in caught.value.problems]


def only(text: str | bytes, read=read_policy) -> str:
    found = problems(text, read)
    assert len(found) == 1, found
    return found[0]


def test_a_good_policy_is_read() -> None:
    policy = read_policy(POLICY, "launch.yaml")
    assert policy.phases[0].gate is not None
    assert policy.phases[0].gate.requires[0].need == 2
    assert read_policy(POLICY.encode(), "launch.yaml") == policy
    assert read_policy("\ufeff" + POLICY, "launch.yaml") == policy
    assert read_policy(b"\xef\xbb\xbf" + POLICY.encode(), "launch.yaml") == policy
    assert read_policy(POLICY.replace("\n", "\r\n"), "launch.yaml") == policy


def test_unknown_field_points_at_its_key_and_suggests() -> None:
    text = POLICY.replace("need: 2", "qorum: 2")
    assert only(text) == (
        "launch.yaml:11:26: phases.0.gate.requires.0.qorum: unknown field, did you mean need?"
    )


def test_unknown_field_may_belong_one_level_down() -> None:
    text = POLICY.replace("      title: Ship it\n", "      title: Ship it\n      qorum: 2\n")
    found = only(text)
    assert found.startswith(
        "launch.yaml:10:7: phases.0.gate.qorum: unknown field, did you mean need?"
    )
    assert found.endswith("It belongs inside requires")


def test_a_field_that_is_spelt_right_is_not_suggested_again() -> None:
    found = only("people: {}\ngroups: {}\ntitle: T\n", read_directory)
    assert found == "launch.yaml:3:1: title: unknown field here; it belongs inside groups"
    found = only(POLICY.replace("policy:", "schema_version: '1'\npolicy:", 1))
    assert found.endswith("schema_version: needs 1, not '1'; leave the quotes out")


def test_unknown_field_without_likeness_lists_what_is_known() -> None:
    assert only(POLICY + "zzz: 1\n") == (
        "launch.yaml:12:1: zzz: unknown field; known here: schema_version, policy, version, title, "
        "description, source, phases, sunset"
    )


def test_a_comma_in_braces_is_recognised_as_the_cause() -> None:
    text = POLICY.replace("{group: leads, need: 2}", "{group: leads, among others}")
    assert "put the text in quotes" in only(text)


@pytest.mark.parametrize(
    ("task", "message"),
    [
        (
            "{kind: http, id: a, title: A, url: 'http://x', metod: PUT}",
            "metod: unknown field, did you mean method?",
        ),
        (
            "{kind: http, id: a, title: A, url: ftp://x}",
            "url: needs an address that starts with http:// or https://",
        ),
        (
            "{kind: http, id: a, title: A, url: 'http://x', body: {n: 1}}",
            "body.n: needs text, not the number 1; put it in quotes",
        ),
        (
            "{kind: http, id: a, title: A, url: 'http://x', method: GET}",
            "method: needs one of POST, PUT, PATCH, DELETE, not 'GET'",
        ),
        (
            "{kind: htp, id: a, title: A}",
            "kind: needs one of notice, http, command, archive, mail, manual, custom, wait, date, "
            "gate, plan, not 'htp'; did you mean http?",
        ),
        (
            "{id: a, title: A}",
            "kind: is missing; one of notice, http, command, archive, mail, manual, custom, wait, "
            "date, gate, plan",
        ),
        ("{kind: date, id: a, title: A, at: soon}", "at: 'soon' is not a span such as '90 days'"),
        (
            "{kind: gate, id: a, title: A, gate: {id: g, titel: T}}",
            "gate.titel: unknown field, did you mean title?",
        ),
        ("just text", "needs a mapping (field: value lines), not 'just text'"),
    ],
)
def test_paths_go_through_unions_without_their_tags(task: str, message: str) -> None:
    found = problems(f"{POLICY}sunset:\n  tasks:\n    - {task}\n")
    expected = "sunset.tasks.0" + (
        "."
        if ": " in message.split(",", maxsplit=1)[0] and not message.startswith("needs")
        else ": "
    )
    assert any(expected + message in line for line in found), found
    assert all(line.startswith("launch.yaml:14:") for line in found)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "need: 2",
            'need: "2"',
            "11:32: phases.0.gate.requires.0.need: needs a whole number, not '2'; leave the "
            "quotes out",
        ),
        (
            "need: 2",
            "need: x",
            "11:32: phases.0.gate.requires.0.need: needs a whole number, not 'x'",
        ),
        (
            "need: 2",
            "need: 2.5",
            "11:32: phases.0.gate.requires.0.need: needs a whole number, not the number 2.5",
        ),
        (
            "need: 2",
            "need: true",
            "11:32: phases.0.gate.requires.0.need: needs a whole number, not true",
        ),
        (
            "need: 2",
            "need: 99",
            "11:32: phases.0.gate.requires.0.need: must be at most 50, not the number 99",
        ),
        (
            "need: 2",
            "need: -1",
            "11:32: phases.0.gate.requires.0.need: must be at least 0, not the number -1",
        ),
        (
            "need: 2",
            "veto: no",
            "11:32: phases.0.gate.requires.0.veto: needs true or false, not 'no'",
        ),
        (
            "{group: leads, need: 2}",
            "{need: 1}",
            "11:11: phases.0.gate.requires.0: needs either group or any_of, and not both",
        ),
        (
            'version: "1"',
            "version: 1.0",
            "2:10: version: needs text, not the number 1.0; put it in quotes",
        ),
        ('version: "1"', 'version: ""', "2:10: version: must not be empty"),
        (
            'version: "1"',
            f"version: {'9.' * 30}",
            "2:10: version: is too long: 40 characters at most",
        ),
        ("title: Tiny", "title: [a]", "3:8: title: needs text, not a list"),
        ("title: Tiny", "title:", "3:1: title: needs text, not nothing"),
        (
            "title: Tiny",
            "schema_version: 2\ntitle: Tiny",
            "3:17: schema_version: needs 1, not the number 2",
        ),
        (
            "policy: tiny",
            "policy: Tiny Tim",
            "1:9: policy: needs lower-case letters, digits and dashes, 63 at most, not 'Tiny "
            "Tim'; write tiny-tim?",
        ),
        (
            "title: Ship it",
            "opens: never\n      title: Ship it",
            "9:14: phases.0.gate.opens: needs one of milestones, submit, not 'never'",
        ),
        (
            "title: Ship it",
            "clocks: {on_timeout: kil}\n      title: Ship it",
            "9:28: phases.0.gate.clocks.on_timeout: needs one of escalate, hold, kill, not "
            "'kil'; did you mean kill?",
        ),
        ("      title: Ship it\n", "", "8:7: phases.0.gate.title: is missing"),
        (
            "    title: Build\n",
            "    title: Build\n    milestones: none\n",
            "7:17: phases.0.milestones: needs a list (lines that start with '- '), not 'none'",
        ),
    ],
)
def test_wrong_values_are_said_plainly(old: str, new: str, expected: str) -> None:
    assert old in POLICY
    assert only(POLICY.replace(old, new, 1)) == f"launch.yaml:{expected}"


def test_an_empty_list_where_one_is_needed() -> None:
    assert only('policy: a\nversion: "1"\ntitle: A\nphases: []\n') == (
        "launch.yaml:4:9: phases: needs at least 1 of them"
    )


def test_every_problem_is_told_at_once_in_the_order_of_the_file() -> None:
    text = POLICY.replace("title: Tiny", "titel: Tiny").replace("need: 2", "need: x, veto: 1")
    text = text.replace("id: build", "id: Build") + "policy: again\n"
    found = problems(text)
    assert [re.sub(r":\d+: .*", "", line) for line in found] == [
        f"launch.yaml:{line}" for line in (1, 3, 5, 11, 11, 12)
    ]
    assert not any("at least 1" in line for line in found), (
        "no echo of faulty items as a short list"
    )


def test_the_error_is_one_of_ours_with_what_why_and_hint() -> None:
    with pytest.raises(PhasegateError) as caught:
        read_policy(POLICY + "a: 1\nb: 2\n", "launch.yaml")
    assert caught.value.what == "launch.yaml has 2 problems"
    assert str(caught.value) == caught.value.why
    assert caught.value.why.count("\n") == 1
    assert caught.value.hint.startswith("phasegate policy schema policy ")


@pytest.mark.parametrize("text", ["a: 1\n", "- a\n", "", "a: [\n"])
def test_the_hint_names_the_schema_of_the_document(text: str) -> None:
    for kind, read in (("product", read_product), ("directory", read_directory)):
        with pytest.raises(DocumentError) as caught:
            read(text, "file.yaml")
        assert caught.value.hint.startswith(f"phasegate policy schema {kind} ")


def test_duplicate_keys_name_both_places() -> None:
    assert only(POLICY + "title: Again\n") == (
        "launch.yaml:12:1: title: given twice, first at line 3, column 1; keep one of them"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "1:1: the file is empty"),
        ("# only a comment\n", "1:1: the file is empty"),
        ("- a\n- b\n", "1:1: a policy needs a mapping (field: value lines), not a list"),
        ("hello", "1:1: a policy needs a mapping (field: value lines), not 'hello'"),
        ("~", "1:1: a policy needs a mapping (field: value lines), not nothing"),
        ("12", "1:1: a policy needs a mapping (field: value lines), not the number 12"),
        ("a: [1", "1:6: not well-formed YAML: expected ',' or ']'"),
        ("a: b: c", "1:5: not well-formed YAML: a ':' where none can be; quote text"),
        ("a:\n\tb: 1", "2:1: not well-formed YAML: a tab; indent with spaces"),
        ("a: 'x", "1:6: not well-formed YAML: found unexpected end of stream"),
        ("a: 1\n---\nb: 2\n", "2:1: not well-formed YAML: more than one document"),
        ("a: &x 1", "1:4: anchors and aliases are refused; write the value out"),
        ("a: *x", "1:4: anchors and aliases are refused"),
        ("%YAML 1.1\n---\na: no\n", "documents are YAML 1.2"),
        ('a: "\\U00110000"', "1:1: not well-formed YAML: chr()"),
        ("ok: 1\na: \x00", "2:4: unreadable: special characters are not allowed"),
        ("[" * 5000, "nested more than 32 levels deep"),
        (b"title: ok\nname: \xff\n", "2:7: byte 0xff is not UTF-8; save the file as UTF-8"),
        ("policy: x".encode("utf-16"), "1:1: byte 0xff is not UTF-8"),
        ("x" * (1024 * 1024 + 1), "1:1: 1048577 bytes are too many; 1048576 (1 MiB) at most"),
    ],
)
def test_text_that_cannot_be_read_at_all(text: str | bytes, expected: str) -> None:
    found = only(text)
    assert found.startswith("launch.yaml:")
    assert expected in found


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("title: !!python/object:os.system x", "12:8: title: tag "),
        ("title: !foo {a: 1}", "12:8: title: tag !foo is refused"),
        ("<<: {title: x}", "12:1: merge keys (<<) are refused"),
        ("? [a, b]\n: 1", "12:3: a list or mapping cannot be a field name"),
        ('title: "\\e[2Jgone"', "12:8: title: contains the control character U+001B; remove it"),
        ('title: "\\ud800"', "12:8: title: contains the control character U+D800; remove it"),
        ("title: !!int x", "12:8: title: 'x' is no int"),
        (
            f"title: {'1' * 5000}",
            "12:8: title: '1111111111111111111111111111111111111111' is no int",
        ),
    ],
)
def test_what_could_run_expand_or_forge_is_refused(line: str, expected: str) -> None:
    found = problems(POLICY.replace("title: Tiny\n", "description: x\n") + line + "\n")
    assert any(expected in text for text in found), found


def test_an_alias_bomb_is_refused_before_it_expands() -> None:
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{b}: &{b} [{','.join('*' + a for _ in range(9))}]\n"
        for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    assert "anchors and aliases are refused" in only(bomb)


def test_yaml_1_2_words_stay_words() -> None:
    directory = read_directory(
        "people:\n  no: {name: No}\n  007: {name: on}\ngroups:\n  yes: {members: [no, '007']}\n",
        "d",
    )
    assert directory.members("yes") == ("007", "no")
    assert directory.name_of("007") == "on"


def test_numbers_where_names_belong_want_quotes() -> None:
    text = "people: {}\ngroups:\n  a: {members: [12]}\n"
    assert only(text, read_directory) == (
        "launch.yaml:3:17: groups.a.members.0: needs text, not the number 12; put it in quotes"
    )


def test_faulty_keys_of_mappings_are_placed_at_the_key() -> None:
    assert only(PRODUCT + "approvers:\n  G 1: {a: [ann]}\n", read_product) == (
        "launch.yaml:5:3: approvers.G 1: needs lower-case letters, digits and dashes, 63 at most, "
        "not 'G 1'; write g-1?"
    )
    assert only(PRODUCT.replace("ann", '"@ann"'), read_product).endswith("; leave the @ out")


@pytest.mark.parametrize(
    ("due", "expected"),
    [
        ("2019-06-04", datetime(2019, 6, 4, 23, 59, 59, tzinfo=UTC)),
        ("'2019-06-04'", datetime(2019, 6, 4, 23, 59, 59, tzinfo=UTC)),
        ("2019-06-04T10:00:00Z", datetime(2019, 6, 4, 10, tzinfo=UTC)),
        ("2019-06-04 10:00:00+02:00", datetime(2019, 6, 4, 8, tzinfo=UTC)),
    ],
)
def test_dates_are_read(due: str, expected: datetime) -> None:
    text = f"{PRODUCT}milestones:\n  - {{id: m, phase: p, due: {due}}}\n"
    assert read_product(text, "p.yaml").milestones[0].due == expected


@pytest.mark.parametrize(
    ("due", "expected"),
    [
        ("2019-02-30", "needs a date such as 2026-11-23"),
        ("20190604", "needs a date such as 2026-11-23"),
        ("soon", "needs a date such as 2026-11-23"),
        ("2019-06-04T10:00:00", "needs a time zone"),
    ],
)
def test_dates_that_are_none_are_refused(due: str, expected: str) -> None:
    text = f"{PRODUCT}milestones:\n  - {{id: m, phase: p, due: {due}}}\n"
    found = only(text, read_product)
    assert found.startswith("launch.yaml:5:28: milestones.0.due: ")
    assert expected in found


def test_a_date_in_a_text_field_is_text() -> None:
    assert read_policy(POLICY.replace('"1"', "2026-11-01"), "p").version == "2026-11-01"


def test_parsed_documents_know_where_things_are() -> None:
    parsed = parse_policy(POLICY, "launch.yaml")
    assert parsed.locate(("phases", 0, "gate", "id")) == (8, 11)
    assert parsed.locate(("phases", 0, "gate", "requires", 0, "tiers")) == (11, 11)
    assert parsed.locate(()) == (1, 1)
    assert str(parsed.problem(("phases", 0, "id"), "is odd")) == (
        "launch.yaml:5:9: phases.0.id: is odd"
    )
    assert parse_product(PRODUCT, "p").locate(("milestones",)) == (1, 1)


def test_errors_we_have_no_words_for_keep_their_own() -> None:
    error = {"type": "new", "loc": ("title",), "msg": "Something new", "input": 1}
    assert explain(error, Policy) == (("title",), "Something new")


def test_long_values_are_cut_in_messages() -> None:
    assert len(shown("x" * 500)) < 70
    assert len(shown(10**400)) <= 60


FRAGMENTS = st.sampled_from(
    [
        "policy",
        "phases",
        "gate",
        "id",
        ": ",
        "- ",
        "\n",
        "  ",
        "{",
        "}",
        "[",
        "]",
        "'",
        '"',
        "&a ",
        "*a",
        "!!int ",
        "!x ",
        "|",
        ">",
        "?",
        "#",
        "%YAML 1.1\n",
        "---",
        "...",
        "2019-01-01",
        "0x",
        "~",
        "true",
        "1e999",
        ".nan",
        "\\x",
        "\t",
        "\u2028",
        "é",
        "<<",
        "kind",
        "sunset",
        "tasks",
        ",",
        "@",
        "`",
    ]
)


@settings(max_examples=400, deadline=None)
@given(st.one_of(st.text(), st.binary(), st.lists(FRAGMENTS, max_size=30).map("".join)))
def test_garbage_is_refused_and_never_crashes(text: str | bytes) -> None:
    for read in (read_policy, read_product, read_directory):
        try:
            read(text, "garbage.yaml")
        except DocumentError as error:
            found = error.problems
        else:
            continue
        assert found
        assert all(problem.line >= 1 and problem.column >= 1 for problem in found)
        assert all(problem.message for problem in found)


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                ["id", "title", "gate", "kind", "check", "requires", "tasks", "at", "x y"]
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(VALUES, VALUES)
def test_well_formed_nonsense_is_refused_and_never_crashes(phases: object, tasks: object) -> None:
    from json import dumps  # every JSON text is YAML 1.2

    text = f'policy: a\nversion: "1"\ntitle: A\nphases: [{dumps(phases)}]\n'
    text += f"sunset: {{tasks: [{dumps(tasks)}]}}\n"
    with pytest.raises(DocumentError):
        read_policy(text, "nonsense.yaml")


def test_a_mapping_in_place_of_a_text_is_called_one() -> None:
    with pytest.raises(DocumentError, match="a mapping"):
        read_policy("policy: tiny\nversion: {a: 1}\ntitle: T\nphases: []\n", "p.yaml")


def test_a_document_has_so_many_parts_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_tree, "MAX_PARTS", 1000)  # ten seconds' worth else
    problem = only("key: a\nfeatures: [" + "1, " * 200_000 + "]\n", read_product)
    assert "more than 1000 keys and values; split it" in problem


def test_lists_end() -> None:
    many = f"{PRODUCT}features: [" + "{title: x}, " * 501 + "]\n"
    assert only(many, read_product) == "launch.yaml:4:11: features: takes 500 of them at most"


def test_not_more_problems_than_anybody_reads() -> None:
    found = problems(f"{PRODUCT}features: [" + "1, " * 300 + "]\n", read_product)
    assert len(found) == 201
    assert found[-1].endswith("and 100 more")
