"""A PostgreSQL server for the session, and a ledger in a database of its own for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from postgres import Server, running_postgres

from ledger import Ledger


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with running_postgres() as started:
        yield started


@pytest.fixture
def url(server: Server) -> str:
    return server.database()


@pytest.fixture
def ledger(url: str) -> Iterator[Ledger]:
    opened = Ledger(url)
    yield opened
    opened.close()
