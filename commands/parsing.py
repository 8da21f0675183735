"""From the words of a command line to what the engine takes."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from client.usage import UsageError
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
        option = _OPTION.get(field, f"--{field}" if field else "")
        value = f" {shown(found['input'])}" if isinstance(found["input"], str) else ""
        raise UsageError(
            f"{option}{value} cannot be used" if option else "these options do not go together",
            message,
            "the command with --help shows an example",
        ) from None


def promises_of(texts: list[str]) -> list[Promise]:
    """Conditions from JSON, from @FILE with one or a list of them, or from plain text."""
    return [build(Promise, **fields) for text in texts for fields in _conditions(text)]


def _conditions(text: str) -> list[dict[str, Any]]:
    example = '--condition \'{"text": "Rotate the keys", "owner": "olga", "due": "2027-03-01"}\''
    if text.startswith("@"):
        try:
            text = Path(text[1:]).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            what = f"--condition {text} cannot be read"
            raise UsageError(what, str(error), example) from error
    elif not text.lstrip().startswith(("{", "[")):
        return [{"text": text}]
    try:
        data = json.loads(text)
    except ValueError as error:
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
