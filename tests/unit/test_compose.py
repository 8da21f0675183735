"""docker-compose.yml: what can be known about it without starting it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from phasegate.search import ATTRIBUTES

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docker-compose.yml"
COMPOSE: dict[str, Any] = YAML(typ="safe", pure=True).load(FILE)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]

every_service = pytest.mark.parametrize("name", SERVICES)


def test_fits_the_compose_schema() -> None:
    schema = ("--builtin-schema", "vendor.compose-spec")
    done = _run(sys.executable, "-m", "check_jsonschema", *schema, FILE)
    assert done.returncode == 0, done.stdout + done.stderr


def test_docker_compose_accepts_it() -> None:
    docker = shutil.which("docker")
    if docker is None or _run(docker, "compose", "version").returncode:
        pytest.skip("`docker compose` is not installed")
    done = _run(docker, "compose", "--file", FILE, "config", "--quiet")
    assert done.returncode == 0, done.stderr


@every_service
def test_image_is_pinned_and_overridable(name: str) -> None:
    image = re.fullmatch(r"\$\{[A-Z_]+:-([^:}]+):([^:}]+)\}", SERVICES[name]["image"])
    assert image, "write ${VARIABLE:-image:tag}"
    assert re.match(r"v?\d+\.\d+\.\d+", image[2]), "a tag that never moves"


def test_build_base_is_the_dockerfile_default() -> None:
    build = SERVICES["worker"]["build"]
    dockerfile = (ROOT / build["dockerfile"]).read_text()
    default = re.search(r"^ARG BASE=(\S+)$", dockerfile, re.MULTILINE)
    assert default
    assert build["args"]["BASE"] == f"${{PYTHON_IMAGE:-{default[1]}}}"
    assert re.match(r"python:\d+\.\d+\.\d+-", default[1])


@every_service
def test_ports_are_open_on_this_machine_only(name: str) -> None:
    for port in SERVICES[name].get("ports", []):
        assert re.fullmatch(r"127\.0\.0\.1:(\$\{[A-Z_]+:-\d+\}|\d+):\d+", port)


@every_service
def test_named_volumes_are_declared(name: str) -> None:
    for volume in SERVICES[name].get("volumes", []):
        source = volume.split(":")[0]
        assert source in COMPOSE["volumes"] or source.startswith((".", "/"))


@every_service
def test_dependencies_exist_and_are_waited_for(name: str) -> None:
    for other, how in SERVICES[name].get("depends_on", {}).items():
        condition = how["condition"]
        assert condition in {"service_healthy", "service_completed_successfully"}
        if condition == "service_healthy":
            assert "test" in SERVICES[other]["healthcheck"]
        else:
            assert SERVICES[other]["restart"] == "no", "one that ends must not be started again"


@every_service
def test_long_running_services_restart_and_have_a_health_check(name: str) -> None:
    service = SERVICES[name]
    if service["restart"] == "no":
        return
    assert service["restart"] == "unless-stopped"
    assert service["healthcheck"]["test"][0] == "CMD", "no shell: some images have none"


@every_service
def test_no_capabilities_and_no_way_to_regain_them(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert not {"privileged", "cap_add", "network_mode", "pid"} & service.keys()


def test_our_own_image_runs_read_only_and_not_as_root() -> None:
    worker = SERVICES["worker"]
    assert worker["read_only"] is True
    assert worker["user"].split(":")[0] not in {"", "0", "root"}
    assert f"USER {worker['user']}" in (ROOT / "deploy/worker.Dockerfile").read_text()


def test_setup_registers_our_search_attributes() -> None:
    command = SERVICES["setup"]["command"]
    names = [part.removeprefix("--name=") for part in command if part.startswith("--name=")]
    kinds = [part.removeprefix("--type=") for part in command if part.startswith("--type=")]
    assert dict(zip(names, kinds, strict=True)) == ATTRIBUTES


def test_builder_gets_what_the_wheel_is_made_of() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"]
    sent = {
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    assert sent >= {*wheel, "pyproject.toml", "README.md", "LICENSE"}


def _run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command], check=False, capture_output=True, text=True, timeout=60
    )
