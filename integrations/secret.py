"""Secrets by reference: a file says where one is, never what it is."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, model_validator

from integrations.hiding import remember
from phasegate.base import Document
from phasegate.errors import PhasegateError

LONGEST = 64 * 1024


class SecretMissing(PhasegateError):
    """A secret that the integrations file points at is not there."""


class Secret(Document):
    """Where a secret is: an environment variable, or a file (as Docker and Kubernetes mount them).

    It is read when it is used, so that a rotated secret counts at once.
    """

    env: str | None = Field(None, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=200)
    file: str | None = Field(None, min_length=1, max_length=1000)

    @model_validator(mode="before")
    @classmethod
    def _no_value(cls, data: Any) -> Any:
        if isinstance(data, str):  # the message of a wrong type would quote it
            raise ValueError(
                "needs env: NAME or file: PATH; the secret itself does not belong here"
            )
        return data

    @model_validator(mode="after")
    def _one_place(self) -> Secret:
        if (self.env is None) is (self.file is None):
            raise ValueError("needs either env: NAME or file: PATH")
        return self

    def __str__(self) -> str:
        return f"${self.env}" if self.env else str(self.file)

    def reveal(self, env: Mapping[str, str] = os.environ) -> str:
        """The secret itself, without white space around it. Raises SecretMissing."""
        if self.env is not None:
            value, why = env.get(self.env, ""), "the environment variable is not set"
        else:
            value, why = self._read()
        if not value.strip():
            raise SecretMissing(
                f"the secret {self} cannot be read",
                why,
                "phasegate doctor  # names the others, too",
            )
        remember(value.strip())
        return value.strip()

    def _read(self) -> tuple[str, str]:
        try:
            with Path(str(self.file)).open(encoding="utf-8") as file:
                return file.read(LONGEST), "the file is empty"
        except (OSError, ValueError) as error:
            return "", getattr(error, "strerror", None) or "it is no text"
