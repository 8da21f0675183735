"""Shells: beside a running `phasegate dev`, and without any server."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.cli.shell import Shell, dev, forker


@pytest.fixture(scope="session", autouse=True)
def _forker() -> Iterator[None]:
    yield
    if forker.cache_info().currsize:
        forker().close()


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A shell beside a running `phasegate dev`."""
    with dev(tmp_path_factory.mktemp("dev")) as (shell, process):
        yield shell
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=90)
        assert process.returncode == 0, err


@pytest.fixture
def one_day() -> None:
    """A test does not begin on one day and end on the next: it would take today for yesterday."""
    now = datetime.now(UTC)
    left = now.replace(hour=23, minute=59, second=59) - now
    if left < timedelta(minutes=2):
        time.sleep(left.total_seconds() + 2)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A shell without a server."""
    return Shell(tmp_path, {"TEMPORAL_ADDRESS": "127.0.0.1:1"})
