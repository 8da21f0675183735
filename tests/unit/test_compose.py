"""docker-compose.yml: what can be known about it without starting it."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from client.keyring import read_keyring
from phasegate.search import ATTRIBUTES

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docker-compose.yml"
DEPLOY = ROOT / "deploy"
COMPOSE: dict[str, Any] = YAML(typ="safe", pure=True).load(FILE)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (DEPLOY / "worker.Dockerfile").read_text()

ROOTS = {"dev-temporal"}
"""Runs as root without any capability: its image's own user cannot write to a fresh volume."""
WRITE = {"dev-ui", "temporal-ui"}
"""The UI's start script writes its settings beside itself, as the image's own user."""

every_service = pytest.mark.parametrize("name", SERVICES)
every_profile = pytest.mark.parametrize("profile", ["dev", "production", "commands"])


def test_fits_the_compose_schema() -> None:
    schema = ("--builtin-schema", "vendor.compose-spec")
    done = _run(sys.executable, "-m", "check_jsonschema", *schema, FILE)
    assert done.returncode == 0, done.stdout + done.stderr


@every_profile
def test_docker_compose_accepts_it(profile: str) -> None:
    docker = shutil.which("docker")
    if docker is None or _run(docker, "compose", "version").returncode:
        pytest.skip("`docker compose` is not installed")
    done = _run(docker, "compose", "--file", FILE, "--profile", profile, "config", "--quiet")
    assert done.returncode == 0, done.stderr
    assert "not set" not in done.stderr, "every variable has a default"


@every_service
def test_no_profile_starts_without_being_asked_for(name: str) -> None:
    (profile,) = SERVICES[name]["profiles"]
    assert profile in {"dev", "production", "commands"}
    assert name.startswith("dev-") == (profile == "dev")
    for other in SERVICES[name].get("depends_on", {}):
        assert SERVICES[other]["profiles"] == [profile], "it would not be started"


@every_service
def test_image_is_pinned_and_overridable(name: str) -> None:
    image = re.fullmatch(r"\$\{[A-Z_]+:-([^:}]+):([^:}]+)\}", SERVICES[name]["image"])
    assert image, "write ${VARIABLE:-image:tag}"
    assert re.match(r"v?\d+\.\d+", image[2]), "a tag that never moves"


def test_build_base_is_the_dockerfile_default() -> None:
    build = SERVICES["worker"]["build"]
    default = re.search(r"^ARG BASE=(\S+)$", DOCKERFILE, re.MULTILINE)
    assert default
    assert build["dockerfile"] == "deploy/worker.Dockerfile"
    assert build["args"]["BASE"] == f"${{PYTHON_IMAGE:-{default[1]}}}"
    assert re.match(r"python:\d+\.\d+\.\d+-", default[1])


def test_image_is_built_from_the_lock_and_carries_the_release() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert f"ARG VERSION={project['version']}" in DOCKERFILE
    assert SERVICES["worker"]["image"].endswith(f"phasegate:{project['version']}}}")
    extras = re.search(r'^ARG EXTRAS="([a-z ]+)"$', DOCKERFILE, re.MULTILINE)
    assert extras
    assert set(extras[1].split()) <= project["optional-dependencies"].keys()
    assert DOCKERFILE.count("--require-hashes") == 2


@every_service
def test_ports_are_open_on_this_machine_only(name: str) -> None:
    for port in SERVICES[name].get("ports", []):
        assert re.fullmatch(r"127\.0\.0\.1:\$\{[A-Z_]+:-\d+\}:\d+", port)
    if "ports" in SERVICES[name]:
        assert SERVICES[name].get("networks", ["default"]) != ["store"]


def test_databases_are_reached_from_their_network_only() -> None:
    assert COMPOSE["networks"]["store"]["internal"] is True
    assert SERVICES["postgres"]["networks"] == ["store"]
    assert "ports" not in SERVICES["postgres"]


@every_service
def test_what_is_mounted_is_there(name: str) -> None:
    for volume in SERVICES[name].get("volumes", []):
        source, _, how = volume.partition(":")
        if source in COMPOSE["volumes"]:
            continue
        mounted = ROOT / source
        assert mounted.exists(), "Docker would make an empty folder of that name"
        assert how.endswith(":ro")
        assert mounted.stat().st_mode & stat.S_IROTH, "for a user of the container's own"


@every_service
def test_state_is_in_volumes(name: str) -> None:
    kept = {
        "dev-temporal": "/data",
        "dev-worker": "/var/lib/phasegate",
        "worker": "/var/lib/phasegate",
        "postgres": "/var/lib/postgresql/data",
        "prometheus": "/prometheus",
        "grafana": "/var/lib/grafana",
    }
    if name in kept:
        volumes = dict(reversed(v.split(":")[:2]) for v in SERVICES[name]["volumes"])
        assert volumes[kept[name]] in COMPOSE["volumes"]


@every_service
def test_dependencies_are_waited_for(name: str) -> None:
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
def test_runs_without_privileges(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert not {"privileged", "cap_add", "network_mode", "pid"} & service.keys()
    assert service["read_only"] is (name not in WRITE)
    if name not in WRITE:
        user = re.fullmatch(r"(\d+):\d+", service["user"])
        assert user
        assert (user[1] == "0") is (name in ROOTS)


def test_our_own_image_runs_as_its_own_user() -> None:
    assert f"USER {SERVICES['worker']['user']}" in DOCKERFILE
    assert "HEALTHCHECK" in DOCKERFILE


@every_service
def test_no_secret_is_written_anywhere_but_in_a_file(name: str) -> None:
    service = SERVICES[name]
    for key, value in (service.get("environment") or {}).items():
        if re.search(r"PASSWORD|PWD|TOKEN|SECRET|KEYS", key):
            assert str(value).startswith("/run/secrets/"), key
            assert str(value).removeprefix("/run/secrets/") in service["secrets"]
    for secret in service.get("secrets", []):
        assert COMPOSE["secrets"][secret]["file"].startswith("${PHASEGATE_SECRETS:-./secrets}/")
    written = " ".join([*map(str, service.get("command", [])), *service.get("entrypoint", [])])
    for read in re.findall(r"/run/secrets/([a-z-]+)", written):
        assert read in service["secrets"]


def test_each_process_has_the_password_of_its_own_role_only() -> None:
    roles = {"ledger-schema": "owner", "worker": "worker", "serve": "people", "phasegate": "people"}
    for name, role in roles.items():
        environment = SERVICES[name]["environment"]
        url = f"postgresql+psycopg://phasegate_{role}@postgres/phasegate"
        assert environment["PHASEGATE_LEDGER"] == url
        assert environment["PGPASSWORD_FROM"] == f"/run/secrets/ledger-{role}"
        mine = [s for s in SERVICES[name]["secrets"] if s.startswith(("ledger-", "postgres-"))]
        assert mine == [f"ledger-{role}"]


def test_make_secrets_makes_what_compose_mounts_and_nothing_twice(tmp_path: Path) -> None:
    docker = tmp_path / "bin/docker"
    docker.parent.mkdir()
    # In place of the image: only that it prints a key ring, as `phasegate keyring new` writes it.
    command = f"{Path(sys.executable).parent}/phasegate keyring new {tmp_path}/ring"
    docker.write_text(f"#!/bin/sh\n{command} >/dev/null 2>&1 && cat {tmp_path}/ring\n")
    docker.chmod(0o755)
    folder = tmp_path / "secrets"

    def make() -> dict[str, str]:
        environment = {**os.environ, "PATH": f"{docker.parent}:{os.environ['PATH']}"}
        done = subprocess.run(
            [DEPLOY / "make-secrets", folder], check=True, env=environment, capture_output=True
        )
        files = {path.name: path.read_text() for path in folder.iterdir()}
        assert not [text for text in files.values() if text in done.stdout.decode()]
        return files

    made = make()
    named = {Path(secret["file"]).name for secret in COMPOSE["secrets"].values()}
    assert made.keys() == named
    assert len(set(made.values())) == len(made)
    assert all(len(text) >= 32 for text in made.values())
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert make() == made
    (folder / "keyring.json").chmod(0o600)
    read_keyring(folder / "keyring.json")


@pytest.mark.parametrize(
    ("written", "environment", "folder", "image"),
    [
        ("", {}, "secrets", "phasegate:0.1.0"),
        ("PHASEGATE_SECRETS=./kept # here\nPHASEGATE_IMAGE='own:1'\n", {}, "kept", "own:1"),
        ('#PHASEGATE_SECRETS=x\nPHASEGATE_SECRETS="a b"\n', {}, "a b", "phasegate:0.1.0"),
        (
            "PHASEGATE_SECRETS=./kept\nPHASEGATE_IMAGE=own:1\n",
            {"PHASEGATE_SECRETS": "other", "PHASEGATE_IMAGE": "own:2"},
            *("other", "own:2"),
        ),
        ("PHASEGATE_SECRETS=$HOME/x\n", {}, "", ""),
    ],
)
def test_make_secrets_and_compose_look_in_the_same_places(
    written: str, environment: dict[str, str], folder: str, image: str, tmp_path: Path
) -> None:
    script, docker = tmp_path / "deploy/make-secrets", tmp_path / "bin/docker"
    for file, text in (
        (script, (DEPLOY / "make-secrets").read_text()),
        (docker, f'#!/bin/sh\nprintf "%s\\n" "$@" >{tmp_path}/asked\necho ring\n'),
        (tmp_path / ".env", written),
    ):
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        file.chmod(0o755)
    path = f"{docker.parent}:{os.environ['PATH']}"
    done = subprocess.run(
        [script], check=False, env={"PATH": path, **environment}, cwd="/", capture_output=True
    )
    assert (done.returncode == 0) is bool(folder), done.stderr
    folders = {file.name for file in tmp_path.iterdir()} - {"deploy", "bin", ".env", "asked"}
    assert folders == ({folder} if folder else set())
    assert not image or image in (tmp_path / "asked").read_text().splitlines()


def test_without_an_image_no_key_ring_is_made_and_it_is_said(tmp_path: Path) -> None:
    docker = tmp_path / "docker"
    docker.write_text("#!/bin/sh\nexit 125\n")
    docker.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    command = [DEPLOY / "make-secrets", tmp_path / "secrets"]
    for _ in range(2):  # an empty ring would be kept as it is by the second
        done = subprocess.run(command, check=False, env=environment, capture_output=True, text=True)
        assert done.returncode == 1
        assert "hint: docker compose --profile production build worker" in done.stderr
        assert not list((tmp_path / "secrets").glob("*keyring*"))


def test_grants_are_those_of_the_guide() -> None:
    guide = (ROOT / "docs/connections.md").read_text()
    grants = (DEPLOY / "postgres/grants.sql").read_text()
    statements = [s for s in re.sub(r"--.*", "", grants).split(";") if s.strip()]
    assert statements
    for statement in statements:
        assert statement.strip() in guide
    assert guide.count("GRANT ") == len(statements)


@pytest.mark.parametrize("name", ["dev-search-attributes", "temporal-search-attributes"])
def test_setup_registers_our_search_attributes(name: str) -> None:
    command = SERVICES[name]["command"]
    names = [part.removeprefix("--name=") for part in command if part.startswith("--name=")]
    kinds = [part.removeprefix("--type=") for part in command if part.startswith("--type=")]
    assert dict(zip(names, kinds, strict=True)) == ATTRIBUTES


def test_prometheus_scrapes_services_of_this_file_where_they_listen() -> None:
    scraped = re.findall(r"\b(worker|serve)\b", (DEPLOY / "prometheus/prometheus.yml").read_text())
    for name in {"worker", "serve"} & set(scraped):
        assert SERVICES[name]["environment"]["PHASEGATE_METRICS"] == "0.0.0.0:9464"


def test_example_of_the_environment_names_what_compose_reads() -> None:
    read = set(re.findall(r"\$\{([A-Z_]+)", FILE.read_text()))
    shown = set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert read - shown <= {"TEMPORAL_IMAGE"}, "that of dev"
    assert shown - read <= {"COMPOSE_PROFILES", "PIP_INDEX_URL", "APT_MIRROR"}


def test_builder_gets_what_the_image_is_made_of() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"]
    sent = {
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    copied = re.findall(r"^COPY (deploy/\S+)", DOCKERFILE, re.MULTILINE)
    assert sent >= {*wheel, *copied, "pyproject.toml", "uv.lock", "README.md", "LICENSE"}


def _run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command], check=False, capture_output=True, text=True, timeout=60
    )
