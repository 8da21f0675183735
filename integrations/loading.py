"""Reading the integrations file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from integrations.document import Integrations
from integrations.files import read_bounded
from phasegate.errors import PhasegateError
from phasegate.problems import DocumentError
from phasegate.reading import parse

VARIABLE = "PHASEGATE_INTEGRATIONS"


class IntegrationsUnreadable(PhasegateError):
    """The integrations file cannot be opened."""


def load_integrations(env: Mapping[str, str] = os.environ) -> Integrations:
    """The file that PHASEGATE_INTEGRATIONS names; nothing is integrated where it is not set.

    Raises IntegrationsUnreadable where it cannot be opened, DocumentError with every problem in it.
    """
    name = env.get(VARIABLE)
    if not name:
        return Integrations()
    try:
        text = read_bounded(Path(name).expanduser())
    except OSError as error:
        raise IntegrationsUnreadable(
            f"the integrations file {name} cannot be read",
            error.strerror or str(error),
            f"mend {VARIABLE}, or unset it to integrate nothing",
        ) from error
    return _parsed(text, name)


@lru_cache(maxsize=4)
def _parsed(text: bytes, name: str) -> Integrations:
    # Every poll of every milestone reads the file; it is parsed again when its text has changed.
    return parse(Integrations, text, name).model


__all__ = ["VARIABLE", "DocumentError", "IntegrationsUnreadable", "load_integrations"]
