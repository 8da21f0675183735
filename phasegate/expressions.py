"""CEL, the Common Expression Language: how criteria and HTTP checks judge data.

For lint and activities only. Workflows never import this: a library's verdict may change between
releases, a history may not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

from cel_expr_python import cel  # type: ignore[import-untyped]  # has stubs, lacks py.typed

_PLACE = re.compile(r"ERROR: <input>:(-?\d+):(-?\d+): ([^\n]*)")
_NO_KEY = re.compile(r'NOT_FOUND: Key not found in map : "([^"]*)"')
_MIXED = re.compile(r"overloads found.*(?:double, int64|int64, double)")


@dataclass(frozen=True)
class Truth:
    """Whether an expression is true, and if it could not tell: why."""

    met: bool
    problem: str = ""

    def __bool__(self) -> bool:
        return self.met


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
        return compiled
    result = compiled.return_type()
    if result not in (cel.Type.BOOL, cel.Type.DYN):
        return f"gives {result.name().lower()}, not true or false; compare it with something"
    return None


def evaluate(expr: str, variables: Mapping[str, Any]) -> Truth:
    """Judge `expr`. Fails closed: anything but the boolean true, an error included, is not met."""
    compiled = _compile(expr, tuple(variables))
    if isinstance(compiled, str):
        return Truth(False, f"does not compile: {compiled}")
    try:
        result = compiled.eval(data=dict(variables))
        # An error comes back as a value that Python takes for true.
        if result.type() == cel.Type.BOOL:
            return Truth(result.value() is True)
        if result.type() == cel.Type.ERROR:
            return Truth(False, f"cannot be evaluated: {_short(str(result.value()))}")
        return Truth(False, f"gave {result.type().name().lower()}, not true or false")
    except Exception as error:  # data from any system in the world, through a C++ extension
        return Truth(False, f"cannot be evaluated: {_short(str(error))}")


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
        where = f" (line {line}, column {column})" if int(line) > 0 else ""
        return message.replace("<EOF>", "end") + where
    if found := _NO_KEY.search(text):
        return f"there is no {found[1]}"
    line = text.partition("\n")[0][:300]
    return line + ("; figures are doubles: write 2.0 for 2" if _MIXED.search(line) else "")
