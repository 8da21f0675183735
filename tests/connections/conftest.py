"""A Temporal server, real certificates, and the doors before it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from certificates import Authority

from tests.cli.shell import Shell, dev, forker


@pytest.fixture(scope="session", autouse=True)
def _forker() -> Iterator[None]:
    yield
    if forker.cache_info().currsize:
        forker().close()


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A shell beside a server that speaks no TLS, and has no worker yet."""
    with dev(tmp_path_factory.mktemp("dev"), "--no-worker") as (shell, _):
        yield shell


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Who signs our servers and clients."""
    return Authority(tmp_path_factory.mktemp("ours"))


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Somebody that nobody trusts."""
    return Authority(tmp_path_factory.mktemp("theirs"), "stranger")


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A shell without a server."""
    return Shell(tmp_path)
