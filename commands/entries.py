"""What the catalogue says of a command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Command(NamedTuple):
    """Where a command's body is, what it does in one line, and how it is used."""

    body: str
    help: str
    example: str


class Noun(NamedTuple):
    help: str
    verbs: Mapping[str, Command]
