"""CEL expressions: what does not compile is told at lint, and nothing but true is true."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phasegate.expressions import Truth, compile_error, evaluate, facts, figure_of


@pytest.mark.parametrize(
    "expr",
    [
        "body.status == 'ok'",
        "body.status",
        "size(body.items) > 2 && body.items.all(i, i.open == false)",
        "has(body.release) && body.release.startsWith('v1.')",
        "true",
    ],
)
def test_good_expressions_compile(expr: str) -> None:
    assert compile_error(expr, "body") is None


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        ("body.", "Syntax error: no viable alternative at input '.' (line 1, column 6)"),
        ("", "Syntax error: mismatched input 'end' (line 1, column 1)"),
        ("bdy == 1", "undeclared reference to 'bdy' (line 1, column 1); did you mean body?"),
        ("'a' + 1 == 'b'", "reckons with text and a number (line 1, column 5)"),
        ("body.x ? 1 < 'b' : false", "compares a number with text (line 1, column 12)"),
        ("body.x ==\n  product.y", "undeclared reference to 'product.y' (line 2, column 10)"),
        ("1 + 1", "gives int, not true or false; compare it with something"),
        ("'yes'", "gives string, not true or false; compare it with something"),
    ],
)
def test_bad_expressions_say_where(expr: str, expected: str) -> None:
    assert compile_error(expr, "body") == expected


def test_an_expression_too_deep_is_refused() -> None:
    found = compile_error("!" * 5 + "(" * 200 + "true" + ")" * 200, "body")
    assert found is not None
    assert "\n" not in found


@pytest.mark.parametrize(
    ("expr", "body", "met", "problem"),
    [
        ("body.ok", {"ok": True}, True, ""),
        ("body.ok", {"ok": False}, False, ""),
        ("body.n > 2", {"n": 3}, True, ""),
        ("body.n > 2", {"n": 2}, False, ""),
        ("body.ok", {"ok": 1}, False, "gave int, not true or false"),
        ("body.ok", {"ok": "true"}, False, "gave string, not true or false"),
        ("body.ok", {"ok": None}, False, "gave null, not true or false"),
        ("body.ok", {}, False, "cannot be evaluated: "),
        ("body.ok", None, False, "cannot be evaluated: "),
        ("body.ok", [1], False, "cannot be evaluated: "),
        ("body.a.b.c == 1", {"a": {}}, False, "cannot be evaluated: "),
        ("1 / body.n == 1", {"n": 0}, False, "cannot be evaluated: "),
        ("body.", {}, False, "does not compile: "),
        ("body.ok", {"ok": object()}, False, "cannot be evaluated: "),
    ],
)
def test_only_true_is_true(expr: str, body: object, met: bool, problem: str) -> None:
    found = evaluate(expr, {"body": body})
    assert found.met is met
    assert bool(found) is met
    assert found.problem.startswith(problem)
    assert bool(found.problem) == bool(problem)


def test_an_unset_variable_is_not_met() -> None:
    assert evaluate("true", {}) == Truth(True)
    assert not evaluate("body", {})


JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=8),
        st.binary(max_size=3),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(JSON)
def test_whatever_a_system_answers_never_raises(body: object) -> None:
    found = evaluate("body.status == 'done' && body.count > 1", {"body": body})
    assert not found
    assert evaluate("body", {"body": body}).met is (body is True)


@pytest.mark.parametrize("body", [10**30, "\ud800", {1.5: 1}, {(1,): 1}])
def test_data_that_cel_has_no_type_for_is_not_met(body: object) -> None:
    assert evaluate("body == 1", {"body": body}).problem.startswith("cannot be evaluated: ")


def test_an_extension_that_raises_is_not_met(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def eval(self, data: object) -> None:
            raise RuntimeError("INTERNAL: lost")

    monkeypatch.setattr("phasegate.expressions._compile", lambda *_: Broken())
    assert evaluate("true", {}) == Truth(False, "cannot be evaluated: INTERNAL: lost")


# -- figures ---------------------------------------------------------------------------------------

FIGURES = {"revenue": 2000000, "share": 0.5, "huge": 10**400, "debt": -(10**400), "eu": True}


@pytest.mark.parametrize(
    "expr",
    [
        "product.figures.revenue > 1e6",
        "product.figures.revenue > 1000000",
        "product.figures.revenue == 2000000",
        "product.figures.revenue * product.figures.share == 1000000.0",
        "product.figures.share > 0 && product.figures.eu",
        "product.figures.huge > 1e300 && product.figures.debt < 0",
        "!has(product.figures.cost) && product.tier <= 1",
        "evidence.p99 < 2 && product.figures.revenue / evidence.p99 > 1e6",
    ],
)
def test_figures_compare_and_reckon_whether_written_whole_or_not(expr: str) -> None:
    product = {"tier": 1, "figures": FIGURES}
    assert evaluate(expr, facts(product, {"p99": 1})) == Truth(True)
    assert product["figures"]["revenue"] == 2000000  # what was asked of is left as it was


def test_a_whole_number_beside_a_figure_is_explained() -> None:
    found = evaluate("product.figures.revenue * 2 > 1", facts({"figures": FIGURES}))
    assert found.problem.endswith("; figures are doubles: write 2.0 for 2")


@pytest.mark.parametrize(
    ("expr", "problem"),
    [
        ("evidence.text <= 2", "it compares text with a number"),
        ("evidence.yes > 2.5", "it compares true or false with a number"),
        ("product.goals > 2", "it compares a list with a number"),
        ("product.figures + evidence.text == 'x'", "it reckons with a map and text"),
        ("!evidence.text", "it takes for ! what is neither true nor false"),
        ("evidence.text && true", "it takes for && what is neither true nor false"),
        ("size(evidence.yes) > 1", "it asks size of true or false"),
        ("product.goals.x > 1", "it asks for a field of what has no fields"),
    ],
)
def test_what_does_not_go_together_is_told_in_words(expr: str, problem: str) -> None:
    variables = facts({"goals": [], "figures": {}}, {"text": "fast", "yes": True})
    assert evaluate(expr, variables) == Truth(False, f"cannot be evaluated: {problem}")


def test_what_is_not_there_is_named() -> None:
    found = evaluate("evidence.p99 < 2", facts({"name": "K"}, {}))
    brings = "; phasegate product evidence %s --figure p99=N"
    assert found == Truth(False, "cannot be evaluated: there is no p99" + brings % "KEY")
    found = evaluate("evidence.p99 < 2", facts({"key": "kettle"}, {}))
    assert found.problem.endswith(brings % "kettle")
    found = evaluate("product.figures.p99 < evidence.p9", facts({"figures": {}}, {"p9": 1}))
    assert found == Truth(False, "cannot be evaluated: there is no p99")
    assert "undeclared reference" in evaluate("evidence.p99 < 2", facts({})).problem


def test_an_expression_may_have_several_variables() -> None:
    assert compile_error("product.tier == evidence.tier", "product", "evidence") is None
    found = compile_error("product.tier == evidence.tier", "product")
    assert found == "undeclared reference to 'evidence.tier' (line 1, column 25)"


def test_a_problem_can_be_told_without_the_data_it_is_about() -> None:
    data = {"body": {"token": "hunter2"}}
    for expr in ("{'a': true}[body.token]", "matches('x', '(' + body.token)"):
        found = evaluate(expr, data)
        assert "hunter2" in found.problem
        assert found.own_problem == "cannot be evaluated"
    assert evaluate("body.token", data).own_problem == "gave string, not true or false"
    assert evaluate("bdy.token", data).own_problem.startswith("does not compile: undeclared")


def test_facts_are_taken_from_an_answer() -> None:
    data = {"status": 200, "body": {"n": 3, "s": "a", "d": 1.5, "t": True, "l": [1], "no": None}}
    assert [figure_of(f"body.{name}", data) for name in "nsdt"] == [3, "a", 1.5, True]
    assert figure_of("size(body.l) + status", data) == 201
    for none in ("body.l", "body.no", "body.gone", "bdy.n", "body.n +", "1.0 / 0.0"):
        assert figure_of(none, data) is None
    long = {"body": {"s": "x" * 501, "deep": {"a": 1}}}
    assert figure_of("body.s", long) is None
    assert figure_of("body.deep", long) is None
