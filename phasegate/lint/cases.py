"""Which of a gate's requirements go together: the sets that products of a policy are asked by.

Tiers and `when` choose among requirements. Two that exclude each other are never asked at once, so
that what a gate needs is found by asking the engine's own rule (`asked_of`) of products: of every
tier and maturity, and of those values on which the conditions turn. A set that was found is a fact,
with a product to show for it. The search is bounded; what it did not find is not claimed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, product
from typing import Any, get_args

from phasegate.conditions import asked_of
from phasegate.expressions import evaluate, facts
from phasegate.gate import Gate, Requirement
from phasegate.lint.gates import TIERS
from phasegate.product import Product
from phasegate.seats import in_force
from phasegate.sunset import Maturity

MOST_PRODUCTS = 500
"""Asked for each tier of a gate. A condition is judged once for each choice of its own fields."""

_TEXT = re.compile(r"\"((?:[^\"\\]|\\.)*)\"|'((?:[^'\\]|\\.)*)'")
_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_PATH = re.compile(r"\bproduct\.([a-z_]\w*(?:\.[a-z_]\w*)*)(?!\w|\()")
_OF_TIER = re.compile(r"product\.tier\s*[=!<>]+\s*\d+")
_BARE = re.compile(r"\bproduct\b(?!\.[a-z_])")
_EXACT = {"tier", "maturity"}
"""Fields with so few values that all are tried: what is never true of them is never true."""


@dataclass(frozen=True)
class Case:
    """Products of a tier that are asked the same. `like` is what one of them has, in words; where
    it is None, none was found: it is only supposed that there are such."""

    tier: int
    applying: tuple[int, ...]
    like: str | None = ""


def cases_of(gate: Gate) -> list[Case]:
    """Every set of requirements that some product is asked by, each once per tier. A condition that
    was true of no product has a case that supposes it is."""
    return [case for tier in TIERS for case in _of_tier(gate, tier)]


@lru_cache(maxsize=1000)
def never_true(expression: str, tier: int) -> bool:
    """Whether no product of a tier can make an expression true. Only what depends on tier and
    maturity alone is known so surely."""
    if not set(paths_in([expression])) <= _EXACT or _BARE.search(_without_text(expression)):
        return False
    found = [
        evaluate(expression, facts(_definition(chosen, tier)))
        for chosen in _products([expression], tier)
    ]
    return not any(truth.met or truth.problem for truth in found)


def _of_tier(gate: Gate, tier: int) -> Iterator[Case]:
    in_tier = in_force(gate.requires, tier)
    conditional = {i: when for i in in_tier if (when := gate.requires[i].when) is not None}
    if not conditional:
        if in_tier:
            yield Case(tier, in_tier)
        return
    always = [i for i in in_tier if i not in conditional]
    found: dict[tuple[int, ...], str] = {}
    for chosen in _products(list(conditional.values()), tier):
        asked = {i: _asks(when, tier, _own(when, chosen)) for i, when in conditional.items()}
        if None not in asked.values():  # else it cannot be known what to ask, and it cannot start
            applying = tuple(sorted([*always, *(i for i, asks in asked.items() if asks)]))
            found.setdefault(applying, _words(chosen))
    yield from (Case(tier, applying, like) for applying, like in found.items())
    for i, when in conditional.items():
        if not any(i in applying for applying in found) and not never_true(when, tier):
            yield Case(tier, tuple(sorted([*always, i])), None)


@lru_cache(maxsize=20_000)
def _asks(when: str, tier: int, chosen: tuple[tuple[str, type, Any], ...]) -> bool | None:
    """Whether the engine asks such a product what has this condition; None where nobody could tell.
    Each choice of the fields in it is judged once: most products of a search differ in others."""
    requirement = Requirement(group="group", when=when)
    definition = _definition({path: value for path, _, value in chosen}, tier)
    asked = asked_of([requirement], tier, definition)
    return None if asked.problems else bool(asked.applying)


def _own(when: str, chosen: Mapping[str, Any]) -> tuple[tuple[str, type, Any], ...]:
    """What of a product a condition asks for. With types, since 1 equals true."""
    paths = (path for path in paths_in([when]) if path in chosen)
    return tuple((path, type(chosen[path]), chosen[path]) for path in paths)


def _products(expressions: Sequence[str], tier: int) -> Iterator[dict[str, Any]]:
    """Products on which expressions may turn, as the values of the fields that they ask for."""
    base = _definition({}, tier)
    choices = {
        path: tried for path in paths_in(expressions) if (tried := _tried(path, base, expressions))
    }
    for chosen in islice(product(*choices.values()), MOST_PRODUCTS):
        yield dict(zip(choices, chosen, strict=True))


def paths_in(expressions: Iterable[str]) -> list[str]:
    """The fields of a product that expressions ask for, each once: `figures.revenue`."""
    found = (path for text in expressions for path in _PATH.findall(_without_text(text)))
    return list(dict.fromkeys(found))


def _constants(expressions: Iterable[str]) -> list[Any]:
    """What expressions compare with, and the numbers beside."""
    found: list[Any] = []
    for text in expressions:
        found += [one or other for one, other in _TEXT.findall(text)]
        for number in map(float, _NUMBER.findall(_OF_TIER.sub("", _without_text(text)))):
            found += [number, number + 1, number - 1]
    return list(dict.fromkeys(found))


def _tried(path: str, base: Mapping[str, Any], expressions: Sequence[str]) -> list[Any]:
    """What a field is tried with; nothing for one that stays as it is."""
    if path == "maturity":
        return list(get_args(Maturity))
    asking = [text for text in expressions if path in paths_in([text])]
    constants = _constants(asking)
    if path.startswith("figures."):
        asked_for = any(f"has(product.{path})" in text for text in asking)
        return [*([None] if asked_for else []), *constants, False, True]
    at: Any = base
    for name in path.split("."):
        at = at.get(name) if isinstance(at, Mapping) else None
    return [at, *(v for v in constants if isinstance(v, str))] if isinstance(at, str) else []


def _definition(chosen: Mapping[str, Any], tier: int) -> dict[str, Any]:
    """A definition with these values; None leaves a figure out."""
    definition = Product(key="k", name="K", owner="o", tier=tier).model_dump(mode="json")
    for path, value in chosen.items():
        *above, last = path.split(".")
        at = definition
        for name in above:
            at = at[name]
        if value is not None:
            at[last] = value
    return definition


def _words(chosen: Mapping[str, Any]) -> str:
    return ", ".join(f"{path} {_plain(v)}" for path, v in chosen.items() if v is not None)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.12g}" if isinstance(value, float) else repr(value)


def _without_text(expression: str) -> str:
    return _TEXT.sub('""', expression)
