"""A policy's checks with a product's values in them.

Filled once, when the phase is entered: an owner who could change what is asked could settle the
milestone by that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from pydantic import ValidationError

from phasegate.check import Check
from phasegate.placeholders import (
    Encode,
    ValueMissing,
    ValueUnfit,
    in_address,
    in_labels,
    in_quotes,
    names_in,
    plain,
    put,
)
from phasegate.product import Product

PLACES: Mapping[str, Mapping[str, Encode]] = {
    "http": {"url": in_address, "path": in_address},
    "github": {"repo": plain, "milestone": plain, "release": plain, "issues": in_quotes},
    "gitlab": {"project": plain, "milestone": plain, "release": plain, "issues": in_labels},
    "jira": {"project": plain, "version": plain, "jql": in_quotes},
    "custom": {"options": plain},
    "event": {"subject": plain},
}
"""The fields of each kind of check that take values, and how. Expressions and connections do not:
there a value would be code, or choose the secret."""


@dataclass(frozen=True)
class Filled:
    """A check that can be asked; or the check as it was, why it cannot be, and where that lies."""

    check: Check
    problem: str = ""
    figure: str = ""
    field: str = ""


def values_of(product: Product) -> dict[str, object]:
    """What placeholders may name: every figure, and `product` for the key."""
    return {**product.figures, "product": product.key}


def texts_of(check: Check) -> Iterator[tuple[str, str]]:
    """The fields that take values, and their texts; options of a custom check may hold many."""
    for field in PLACES.get(check.kind, {}):
        for text in _texts(getattr(check, field)):
            yield field, text


def fill(check: Check, product: Product) -> Filled:
    """The check for this product. One without placeholders is returned as it is."""
    wanted = {field: names[0] for field, text in texts_of(check) if (names := names_in(text))}
    if not wanted:
        return Filled(check)
    values = values_of(product)
    filled: dict[str, Any] = {}
    for field in wanted:
        try:
            change = partial(put, values=values, encode=PLACES[check.kind][field])
            filled[field] = _each(getattr(check, field), change)
        except ValueMissing as error:
            name = error.args[0]
            why = f"{field} asks for {{{name}}}, and there is no figure {name}"
            return Filled(check, why, name, field)
        except ValueUnfit as error:
            return Filled(check, f"{field}: {error}", error.name, field)
    try:
        before = {name: getattr(check, name) for name in type(check).model_fields}
        return Filled(type(check).model_validate({**before, **filled}))
    except ValidationError as error:
        found = error.errors()[0]
        field = str(found["loc"][0])  # only what was filled can be wrong: the rest was right before
        why = found.get("ctx", {}).get("error", found["msg"])
        shown = repr(str(filled[field])[:60])
        return Filled(check, f"{field} would be {shown}, and {why}", wanted[field], field)


def _texts(value: Any) -> Iterator[str]:
    """The texts in a value of JSON; names of fields are not among them."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(item)


def _each(value: Any, change: Callable[[str], str]) -> Any:
    """A value of JSON with every text in it changed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {name: _each(item, change) for name, item in value.items()}
    return [_each(item, change) for item in value] if isinstance(value, list) else value
