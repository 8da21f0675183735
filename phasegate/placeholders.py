"""`{NAME}` in a check's texts: one policy for many products, each with values of its own.

A placeholder is `{NAME}` with the name of a figure, or `{product}`, the product's key. Where a text
is a query of its own language, a placeholder stands within quotes, so that no value can end the
term it stands in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from urllib.parse import quote, unquote

PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]{0,62})\}")
BRACED = re.compile(r"\{([^{}]*)\}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_DOTS = (".", "..")

Encode = Callable[[str], str]
"""What a value becomes in the text; raises ValueError where it cannot stand there."""


class ValueMissing(LookupError):
    """The product has no value of that name."""


class ValueUnfit(ValueError):
    """A value cannot stand where it is wanted."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(why)
        self.name = name


def names_in(text: str) -> tuple[str, ...]:
    """The placeholders of a text, each once, in its order."""
    return tuple(dict.fromkeys(PLACEHOLDER.findall(text)))


def put(text: str, values: Mapping[str, object], encode: Encode) -> str:
    """The text with its values. Raises ValueMissing and ValueUnfit."""

    def value(found: re.Match[str]) -> str:
        name = found[1]
        if name not in values:
            raise ValueMissing(name)
        plain = written(values[name])
        try:
            return encode(plain)
        except ValueError as error:
            raise ValueUnfit(name, f"{{{name}}} is {plain[:60]!r}, which {error}") from None

    return PLACEHOLDER.sub(value, text)


def written(value: object) -> str:
    """A figure as text: `true`, `7`, `0.5`, and `2` for 2.0."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def plain(value: str) -> str:
    """A value that stands for itself."""
    if not value.strip():
        raise ValueError("is empty")
    if _CONTROL.search(value):
        raise ValueError("has a control character")
    if "{" in value or "}" in value:
        raise ValueError("has a brace, as placeholders have")
    return value


def in_address(value: str) -> str:
    """A value in a path or a query: percent-encoded (RFC 3986), and no way out of its place."""
    if _dotted(plain(value)):
        raise ValueError("has a dot segment, which leads to another path")
    return quote(value, safe="")


def in_quotes(value: str) -> str:
    """A value within the quotes of a query language: nothing in it can end them."""
    if found := re.search(r"[\"'\\]", plain(value)):
        raise ValueError(f"has a {found[0]}, which could end the quotes it stands in")
    return value


def in_labels(value: str) -> str:
    """One label among labels with commas between; GitLab takes `None` and `Any` for a question."""
    if "," in plain(value) or value.strip().lower() in ("none", "any"):
        raise ValueError("is no single label")
    return value


def unquoted(text: str, quotes: str) -> str | None:
    """The first placeholder that stands outside of quotes, or None."""
    open_with, escaped = "", False
    for i, char in enumerate(text):
        if escaped:
            escaped = False
        elif char == "\\":
            escaped = True
        elif open_with:
            open_with = "" if char == open_with else open_with
        elif char in quotes:
            open_with = char
        elif found := PLACEHOLDER.match(text, i):
            return found[1]
    return None


def climbs(path: str) -> bool:
    """Whether a path has dot segments, also in disguise: some servers decode before they look, and
    some (Tomcat, by the parameters of RFC 3986, 3.3) take `..;x` for `..`."""
    return _dotted(unquote(path.partition("?")[0]))


def _dotted(path: str) -> bool:
    return any(part.partition(";")[0] in _DOTS for part in re.split(r"[/\\]", path))
