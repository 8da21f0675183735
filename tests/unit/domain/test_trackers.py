"""What a policy and its products may ask of a tracker, and what no value of theirs can do."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from phasegate.check import Check, HttpCheck, ProductCheck
from phasegate.expressions import compile_error
from phasegate.filling import fill, texts_of
from phasegate.milestones import Milestone, MilestoneStatus, replan, roadmap_of
from phasegate.placeholders import climbs, names_in, unquoted, written
from phasegate.policy import MilestoneGoal, Phase
from phasegate.ports import MilestoneQuery
from phasegate.product import Product
from phasegate.trackers import Ask, Unaskable, ask_of

CHECK: TypeAdapter[Any] = TypeAdapter(Check)


def check_of(kind: str, **fields: Any) -> Any:
    given_fields = {"kind": kind, **fields}
    if kind == "http":
        given_fields.setdefault("expression", "body.ok")
    return CHECK.validate_python(given_fields)


def product(**figures: Any) -> Product:
    return Product(key="kettle", name="Kettle", owner="olga", figures=figures)


def filled(check: Any, **figures: Any) -> Any:
    found = fill(check, product(**figures))
    assert found.problem == ""
    return found.check


def problem(check: Any, **figures: Any) -> tuple[str, str]:
    found = fill(check, product(**figures))
    assert found.check == check
    assert found.problem
    return found.figure, found.problem


# -- placeholders ---------------------------------------------------------------------------------


def test_a_product_gives_its_values_to_a_policys_checks() -> None:
    check = check_of("github", repo="acme/{repo}", milestone="v{major}.{minor} {product}")
    found = filled(check, repo="kettle.app", major=2.0, minor=True)
    assert (found.repo, found.milestone) == ("acme/kettle.app", "v2.true kettle")
    assert filled(check_of("github", repo="{repo}", release="latest"), repo="acme/kettle").repo
    plain = check_of("github", repo="acme/kettle", release="latest")
    assert fill(plain, product()).check is plain
    assert (written(False), written(7), written(0.5)) == ("false", "7", "0.5")


def test_every_kind_of_check_takes_values_where_they_are_no_code() -> None:
    search = check_of("github", repo="a/b", issues='label:"{label}"')
    assert filled(search, label="must fix").issues == 'label:"must fix"'
    jql = check_of("jira", jql="fixVersion = '{v}' AND project = \"{p}\"")
    assert filled(jql, v="1 0", p="ED").jql == "fixVersion = '1 0' AND project = \"ED\""
    gitlab = check_of("gitlab", project="{p}", issues="blocker,{label}")
    assert filled(gitlab, p="a/b/c", label="big one").issues == "blocker,big one"
    options = {"queue": "{q}", "deep": [{"{q}": "x {q}"}, 3, None], "n": 1}
    custom = check_of("custom", name="tickets", options=options)
    got = {"queue": "in/..", "deep": [{"{q}": "x in/.."}, 3, None], "n": 1}
    assert filled(custom, q="in/..").options == got
    event = check_of("event", source="github", type="release", subject="{repo}", when="1 == 1")
    assert filled(event, repo="a/b").subject == "a/b"
    http = check_of("http", connection="x", path="/a/{n}?q={n}", expression="body['{n}']")
    assert filled(http, n="a b/c?#&").path == "/a/a%20b%2Fc%3F%23%26?q=a%20b%2Fc%3F%23%26"
    assert filled(http, n="x").expression == "body['{n}']"
    url = check_of("http", url="https://m.example.com/{n}/errors")
    assert filled(url, n="ä@").url == "https://m.example.com/%C3%A4%40/errors"
    assert list(texts_of(check_of("reported"))) == []
    other = ProductCheck(kind="product", product="lamp", gate="launch")
    assert fill(other, product()).check is other


def test_what_is_missing_is_named() -> None:
    check = check_of("github", repo="{repo}", milestone="1")
    figure, why = problem(check, rep="a/b")
    assert (figure, why) == ("repo", "repo asks for {repo}, and there is no figure repo")
    with pytest.raises(Unaskable, match=r"repo has a placeholder without a value: \{repo\}"):
        ask_of(check)


@pytest.mark.parametrize(
    ("check", "value", "why"),
    [
        (check_of("github", repo="acme/{v}", milestone="1"), "a/b", "needs OWNER/NAME"),
        (check_of("github", repo="acme/{v}", milestone="1"), "..", "needs OWNER/NAME"),
        (check_of("github", repo="{v}", milestone="1"), "acme", "needs OWNER/NAME"),
        (check_of("github", repo="{v}", milestone="1"), "a/b?x=1", "needs OWNER/NAME"),
        (check_of("github", repo="{v}", milestone="1"), "{product}/b", "has a brace"),
        (check_of("github", repo="{v}", milestone="1"), " ", "is empty"),
        (check_of("github", repo="a/b", milestone="{v}"), "1\n2", "has a control character"),
        (check_of("github", repo="a/b", milestone="{v}"), "x" * 301, "at most 300 characters"),
        (check_of("gitlab", project="{v}", release="1"), "/etc", "needs GROUP/NAME"),
        (check_of("gitlab", project="a/{v}", release="1"), "../b", "needs GROUP/NAME"),
        (check_of("gitlab", project="a", issues="x,{v}"), "y,z", "is no single label"),
        (check_of("gitlab", project="a", issues="{v}"), "None", "is no single label"),
        (check_of("github", repo="a/b", issues='label:"{v}"'), 'x" repo:c/d', "end the quotes"),
        (check_of("jira", jql='project = "{v}"'), 'A" OR "1"="1', "end the quotes"),
        (check_of("jira", jql="project = '{v}'"), "A' OR '1'='1", "end the quotes"),
        (check_of("jira", jql='project = "{v}"'), "A\\", "end the quotes"),
        (check_of("http", connection="x", path="/a/{v}/b"), "..", "has a dot segment"),
        (check_of("http", connection="x", path="/a/{v}/b"), "x/../y", "has a dot segment"),
        (check_of("http", connection="x", path="/a/{v}/b"), "x\\..\\y", "has a dot segment"),
        (check_of("http", connection="x", path="/a/.{v}/b"), ".", "has a dot segment"),
        (check_of("http", connection="x", path="/a/%2e{v}/b"), "x\u2028", "control character"),
        (check_of("custom", name="t", options={"a": ["{v}"]}), "a\x00", "control character"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(check: Any, value: str, why: str) -> None:
    unchecked = Product.model_construct(key="kettle", figures={"v": value})
    found = fill(check, unchecked)
    assert (found.check, found.figure) == (check, "v")
    assert why in found.problem


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"kind": "github", "repo": "acme", "milestone": "1"}, "needs OWNER/NAME"),
        ({"kind": "github", "repo": "../..", "milestone": "1"}, "needs OWNER/NAME"),
        ({"kind": "github", "repo": "a/b", "issues": "label:{x}"}, "within double quotes"),
        ({"kind": "github", "repo": "a/b", "issues": '"a" {x} "b"'}, "within double quotes"),
        ({"kind": "github", "repo": "a/b", "issues": "it's {x}'"}, "within double quotes"),
        ({"kind": "gitlab", "project": "a//b", "release": "1"}, "needs GROUP/NAME"),
        ({"kind": "jira", "jql": "project = {x}"}, "within double quotes"),
        ({"kind": "jira", "jql": '"a\\" {x} "'}, ""),
        ({"kind": "jira", "jql": '"a\\\\" {x} "'}, "within double quotes"),
        ({"kind": "http", "url": "https://{host}/x", "expression": "true"}, "after the host"),
        ({"kind": "http", "url": "https://h.{x}?y", "expression": "true"}, "after the host"),
        *(
            ({"kind": "http", "connection": "c", "path": path, "expression": "true"}, why)
            for path, why in (
                ("//evil.example/x", "begins with one /"),
                ("x", "begins with one /"),
                ("/a b", "no blank"),
                ("/a\\b", "no blank"),
                ("/a#b", "no blank"),
                ("/a/../b", "dot segment"),
                ("/..", "dot segment"),
                ("/a/%2E%2e/b", "dot segment"),
                ("/a%2f..%2fb", "dot segment"),
                ("/a/./b", "dot segment"),
                ("/..;/manager/html", "dot segment"),
                ("/a/%2e.%3bx=1/b", "dot segment"),
                ("/a;v=../b", ""),
                ("/a/..b/.../?x=/../", ""),
                ("/@evil.example:80/", ""),
            )
        ),
    ],
)
def test_what_leads_elsewhere_is_refused_where_it_is_written(
    fields: dict[str, Any], why: str
) -> None:
    if not why:
        CHECK.validate_python(fields)
        return
    with pytest.raises(ValidationError, match=why):
        CHECK.validate_python(fields)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"kind": "http", "expression": "true"}, "either url, or connection and path"),
        (
            {"kind": "http", "expression": "true", "url": "https://x", "connection": "c"},
            "either url, or connection and path",
        ),
        ({"kind": "http", "expression": "true", "connection": "c"}, "connection and path go"),
        ({"kind": "github", "repo": "a/b"}, "exactly one of milestone, release, issues"),
        (
            {"kind": "gitlab", "project": "a", "release": "1", "issues": "x"},
            "exactly one of milestone, release, issues",
        ),
        ({"kind": "jira", "project": "A"}, "exactly one of version, jql"),
        ({"kind": "jira", "version": "1"}, "version and project go together"),
        ({"kind": "product", "product": "x"}, "exactly one of milestone, gate"),
    ],
)
def test_a_check_asks_one_thing(fields: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        CHECK.validate_python(fields)


NASTY = st.text(
    alphabet=st.sampled_from(list("ab1./\\%\"' {}?#&:@,;=+-\n\u00e4")), min_size=1, max_size=12
)


@given(NASTY, NASTY)
def test_no_value_leaves_its_place(first: str, second: str) -> None:
    """Whatever the values are: they are refused, or stand whole where the policy put them."""
    checks = [
        check_of("github", repo="acme/{a}", release="v{b}"),
        check_of("github", repo="acme/x", issues='label:"{a}" milestone:"{b}"'),
        check_of("gitlab", project="acme/{a}", milestone="{b}"),
        check_of("gitlab", project="acme/x", issues="{a},{b}"),
        check_of("jira", project="{a}", version="{b}"),
        check_of("jira", jql="x = \"{a}\" AND y = '{b}'"),
        check_of("http", connection="http", path="/p/{a}/q?r={b}"),
    ]
    values = Product.model_construct(key="kettle", figures={"a": first, "b": second})
    for check in checks:
        found = fill(check, values)
        if found.problem:
            continue
        try:
            ask = ask_of(found.check)
        except Unaskable:
            continue
        assert stays(ask)
        query = parse_qs(urlsplit(ask.address).query, keep_blank_values=True)
        if check.kind == "http":
            assert (list(query), query["r"]) == (["r"], [second])
        if getattr(check, "jql", None):
            assert query["jql"] == [f"x = \"{first}\" AND y = '{second}'"]
            assert not set("\"'\\") & set(first + second)
        if check.kind == "github" and check.issues:
            assert query["q"] == [f'repo:acme/x is:issue label:"{first}" milestone:"{second}"']
            assert not set('"\\') & set(first + second)
        if check.kind == "gitlab" and check.issues:
            assert query["labels"] == [f"{first},{second}"]
            assert "," not in first + second


def stays(ask: Ask) -> bool:
    split = urlsplit("https://host.example/base" + ask.address)
    return (
        (split.scheme, split.netloc, split.fragment) == ("https", "host.example", "")
        and split.path.startswith("/base/")
        and not climbs(ask.address)
        and "\\" not in ask.address
        and ask.address.isascii()
    )


def test_placeholders_are_names_of_figures() -> None:
    assert names_in("{a} {b_1} {a} {A} {a-b} {} {1}") == ("a", "b_1")
    assert unquoted('"{a}" {b}', '"') == "b"
    assert unquoted("{a}", '"') == "a"
    assert unquoted('"{a}"', '"') is None


# -- what is asked --------------------------------------------------------------------------------


def test_checks_that_are_asked_otherwise_are_no_question_over_http() -> None:
    for kind in ({"kind": "custom", "name": "x"}, {"kind": "product", "product": "x", "gate": "g"}):
        with pytest.raises(TypeError, match="is not asked over HTTP"):
            ask_of(CHECK.validate_python(kind))


@pytest.mark.parametrize(
    ("fields", "address", "expression"),
    [
        (
            {"kind": "github", "repo": "a/b", "milestone": "7"},
            "/repos/a/b/milestones/7",
            'body.state == "closed"',
        ),
        (
            {"kind": "github", "repo": "a/b", "milestone": "\u0667"},  # a digit, but no number
            "/repos/a/b/milestones?state=all&per_page=100",
            'body.exists(m, m.title == "\u0667" && m.state == "closed")',
        ),
        (
            {"kind": "github", "repo": "a/b", "release": "latest"},
            "/repos/a/b/releases/latest",
            "body.draft == false",
        ),
        (
            {"kind": "github", "repo": "a/b", "issues": "is:open", "at_most": 3},
            "/search/issues?q=repo%3Aa%2Fb%20is%3Aissue%20is%3Aopen&per_page=1",
            "body.total_count <= 3",
        ),
        (
            {"kind": "gitlab", "project": "a/b/c", "milestone": 'x"y\\z'},
            "/projects/a%2Fb%2Fc/milestones?title=x%22y%5Cz",
            'body.exists(m, m.title == "x\\"y\\\\z" && m.state == "closed")',
        ),
        (
            {"kind": "jira", "project": "ED", "version": "1.0"},
            "/rest/api/3/project/ED/versions",
            'body.exists(v, v.name == "1.0" && has(v.released) && v.released == true)',
        ),
    ],
)
def test_each_preset_is_one_question(fields: dict[str, Any], address: str, expression: str) -> None:
    ask = ask_of(CHECK.validate_python(fields))
    assert (ask.address, ask.expression, ask.connection) == (address, expression, ask.kind)
    assert compile_error(ask.expression, "body") is None
    assert not ask.whole or compile_error(ask.whole, "body") is None


def test_a_tag_with_dot_segments_is_refused() -> None:
    for check in (
        check_of("github", repo="a/b", release=".."),
        check_of("github", repo="a/b", release="../../user"),
        check_of("gitlab", project="a/b", release="x/../../y"),
        check_of("jira", project="..", version="1"),
    ):
        with pytest.raises(Unaskable, match="dot segment"):
            ask_of(check)


def test_an_address_of_its_own_has_no_connection() -> None:
    ask = ask_of(check_of("http", url="https://x.example/a/../b"))
    assert (ask.address, ask.connection, ask.kind) == ("https://x.example/a/../b", None, "http")
    assert ask_of(check_of("http", connection="ci", path="/x", pages=True)).pages


@pytest.mark.parametrize(
    ("issues", "why"),
    [
        ("repo:acme/secret is:open", "has repo:"),
        ("is:open -Repo:x/y", "has repo:"),
        ("label:a OR (org:acme)", "has org:"),
        ("USER : acme", "has user :"),
        ('"open repo:a/b', "a quote that does not end"),
        ('"a\\" repo:a/b "', "has a backslash"),
        ("a) OR (b", "brackets that do not match"),
        ("a OR (b", "brackets that do not match"),
        ('label:"repo: b)" is:open (a OR b)', ""),
        ("reporting:x author:user", ""),
    ],
)
def test_a_search_of_issues_stays_with_its_repository(issues: str, why: str) -> None:
    check = check_of("github", repo="a/b", issues=issues)
    if not why:
        ask_of(check)
        return
    with pytest.raises(Unaskable, match=why):
        ask_of(check)


def test_whatever_joins_terms_by_or_stands_in_brackets() -> None:
    ask = ask_of(check_of("github", repo="a/b", issues="x OR\ty"))
    assert parse_qs(urlsplit(ask.address).query)["q"] == ["repo:a/b is:issue (x OR\ty)"]


def test_texts_say_how_many() -> None:
    one = ask_of(check_of("jira", jql="x = 1", at_most=1))
    none = ask_of(check_of("jira", jql="x = 1", cloud=False))
    assert one.said
    assert none.said
    assert one.said.met == "there are at most 1 issue for x = 1"
    assert none.said.unmet == "there are more than 0 issues for x = 1"


# -- milestones -----------------------------------------------------------------------------------

GOAL = MilestoneGoal(
    id="done",
    title="Done",
    check=check_of("github", repo="{repo}", milestone="1"),
)
PHASE = Phase(id="build", title="Build", milestones=(GOAL,))


def test_a_phase_is_entered_with_the_values_of_then() -> None:
    (found,) = roadmap_of(PHASE, product(repo="acme/kettle"))
    assert (found.check.repo, found.problem, found.why) == ("acme/kettle", "", "")  # type: ignore[union-attr]
    told = replan([found], PHASE, product(repo="acme/kettle"), product(repo="acme/empty"))
    assert told == []
    assert found.check.repo == "acme/kettle"  # type: ignore[union-attr]


def test_a_value_that_was_missing_is_taken_once_it_is_there() -> None:
    (found,) = roadmap_of(PHASE, product())
    assert found.problem == "repo asks for {repo}, and there is no figure repo"
    assert found.why == f"cannot tell: {found.problem}"
    assert replan([found], PHASE, product(), product(repo="acme")) == []
    assert "needs OWNER/NAME" in found.why
    told = replan([found], PHASE, product(repo="acme"), product(repo="acme/kettle"))
    assert told == ["milestone done can be asked now"]
    assert (found.check.repo, found.problem, found.why) == ("acme/kettle", "", "")  # type: ignore[union-attr]


def test_a_waived_milestone_needs_no_values() -> None:
    (found,) = roadmap_of(PHASE, product())
    waived = found.model_copy(update={"state": MilestoneStatus.waived})
    assert replan([waived], PHASE, product(), product(repo="acme/kettle")) == []
    assert waived.problem


def test_a_filled_check_survives_the_journey_of_the_state() -> None:
    for repo in ("acme/kettle", "acme"):
        (found,) = roadmap_of(PHASE, product(repo=repo))
        assert Milestone.model_validate_json(found.model_dump_json()) == found


@pytest.mark.parametrize("said", [{}, {"own": False}])
def test_a_products_own_check_is_known_as_that_wherever_it_travels(said: dict[str, Any]) -> None:
    ours = {"kind": "http", "connection": "ci", "path": "/x", "expression": "body.ok", **said}
    goals = [{"id": "own", "phase": "build", "check": ours}, {"id": "done", "phase": "build"}]
    text = json.dumps({"key": "kettle", "name": "K", "owner": "olga", "milestones": goals})
    brought = Product.model_validate_json(text)
    theirs, own = roadmap_of(PHASE, brought.model_copy(update={"figures": {"repo": "a/b"}}))
    for milestone, expected in ((theirs, False), (own, True)):
        kept = Milestone.model_validate_json(milestone.model_dump_json())
        query = MilestoneQuery(product="kettle", milestone="m", check=kept.check)  # type: ignore[arg-type]
        asked = MilestoneQuery.model_validate_json(query.model_dump_json())
        assert ask_of(asked.check).own is expected
    assert "own" not in theirs.check.model_dump()  # digests of policies are what they were


def test_old_checks_read_as_before() -> None:
    check = HttpCheck(kind="http", url="https://x", expression="true")
    assert Milestone(id="a", title="A", phase="p", check=check).check == check
