"""Documents from YAML text: every error at once, each with its file, line and column.

Pure: the caller reads the file and passes text and name in. Values are taken strictly, as YAML 1.2
has them: `no` is text, `"2"` is no number.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from json import dumps
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from phasegate.directory import Directory
from phasegate.policy import Policy
from phasegate.problems import DocPath, DocumentError, Problem, dotted
from phasegate.product import Product
from phasegate.wording import explain, shown
from phasegate.yaml_tree import Tree, load

__all__ = [
    "DocPath",
    "DocumentError",
    "Parsed",
    "Problem",
    "dotted",
    "parse",
    "parse_directory",
    "parse_policy",
    "parse_product",
    "read_directory",
    "read_policy",
    "read_product",
]

T = TypeVar("T", bound=BaseModel)

MOST_PROBLEMS = 200
"""Told at once; nobody reads more of them."""


@dataclass(frozen=True)
class Parsed(Generic[T]):
    """A document together with where each part of it was written."""

    model: T
    source: str
    tree: Tree

    def locate(self, path: DocPath) -> tuple[int, int]:
        """Line and column (from 1) of the value at `path`, or of its nearest written parent."""
        return self.tree.locate(path)

    def problem(self, path: DocPath, message: str) -> Problem:
        """A problem at `path`: how a lint finding becomes `file:line:col: path: message`."""
        return Problem(self.source, *self.locate(path), path, message, _kind(type(self.model)))


def parse(model: type[T], text: str | bytes, source: str) -> Parsed[T]:
    """Read any document model. Raises DocumentError with every problem found."""
    try:
        return _read(model, text, source)
    except DocumentError as error:
        kind = _kind(model)
        raise DocumentError(tuple(replace(p, kind=kind) for p in error.problems)) from None


def _kind(model: type[BaseModel]) -> str:
    return model.__name__.lower()


def _read(model: type[T], text: str | bytes, source: str) -> Parsed[T]:
    tree = load(text, source)
    if not isinstance(tree.data, dict):
        if not tree.problems:
            message = f"a {_kind(model)} needs a mapping (field: value lines), "
            message += f"not {shown(tree.data)}"
            tree.report(tree.locate(()), (), message)
        raise _all(tree)
    try:
        # By way of JSON, because pydantic's strict mode then takes lists for tuples and text for
        # enums, and still no text for numbers.
        document = model.model_validate_json(dumps(tree.data), strict=True)
    except ValidationError as error:
        flawed = {problem.path for problem in tree.problems}
        for found in error.errors(include_url=False):
            if not _echo(found, tree, model, flawed):
                path, message = explain(found, model)
                place = tree.locate_key if found["type"] == "extra_forbidden" else tree.locate
                if found["loc"] and found["loc"][-1] == "[key]":
                    place = tree.locate_key
                tree.report(place(path), path, message)
        raise _all(tree) from None
    if tree.problems:
        raise _all(tree)
    return Parsed(document, source, tree)


def parse_policy(text: str | bytes, source: str) -> Parsed[Policy]:
    """A policy with the places of its parts, for lint."""
    return parse(Policy, text, source)


def parse_product(text: str | bytes, source: str) -> Parsed[Product]:
    """A product with the places of its parts, for lint."""
    return parse(Product, text, source)


def parse_directory(text: str | bytes, source: str) -> Parsed[Directory]:
    """A directory with the places of its parts, for lint."""
    return parse(Directory, text, source)


def read_policy(text: str | bytes, source: str) -> Policy:
    """A policy. Raises DocumentError with every problem found."""
    return parse_policy(text, source).model


def read_product(text: str | bytes, source: str) -> Product:
    """A product. Raises DocumentError with every problem found."""
    return parse_product(text, source).model


def read_directory(text: str | bytes, source: str) -> Directory:
    """A directory. Raises DocumentError with every problem found."""
    return parse_directory(text, source).model


def _all(tree: Tree) -> DocumentError:
    def place(problem: Problem) -> tuple[int, int, str, str]:
        return problem.line, problem.column, dotted(problem.path), problem.message

    found = sorted(set(tree.problems), key=place)
    if len(found) > MOST_PROBLEMS:
        last, more = found[MOST_PROBLEMS - 1], len(found) - MOST_PROBLEMS
        found = [*found[:MOST_PROBLEMS], replace(last, path=(), message=f"and {more} more")]
    return DocumentError(tuple(found))


def _echo(found: Any, tree: Tree, model: type[BaseModel], flawed: set[DocPath]) -> bool:
    """Whether an error only repeats another: a value already refused, or a list that pydantic
    calls too short because its faulty items do not count."""
    path, _ = explain(found, model)
    if path in flawed and found["type"] != "extra_forbidden":
        return True
    if found["type"] != "too_short":
        return False
    return bool(len(found["input"]) >= found["ctx"]["min_length"])
