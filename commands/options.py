"""Options that many commands take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from commands.completing import gates, keys


def _whole(_: Any, tokens: Sequence[Any]) -> int:
    text = tokens[0].value
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"needs a whole number, not {text!r}") from None


Whole = Annotated[int, Parameter(converter=_whole)]
"""A whole number: left to itself, cyclopts rounds 1.5 to 2 without a word."""

Format = Literal["table", "json", "jsonl", "yaml"]

Output = Annotated[
    Format, Parameter(name=("--output", "-o"), help="How to print: a table, or for machines")
]
Who = Annotated[
    str,
    Parameter(name="--as", env_var="PHASEGATE_AS", help="Who you are, as the directory has it"),
]
Key = Annotated[str, Parameter(name="KEY", completer=keys, help="The product's key")]
Target = Annotated[
    str,
    Parameter(
        name="KEY/GATE", completer=gates, help="The product, and its gate if not the open one"
    ),
]
Sign = Annotated[
    bool, Parameter(negative=(), help="Sign it with your SSH key, as gates may demand")
]
SigningKey = Annotated[
    str | None,
    Parameter(
        name="--key",
        env_var="PHASEGATE_SSH_KEY",
        help="With --sign: the key's file. If unset, the first of your keys in the directory that "
        "the SSH agent or ~/.ssh holds",
    ),
]
Text = Annotated[str, Parameter(allow_leading_hyphen=True)]
Timeout = Annotated[
    str | None,
    Parameter(help="How long --wait waits at most: seconds, '30 minutes', PT1H; for ever if unset"),
]
Watch = Annotated[
    bool, Parameter(negative=(), help="Show it again whenever it changes, until Ctrl-C")
]
