"""From the words of a command line to what the engine takes."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from client.usage import UsageError
from integrations.files import read_bounded
from phasegate.base import PersonId, Slug, Wire
from phasegate.requests import Promise
from phasegate.span import Span
from phasegate.wording import explain, shown

M = TypeVar("M", bound=Wire)

_OPTION = {
    "actor": "--as",
    "approver": "--as",
    "due": "DUE",
    "conditions": "--condition",
    "scores": "--score",
    "figures": "--figure",
    "on_behalf_of": "--for",
    "start": "--from",
    "end": "--until",
    "resolve": "--until",
    "to": "TO",
    "criterion": "CRITERION",
    "condition": "CONDITION",
    "ReassignRequest.approver": "FROM",
    "Promise.text": "--condition",
    "matter": "MATTER",
    "task": "TASK",
    "request_id": "the request id",
}
_SLUG = TypeAdapter(Slug)
_PERSON = TypeAdapter(PersonId)
_NUMBER = re.compile(r"^\d+(\.\d+)?$")


def name_of(text: str, what: str, hint: str = "phasegate product list") -> str:
    """A key, gate or task name. Raises UsageError for anything else."""
    try:
        return _SLUG.validate_python(text)
    except ValidationError:
        pass
    meant = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:63]
    why = "needs lower-case letters, digits and dashes, 63 at most"
    raise UsageError(
        f"{shown(text)} is no {what}", f"it {why}" + (f"; write {meant}?" if meant else ""), hint
    )


def key_of(text: str) -> str:
    return name_of(text, "product key")


def gate_of(target: str) -> tuple[str, str | None]:
    """KEY/GATE or KEY."""
    key, slash, gate = target.partition("/")
    known = key_of(key)
    return known, name_of(gate, "gate", f"phasegate gate list {known}") if slash else None


def person_of(text: str) -> str:
    """A person's name in the directory."""
    try:
        return _PERSON.validate_python(text)
    except ValidationError:
        raise UsageError(
            f"--as {shown(text)} cannot be used",
            "needs a login, handle or mail address (letters, digits and . _ @ + -, 64 at most)",
            "phasegate directory show  # lists the people",
        ) from None


def build(model: type[M], **fields: Any) -> M:
    """A request from options. Raises UsageError that names the option at fault."""
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        found = error.errors(include_url=False)[0]
        path, message = explain(found, model)
        field = str(path[0]) if path else ""
        own = _OPTION.get(f"{model.__name__}.{field}")
        option = own or _OPTION.get(field, f"--{field}" if field else "")
        value = f" {shown(found['input'])}" if isinstance(found["input"], str) else ""
        raise UsageError(
            f"{option}{value} cannot be used" if option else "these options do not go together",
            message,
            "--help shows an example",
        ) from None


def promises_of(texts: list[str]) -> list[Promise]:
    """Conditions from JSON, from @FILE with one or a list of them, or from plain text."""
    return [build(Promise, **fields) for text in texts for fields in _conditions(text)]


def _conditions(text: str) -> list[dict[str, Any]]:
    example = '--condition \'{"text": "Rotate the keys", "owner": "olga", "due": "2027-03-01"}\''
    if text.startswith("@"):
        try:
            text = read_bounded(text[1:]).decode()
        except (OSError, UnicodeDecodeError) as error:
            what = f"--condition {text} cannot be read"
            raise UsageError(what, str(error), example) from error
    elif not text.lstrip().startswith(("{", "[")):
        return [{"text": text}]
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError("--condition is not JSON", str(error), example) from error
    items = data if isinstance(data, list) else [data]
    known = set(Promise.model_fields)
    for item in items:
        if not isinstance(item, dict):
            raise UsageError("--condition needs an object", f"found {shown(item)}", example)
        if unknown := sorted(set(item) - known):
            why = f"unknown: {', '.join(unknown)}; known: {', '.join(sorted(known))}"
            raise UsageError("--condition has a field that would be lost", why, example)
    return items


def pairs_of(texts: list[str], option: str, example: str) -> dict[str, str]:
    """NAME=VALUE, each name once. Raises UsageError."""
    found: dict[str, str] = {}
    for text in texts:
        name, sign, value = (part.strip() for part in text.partition("="))
        if not (name and sign and value):
            raise UsageError(f"{option} {shown(text)} cannot be used", "needs NAME=VALUE", example)
        if name in found:
            raise UsageError(f"{option} names {name} twice", "each name has one value", example)
        found[name] = value
    return found


def scores_of(texts: list[str]) -> dict[str, int]:
    """Scores of criteria, as `ease-of-use=7`. Raises UsageError."""
    example = "--score ease-of-use=7"
    found = {}
    for name, value in pairs_of(texts, "--score", example).items():
        if not (value.isascii() and value.isdigit() and int(value) <= 10):
            what = f"--score {name}={value} cannot be used"
            raise UsageError(what, "needs a whole number from 0 to 10", example)
        found[name] = int(value)
    return found


def figures_of(texts: list[str], option: str = "--figure") -> dict[str, bool | int | float | str]:
    """Figures: numbers, true and false as what they are, all else as text. Raises UsageError."""
    pairs = pairs_of(texts, option, f"{option} retention=0.91")
    return {name: _figure(value) for name, value in pairs.items()}


def _figure(text: str) -> bool | int | float | str:
    if text in ("true", "false"):
        return text == "true"
    if re.fullmatch(r"[+-]?\d{1,18}", text):
        return int(text)
    if re.fullmatch(r"[+-]?(\d+\.\d*|\.?\d+)([eE][+-]?\d{1,3})?", text):
        return float(text)
    return text


def span_of(text: str | None, option: str = "--timeout") -> timedelta | None:
    """Seconds, or a span as policies write them. Raises UsageError."""
    if text is None:
        return None
    try:
        span = (
            timedelta(seconds=float(text)) if _NUMBER.match(text) else Span.parse(text).approximate
        )
    except (ValueError, OverflowError) as error:
        raise UsageError(f"{option} {text} cannot be used", str(error), f"{option} 90") from error
    if span < timedelta(0):
        raise UsageError(f"{option} {text} cannot be used", "it is negative", f"{option} 90")
    return span
