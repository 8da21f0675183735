"""What pydantic found, in the words of the people who write documents."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from phasegate.problems import DocPath

# Words people bring from other tools, and ours for the same thing.
_SYNONYMS = {
    "quorum": "need",
    "count": "need",
    "minimum": "need",
    "approvals": "requires",
    "approvers": "requires",
    "requirements": "requires",
    "name": "title",
    "label": "title",
    "deadline": "due",
    "date": "due",
    "offset": "at",
    "type": "kind",
    "uri": "url",
    "condition": "expression",
    "reminders": "remind",
    "interval": "every",
    "if": "when",
    "holidays": "absences",
    "vacations": "absences",
    "substitute": "deputy",
    "region": "subdivision",
}
_QUOTED = re.compile(r"'([^']*)'")


def explain(error: Any, model: type[BaseModel]) -> tuple[DocPath, str]:
    """The path to show (without the tags of unions) and the message for one pydantic error."""
    path, owner = _walk(model, error["loc"])
    kind, context, value = error["type"], error.get("ctx", {}), error["input"]
    match kind:
        case "extra_forbidden":
            return path, unknown_field(str(path[-1]), owner)
        case "missing":
            return path, "is missing"
        case "union_tag_invalid" | "union_tag_not_found":
            field = context["discriminator"].strip("'")
            if kind == "union_tag_not_found":
                return (*path, field), f"is missing; one of {', '.join(_tags(model, path))}"
            known = _QUOTED.findall(context["expected_tags"])
            return (*path, field), _choice(known, context["tag"])
        case "literal_error" | "enum":
            known = _QUOTED.findall(context["expected"]) or [context["expected"]]
            return path, _choice(known, value)
        case "value_error":
            return path, str(context["error"])
        case "string_type":
            quote = "; put it in quotes" if isinstance(value, bool | int | float) else ""
            return path, f"needs text, not {shown(value)}{quote}"
        case "string_pattern_mismatch":
            return path, _pattern(context["pattern"], str(value))
        case "string_too_long":
            return path, f"is too long: {context['max_length']} characters at most"
        case "string_too_short":
            return path, "must not be empty"
        case "int_type" | "int_from_float" | "int_parsing":
            quote = "; leave the quotes out" if isinstance(value, str) and value.isdigit() else ""
            return path, f"needs a whole number, not {shown(value)}{quote}"
        case "float_type" | "float_parsing" | "finite_number":
            return path, f"needs a number, not {shown(value)}"
        case "bool_type":
            return path, f"needs true or false, not {shown(value)}"
        case "greater_than":
            return path, f"must be more than {_bound(context['gt'])}, not {shown(value)}"
        case "greater_than_equal":
            return path, f"must be at least {_bound(context['ge'])}, not {shown(value)}"
        case "less_than_equal":
            return path, f"must be at most {_bound(context['le'])}, not {shown(value)}"
        case "tuple_type" | "list_type":
            return path, f"needs a list (lines that start with '- '), not {shown(value)}"
        case "dict_type" | "model_type" | "model_attributes_type":
            return path, f"needs a mapping (field: value lines), not {shown(value)}"
        case "too_short":
            return path, f"needs at least {context['min_length']} of them"
        case "too_long":
            return path, f"takes {context['max_length']} of them at most"
        case "date_type" | "date_parsing" | "date_from_datetime_parsing":
            return path, f"needs a day such as 2026-12-24, not {shown(value)}"
        case "datetime_type" | "datetime_parsing" | "datetime_from_date_parsing":
            return path, (
                f"needs a date such as 2026-11-23, or an instant such as 2026-11-23T09:00:00Z, "
                f"not {shown(value)}"
            )
    return path, str(error["msg"])


def _bound(number: Any) -> Any:
    """A limit as people write it: models keep those of numbers with a point, as 0.0."""
    return int(number) if number == int(number) else number


def shown(value: object) -> str:
    """A value as the writer of the document knows it, cut short."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return f"the number {value}"[:60]
        case dict():
            return "a mapping"
        case list() | tuple():
            return "a list"
    text = str(value)
    return repr(text if len(text) <= 60 else text[:57] + "...")


def unknown_field(name: str, owner: Any) -> str:
    """Says that a field is unknown, and which one was probably meant."""
    here = list(owner.model_fields) if _is_model(owner) else []
    if " " in name:
        return "unknown field; if it is the rest of a text with a comma, put the text in quotes"
    if meant := _meant(name, here):
        return f"unknown field, did you mean {meant}?"
    for field in here:
        for inner in _models(owner.model_fields[field].annotation):
            if meant := _meant(name, list(inner.model_fields)):
                asked = f", did you mean {meant}? It" if meant != name else " here; it"
                return f"unknown field{asked} belongs inside {field}"
    return f"unknown field; known here: {', '.join(here)}"


def _meant(name: str, fields: list[str]) -> str | None:
    """The field that `name` stands for: alike in spelling, or another tool's word for it."""
    lower = name.lower().replace("-", "_")
    words = fields + [word for word, ours in _SYNONYMS.items() if ours in fields]
    close = get_close_matches(lower, words, n=1, cutoff=0.7)
    return None if not close else close[0] if close[0] in fields else _SYNONYMS[close[0]]


def _choice(known: list[str], value: object) -> str:
    close = get_close_matches(str(value), known, n=1)
    hint = f"; did you mean {close[0]}?" if close else ""
    if value in known:  # a number, written as text
        hint = "; leave the quotes out"
    one_of = "one of " if len(known) > 1 else ""
    return f"needs {one_of}{', '.join(known)}, not {shown(value)}{hint}"


def _pattern(pattern: str, value: str) -> str:
    if pattern.startswith("^https?"):
        return f"needs an address that starts with http:// or https://, not {shown(value)}"
    if "A-Z" in pattern:
        hint = "; leave the @ out" if value.startswith("@") else ""
        return (
            f"needs a login, handle or mail address (letters, digits and . _ @ + -, "
            f"64 at most), not {shown(value)}{hint}"
        )
    blank, called = ("_", "underscores") if "_" in pattern else ("-", "dashes")
    name = re.sub(r"[^a-z0-9]+", blank, value.lower()).strip(blank)[:63]
    hint = f"; write {name}?" if re.match(pattern, name) else ""
    return f"needs lower-case letters, digits and {called}, 63 at most, not {shown(value)}{hint}"


def _walk(model: type[BaseModel], loc: DocPath) -> tuple[DocPath, Any]:
    """The path without union tags, and the model (or container type) its last step is in."""
    at: Any = model
    owner: Any = model
    path: list[str | int] = []
    for step in loc:
        at = _bare(at)
        if _is_union(at):
            at = next((m for m in _models(at) if step in _kinds(m)), None)
            continue
        if step == "[key]":
            continue
        path.append(step)
        owner = at
        at = _inner(at, step)
    return tuple(path), owner


def _inner(at: Any, step: str | int) -> Any:
    if _is_model(at):
        field = at.model_fields.get(step)
        return field.annotation if field else None
    arguments = get_args(at)
    if get_origin(at) is tuple:
        return arguments[0]
    return arguments[1] if get_origin(at) is dict else None


def _bare(annotation: Any) -> Any:
    """Without Annotated and Optional."""
    if get_origin(annotation) is Annotated:
        return _bare(get_args(annotation)[0])
    if _is_union(annotation):
        members = [member for member in get_args(annotation) if member is not type(None)]
        return _bare(members[0]) if len(members) == 1 else annotation
    return annotation


def _is_union(annotation: Any) -> bool:
    return get_origin(annotation) in (Union, UnionType)


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _models(annotation: Any) -> Iterator[Any]:
    """Every model inside an annotation: through Optional, unions, lists and mappings."""
    if _is_model(annotation):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)


def _kinds(model: Any) -> tuple[str, ...]:
    annotation = model.model_fields["kind"].annotation
    return get_args(annotation) if get_origin(annotation) is Literal else ()


def _tags(model: type[BaseModel], path: DocPath) -> list[str]:
    """The kinds to choose from where a union's `kind` is missing."""
    at: Any = model
    for step in path:
        at = _inner(_bare(at), step)
    return [kind for member in _models(at) for kind in _kinds(member)]
