from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import docker
import pytest
from docker.errors import DockerException, ImageNotFound
from testcontainers.core.config import testcontainers_config

from client.dev_server import free_port
from tests.containers.temporal_container import TemporalContainer


@pytest.fixture(scope="session")
def engine() -> None:
    """A Docker engine that answers; the test is skipped where there is none."""
    try:
        client = docker.from_env(timeout=10)
    except DockerException as error:
        pytest.skip(f"no Docker engine answers: {error}")
    try:
        client.ping()
        client.images.get(testcontainers_config.ryuk_image)
    except ImageNotFound:
        # The container that cleans up after a killed test run; not worth a pull.
        testcontainers_config.ryuk_disabled = True
    except DockerException as error:
        pytest.skip(f"no Docker engine answers: {error}")
    finally:
        client.close()


@pytest.fixture(scope="session")
def temporal(engine: None) -> Iterator[TemporalContainer]:
    """A Temporal server in a container, with our search attributes, whose runs soon go on anew."""
    if sys.platform != "linux" and not os.environ.get("PHASEGATE_TEMPORAL_IMAGE"):
        pytest.skip("the local `temporal` is no Linux binary; set PHASEGATE_TEMPORAL_IMAGE")
    eagerly = ("--dynamic-config-value", "limit.historyCount.suggestContinueAsNew=20")
    client = docker.from_env(timeout=60)
    volume = client.volumes.create()
    try:
        with TemporalContainer(free_port(), volume.name, *eagerly) as container:
            yield container
    finally:
        volume.remove(force=True)
        client.close()
