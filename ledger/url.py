"""Where the ledger is: PHASEGATE_LEDGER, or a file in the data folder."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from ledger.errors import LedgerError


def data_dir(env: Mapping[str, str] = os.environ) -> Path:
    """The folder phasegate keeps its data in.

    PHASEGATE_DATA_DIR, else `phasegate` below XDG_DATA_HOME, else ~/.local/share/phasegate. A
    relative XDG_DATA_HOME is ignored, as the XDG base directory specification asks.
    """
    if chosen := env.get("PHASEGATE_DATA_DIR"):
        return Path(chosen).expanduser().absolute()
    shared = Path(env.get("XDG_DATA_HOME", ""))
    base = shared if shared.is_absolute() else Path.home() / ".local" / "share"
    return base / "phasegate"


def ledger_url(env: Mapping[str, str] = os.environ) -> str:
    """The ledger's URL: PHASEGATE_LEDGER, else SQLite in the data folder.

    It may hold a password: show people `shown(url)` only.
    """
    if chosen := env.get("PHASEGATE_LEDGER"):
        return chosen
    path = str(data_dir(env) / "ledger.db")
    return URL.create("sqlite", database=path).render_as_string(hide_password=False)


def parse(url: str) -> URL:
    """Read a ledger URL. Raises LedgerError, never quoting the URL: it may hold a password."""
    try:
        return make_url(url)
    except (ArgumentError, ValueError):
        raise LedgerError(
            "the ledger's URL cannot be read",
            "it is not of the form dialect://…",
            "set PHASEGATE_LEDGER to sqlite:////path/to/ledger.db or "
            "postgresql+psycopg://user@host/database",
        ) from None


def is_file(url: str) -> bool:
    """Whether it is an SQLite ledger, which is for one machine. Raises LedgerError."""
    return parse(url).get_backend_name() == "sqlite"


def shown(url: str | URL) -> str:
    """The URL as people may see it: with *** for the password, and without its options."""
    read = parse(url) if isinstance(url, str) else url
    return read.set(query={}).render_as_string(hide_password=True)
