"""CEL, the Common Expression Language: how criteria and HTTP checks judge data.

For lint and activities only. Workflows never import this: a library's verdict may change between
releases, a history may not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from math import inf
from typing import Any

from cel_expr_python import cel  # type: ignore[import-untyped]  # has stubs, lacks py.typed
from pydantic import TypeAdapter

from phasegate.base import Figure

_FIGURE: TypeAdapter[Figure] = TypeAdapter(Figure)
_SELECT = "Applying SELECT to non-message type"
_PLACE = re.compile(r"ERROR: <input>:(-?\d+):(-?\d+): ([^\n]*)")
_NO_KEY = re.compile(r'NOT_FOUND: Key not found in map : "([^"]*)"')
_UNDECLARED = re.compile(r"undeclared reference to '(\w+)")
_OVERLOAD = re.compile(
    r"(?:No matching overloads found : |found no matching overload for ')"
    r"(?P<what>[^\s(']+)'?(?: applied to ')?(?:\((?P<types>.*)\)'?)?"
)
_NUMBERS = {"int", "int64", "uint", "uint64", "double"}
_COMPARES = ("==", "!=", "<", "<=", ">", ">=")
_RECKONS = ("+", "-", "*", "/", "%")
_RAN = "cannot be evaluated"
_DEEPEST = 64
"""Levels of data: the library follows them on its stack, and dies where that ends."""
_TYPES = {"string": "text", "bool": "true or false", "list": "a list", "map": "a map"}


@dataclass(frozen=True)
class Truth:
    """Whether an expression is true, and if it could not tell: why."""

    met: bool
    problem: str = ""

    def __bool__(self) -> bool:
        return self.met

    @property
    def own_problem(self) -> str:
        """The problem in words that hold nothing of the data that was judged.

        What the library says at run time may quote a value: a key that a map lacks, a pattern. Why
        an expression does not compile is about its own text.
        """
        return _RAN if self.problem.startswith(_RAN) else self.problem


def facts(
    definition: Mapping[str, Any], evidence: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The variables of a policy's expressions: `product`, and `evidence` where it may be asked.

    Figures come as doubles. CEL compares whole numbers with doubles, but does not reckon with both
    at once, and nobody should have to know whether a product wrote 2000000 or 2000000.5.
    """
    product = dict(definition)
    if isinstance(figures := product.get("figures"), Mapping):
        product["figures"] = _doubles(figures)
    return {"product": product} | ({} if evidence is None else {"evidence": _doubles(evidence)})


def _doubles(figures: Mapping[str, Any]) -> dict[str, Any]:
    whole = {name for name, value in figures.items() if type(value) is int}  # bool is no number
    return {name: _double(value) if name in whole else value for name, value in figures.items()}


def _double(number: int) -> float:
    try:
        return float(number)
    except OverflowError:  # more than any limit, or less
        return inf if number > 0 else -inf


def compile_error(expr: str, *variables: str) -> str | None:
    """Why `expr` over `variables` cannot be used, or None. Refuses what is never true or false."""
    compiled = _compile(expr, variables)
    if isinstance(compiled, str):
        found = _UNDECLARED.match(compiled)
        close = get_close_matches(found[1], variables, n=1) if found else []
        return compiled + (f"; did you mean {close[0]}?" if close else "")
    result = compiled.return_type()
    if result not in (cel.Type.BOOL, cel.Type.DYN):
        return never_true(result)
    return None


def never_compiles(expr: str, *variables: str) -> str | None:
    """Why `expr` over `variables` cannot be evaluated at all, or None; it may give any fact."""
    compiled = _compile(expr, variables)
    return compiled if isinstance(compiled, str) else None


def never_true(result: Any) -> str:
    """Why an expression of this type cannot be used."""
    return f"gives {result.name().lower()}, not true or false; compare it with something"


def evaluate(expr: str, variables: Mapping[str, Any]) -> Truth:
    """Judge `expr`. Fails closed: anything but the boolean true, an error included, is not met."""
    compiled = _compile(expr, tuple(variables))
    if isinstance(compiled, str):
        return Truth(False, f"does not compile: {compiled}")
    if _too_deep(variables):
        return Truth(False, "is asked of what is nested too deep")
    try:
        result = compiled.eval(data=dict(variables))
        # An error comes back as a value that Python takes for true.
        if result.type() == cel.Type.BOOL:
            return Truth(result.value() is True)
        if result.type() == cel.Type.ERROR:
            why = _short(str(result.value()))
            return Truth(False, f"{_RAN}: {why}{_remedy(expr, why, variables)}")
        return Truth(False, f"gave {result.type().name().lower()}, not true or false")
    except Exception as error:  # data from any system in the world, through a C++ extension
        return Truth(False, f"{_RAN}: {_short(str(error))}")


def figure_of(expr: str, variables: Mapping[str, Any]) -> Figure | None:
    """The number or fact that `expr` gives; None where it gives none, for whatever reason."""
    compiled = _compile(expr, tuple(variables))
    if isinstance(compiled, str) or _too_deep(variables):
        return None
    try:
        result = compiled.eval(data=dict(variables))
        if result.type() == cel.Type.ERROR:
            return None
        return _FIGURE.validate_python(result.value())
    except Exception:  # data from any system in the world, through a C++ extension
        return None


def _too_deep(variables: Mapping[str, Any]) -> bool:
    level: list[Any] = [variables]
    for _ in range(_DEEPEST):
        level = [
            part
            for whole in level
            for part in (whole.values() if isinstance(whole, Mapping) else whole)
            if isinstance(part, Mapping | list | tuple)
        ]
        if not level:
            return False
    return True


def _compile(expr: str, names: tuple[str, ...]) -> Any:
    """The compiled expression, or why it is none."""
    try:
        return cel.NewEnv(variables=dict.fromkeys(names, cel.Type.DYN)).compile(expr)
    except Exception as error:  # the extension raises RuntimeError, TypeError or UnicodeError
        return _short(str(error))


def _short(text: str) -> str:
    """One line, with the place in the expression where the library names one."""
    if found := _PLACE.search(text):
        line, column, message = found.groups()
        message = re.sub(r" expecting \{.*", "", message)
        message = re.sub(r" \(in container '[^']*'\)| \[INVALID_ARGUMENT\]", "", message)
        message = overload(message) or message
        where = f" (line {line}, column {column})" if int(line) > 0 else ""
        return message.replace("<EOF>", "end") + where
    if found := _NO_KEY.search(text):
        return f"there is no {found[1]}"
    if _SELECT in text:
        return "it asks for a field of what has no fields"
    line = text.partition("\n")[0][:300]
    return f"it {words}" if (words := overload(line)) else line


def overload(text: str) -> str:
    """What the library says of types that do not go together, in words; empty if it does not."""
    found = _OVERLOAD.search(text)
    if not found:
        return ""
    what, types = found["what"], arguments(found["types"] or "")
    sign = what.replace("_", "")
    if sign in ("&&", "||", "!"):
        return f"takes for {sign} what is neither true nor false"
    names = ["a number" if name in _NUMBERS else _TYPES.get(name, name) for name in types]
    if sign in (*_COMPARES, *_RECKONS) and len(names) == 2:
        verb, joint = ("compares", "with") if sign in _COMPARES else ("reckons with", "and")
        if names[0] == names[1] == "a number":
            hint = "figures are doubles: write 2.0 for 2"
            return f"{verb} a fraction {joint} a whole number; {hint}"
        return f"{verb} {names[0]} {joint} {names[1]}"
    return f"asks {sign} of {', '.join(names) or 'what does not have it'}"


def arguments(types: str) -> list[str]:
    """The names of types, without what lists and maps hold."""
    return [name.partition("(")[0].strip() for name in re.split(r",(?![^(]*\))", types) if name]


def _remedy(expr: str, why: str, variables: Mapping[str, Any]) -> str:
    """How to bring the figure that is missing."""
    name = why.removeprefix("there is no ")
    if "evidence" not in variables or not re.search(rf"\bevidence\.{re.escape(name)}\b", expr):
        return ""
    product = variables.get("product")
    key = product.get("key", "KEY") if isinstance(product, Mapping) else "KEY"
    return f"; phasegate product evidence {key} --figure {name}=N"
