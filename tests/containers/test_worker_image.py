"""The worker's image, built from the lock and run as docker-compose.yml runs it."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
from docker.errors import ImageNotFound
from docker.models.containers import Container
from stage import DIRECTORY, POLICY

from tests.containers.temporal_container import PORT, TemporalContainer

pytestmark = [pytest.mark.containers, pytest.mark.slow, pytest.mark.timeout(480)]

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "deploy/worker.Dockerfile"
TAG = "phasegate-test:worker"
WAIT = 90.0
"""Seconds: machines under load are slow, and only a failing test waits for so long."""


@pytest.fixture(scope="module")
def image(engine: None) -> str:
    """Our image, on the base that PHASEGATE_BASE_IMAGE names, or on its own if that is here."""
    if not os.environ.get("CI_IMAGE"):
        pytest.skip("it takes minutes, and is run where it is asked for: make image-test")
    default = re.search(r"^ARG BASE=(\S+)$", DOCKERFILE.read_text(), re.MULTILINE)
    assert default
    base = os.environ.get("PHASEGATE_BASE_IMAGE") or default[1]
    client = docker.from_env(timeout=60)
    try:
        client.images.get(base)
    except ImageNotFound:
        pytest.skip(f"no base image is at hand: set PHASEGATE_BASE_IMAGE, or docker pull {base}")
    finally:
        client.close()
    command = ["docker", "build", "--network", "host", "--file", str(DOCKERFILE), "--tag", TAG]
    for argument in (f"BASE={base}", "PIP_INDEX_URL", "APT_MIRROR"):
        command += ["--build-arg", argument]
    built = subprocess.run(
        [*command, str(ROOT)], check=False, capture_output=True, text=True, timeout=420
    )
    assert built.returncode == 0, built.stdout[-2000:] + built.stderr[-2000:]
    return TAG


@pytest.fixture
def worker(image: str, temporal: TemporalContainer, tmp_path: Path) -> Iterator[Container]:
    """Read-only, without privileges, and with nothing but a volume to write to."""
    files = tmp_path / "in"
    files.mkdir(mode=0o755)
    product = "key: shipped\nname: Shipped\nowner: olga\ntier: 2\n"
    for name, text in (("product", product), ("policy", POLICY), ("people", DIRECTORY)):
        (files / f"{name}.yaml").write_text(text)
    server = temporal.get_wrapped_container()
    server.reload()
    (network,) = server.attrs["NetworkSettings"]["Networks"].values()
    client = docker.from_env(timeout=60)
    container = client.containers.run(
        image,
        detach=True,
        init=True,
        read_only=True,
        cap_drop=["ALL"],
        security_opt=["no-new-privileges:true"],
        tmpfs={"/tmp": ""},
        volumes={str(files): {"bind": "/in", "mode": "ro"}},
        environment={
            "TEMPORAL_ADDRESS": f"{network['IPAddress']}:{PORT}",
            "PHASEGATE_TASK_QUEUE": "shipped",
        },
        # The image's own check, asked more often.
        healthcheck={"interval": 1_000_000_000},
    )
    try:
        yield container
    finally:
        container.remove(force=True, v=True)
        client.close()


def test_image_runs_a_product_and_ends_when_told(worker: Container) -> None:
    _until_healthy(worker)
    files = "--policy /in/policy.yaml --directory /in/people.yaml"
    _phasegate(worker, f"product start /in/product.yaml {files}")
    _phasegate(worker, "milestone report shipped done --as olga")
    deadline = time.monotonic() + WAIT
    while "ana" not in _phasegate(worker, "gate show shipped/launch -o json", 1):
        assert time.monotonic() < deadline, "the gate does not open"
    for person in ("ana", "bo", "cy"):
        _phasegate(worker, f"gate vote shipped/launch go --as {person}")
    assert '"go"' in _phasegate(worker, "gate show shipped/launch --wait --timeout PT1M -o json")

    assert _run(worker, "id -u") == (0, "10001\n")
    assert _run(worker, "touch /opt/phasegate/mine /mine")[0] != 0
    assert _run(worker, "command -v pip uv gcc") == (127, "")
    assert _run(worker, "ssh-keygen -Y sign")[0] != 127, "signed votes can be checked"

    worker.stop(timeout=40)
    assert worker.wait()["StatusCode"] == 0, worker.logs(tail=20)


def _until_healthy(worker: Container) -> None:
    deadline = time.monotonic() + WAIT
    while True:
        worker.reload()
        if worker.attrs["State"].get("Health", {}).get("Status") == "healthy":
            return
        assert worker.status in {"created", "running"}, worker.logs(tail=20)
        assert time.monotonic() < deadline, worker.attrs["State"]
        time.sleep(0.5)


def _run(worker: Container, command: str) -> tuple[int, str]:
    code, output = worker.exec_run(["sh", "-c", command])
    return code, output.decode()


def _phasegate(worker: Container, command: str, *also: int) -> str:
    code, output = _run(worker, f"phasegate {command}")
    assert code in (0, *also), output
    return output
