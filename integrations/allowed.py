"""The allow-list of commands: what tasks of a sunset may run on a worker, and how.

It belongs to whoever runs the worker. A policy names a command and gives values; which program
that is, with which arguments, rights and secrets, is decided here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, field_validator, model_validator

from integrations.document import Patience
from integrations.files import read_bounded
from integrations.secret import Secret
from phasegate.base import Document, Slug
from phasegate.errors import PhasegateError
from phasegate.placeholders import PLACEHOLDER, names_in
from phasegate.reading import parse
from phasegate.span import Span

VARIABLE = "PHASEGATE_COMMANDS"

OURS = ("product", "task", "key")
"""Placeholders that phasegate fills; others are arguments of the policy."""


def _not_ours(name: str) -> str:
    if name.startswith("PHASEGATE_"):
        raise ValueError("cannot begin with PHASEGATE_: those are set by phasegate")
    return name


Variable = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=200),
    AfterValidator(_not_ours),
]
ExitCode = Annotated[int, Field(ge=0, le=255)]


class AllowListUnreadable(PhasegateError):
    """The allow-list of commands cannot be opened."""


class AllowedCommand(Document):
    """One program, called without a shell. Its first word is the program, by its absolute path.

    A word may hold placeholders; none of them can become two words, or another option.
    """

    argv: tuple[Annotated[str, StringConstraints(min_length=1, max_length=2000)], ...] = Field(
        min_length=1, max_length=100
    )
    pattern: str = Field(
        r"[A-Za-z0-9._:/@-]{1,200}",
        max_length=500,
        description="what a value has to match as a whole; it never begins with -",
    )
    inherit: tuple[Variable, ...] = Field(
        (), description="variables of the worker's environment that it sees"
    )
    secrets: dict[Variable, Secret] = Field(
        {}, description="variables that are set from secrets by reference"
    )
    timeout: Patience = Span.parse("10 minutes")
    done: tuple[ExitCode, ...] = Field((0,), min_length=1)
    not_done: tuple[ExitCode, ...] = Field(
        (), description="exit codes by which it says that nothing was done"
    )
    facts: bool = Field(False, description="its output is a JSON object of facts for the proof")

    @field_validator("argv")
    @classmethod
    def _one_program(cls, argv: tuple[str, ...]) -> tuple[str, ...]:
        if not argv[0].startswith("/") or PLACEHOLDER.search(argv[0]):
            raise ValueError("begins with the absolute path of a program, without placeholders")
        return argv

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        try:
            re.compile(pattern)
        except (re.error, OverflowError, RecursionError) as error:
            raise ValueError(f"is no regular expression: {error}") from None
        return pattern

    @model_validator(mode="after")
    def _one_meaning(self) -> AllowedCommand:
        if both := sorted({*self.done} & {*self.not_done}):
            raise ValueError(f"exit code {both[0]} is both done and not_done")
        if both_names := sorted({*self.inherit} & {*self.secrets}):
            raise ValueError(f"{both_names[0]} is both inherited and a secret")
        return self

    def arguments(self) -> list[str]:
        """The arguments that a policy has to give."""
        found = dict.fromkeys(name for word in self.argv for name in names_in(word))
        return [name for name in found if name not in OURS]


class AllowList(Document):
    """The commands of one worker; empty if there is no file."""

    schema_version: Literal[1] = 1
    commands: dict[Slug, AllowedCommand] = {}

    def secrets(self) -> list[tuple[str, Secret]]:
        """Every secret that is pointed at, and from where."""
        return [
            (f"commands.{name}.secrets.{variable}", secret)
            for name, command in self.commands.items()
            for variable, secret in command.secrets.items()
        ]


def load_allow_list(env: Mapping[str, str] = os.environ) -> AllowList:
    """The file that PHASEGATE_COMMANDS names; nothing may be run where it is not set.

    Raises AllowListUnreadable where it cannot be opened, DocumentError with every problem in it.
    """
    name = env.get(VARIABLE)
    if not name:
        return AllowList()
    try:
        text = read_bounded(Path(name).expanduser())
    except OSError as error:
        raise AllowListUnreadable(
            f"the allow-list {name} cannot be read",
            error.strerror or str(error),
            f"mend {VARIABLE}, or unset it so that no command is run",
        ) from error
    return _parsed(text, name)


@lru_cache(maxsize=4)
def _parsed(text: bytes, name: str) -> AllowList:
    # Read for every act, so that a mended list counts at once; parsed when its text has changed.
    return parse(AllowList, text, name).model
