"""Through TLS, client certificates and API keys to a real server, as commands and workers do."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from certificates import Authority
from temporalio.envconfig import ClientConfigProfile
from tls_proxy import Door, opened

from tests.cli.shell import ROOT, Shell, running

PAGE = ROOT / "docs" / "connections.md"
KEY = "key-of-the-main-worker"

Way = Callable[[Shell, Authority, Path], tuple[Door, dict[str, str]]]
"""What stands before the server, and the settings that lead through it."""


def private_ca(plain: Shell, ours: Authority, folder: Path) -> tuple[Door, dict[str, str]]:
    door = Door(plain.environment["TEMPORAL_ADDRESS"], ours.issue("server"))
    return door, {"TEMPORAL_TLS_SERVER_CA_CERT_PATH": str(ours.file)}


def client_certificate(plain: Shell, ours: Authority, folder: Path) -> tuple[Door, dict[str, str]]:
    door, settings = private_ca(plain, ours, folder)
    certificate, key = ours.issue("worker")
    pair = {
        "TEMPORAL_TLS_CLIENT_CERT_PATH": str(certificate),
        "TEMPORAL_TLS_CLIENT_KEY_DATA": key.read_text(),
    }
    return Door(door.upstream, door.certificate, clients=ours.file), settings | pair


def api_key(plain: Shell, ours: Authority, folder: Path) -> tuple[Door, dict[str, str]]:
    door, settings = private_ca(plain, ours, folder)
    opens = Door(door.upstream, door.certificate, keys=("another", KEY))
    return opens, settings | {"TEMPORAL_API_KEY": KEY}


def profile(plain: Shell, ours: Authority, folder: Path) -> tuple[Door, dict[str, str]]:
    """The address is that of the door, which is not known here: the environment prevails."""
    door, _ = api_key(plain, ours, folder)
    file = folder / "temporal.toml"
    file.write_text(
        f'[profile.cloud]\napi_key = "{KEY}"\nnamespace = "default"\n'
        f'[profile.cloud.tls]\nserver_ca_cert_path = "{ours.file}"\n'
    )
    return door, {"TEMPORAL_CONFIG_FILE": str(file), "TEMPORAL_PROFILE": "cloud"}


@contextmanager
def through(plain: Shell, door: Door, settings: dict[str, str]) -> Iterator[Shell]:
    """A shell whose commands reach the server through a door."""
    with opened(door) as address:
        there = {"TEMPORAL_ADDRESS": address, **settings}
        yield Shell(plain.folder, plain.environment | there)


@pytest.mark.parametrize("way", [private_ca, client_certificate, api_key, profile])
def test_a_worker_decides_a_gate(way: Way, plain: Shell, ours: Authority, tmp_path: Path) -> None:
    name = way.__name__.replace("_", "-")
    door, settings = way(plain, ours, tmp_path)
    settings |= {"PHASEGATE_TASK_QUEUE": name}
    with ExitStack() as stack:
        shell = stack.enter_context(through(plain, door, settings))
        worker = stack.enter_context(running(shell.spawn("worker", "run")))
        shell.at_gate(name)
        for who in ("ana", "bo", "cy"):
            assert shell("gate", "vote", name, "go", "--as", who).code == 0
        shell.until(lambda: shell("product", "show", name, "-o", "json").json["phase"] == "market")
        doctor = shell("doctor", "-o", "json")
        checks = {check["check"]: check for check in doctor.json["checks"]}
        assert doctor.code == 0, doctor.out
        assert checks["transport"]["state"] == "ok"
        assert checks["transport"]["what"].startswith("TLS")
        assert name in checks["worker"]["what"]
        worker.send_signal(signal.SIGTERM)
        _, log = worker.communicate(timeout=90)
        assert worker.returncode == 0, log
    assert json.loads(log.splitlines()[0])["event"] == "worker started", "without a warning"
    assert KEY not in log + doctor.out + doctor.err
    assert "PRIVATE KEY" not in log + doctor.out + doctor.err


def test_doctor_sees_the_end_of_a_client_certificate_coming(plain: Shell, ours: Authority) -> None:
    door, settings = client_certificate(plain, ours, plain.folder)
    certificate, key = ours.issue("worker", lasts=timedelta(days=12, hours=1))
    pair = {
        "TEMPORAL_TLS_CLIENT_CERT_PATH": str(certificate),
        "TEMPORAL_TLS_CLIENT_KEY_DATA": key.read_text(),
    }
    with through(plain, door, settings | pair) as shell:
        doctor = shell("doctor", "-o", "json")
    (found,) = [check for check in doctor.json["checks"] if check["check"] == "transport"]
    assert (doctor.code, found["state"]) == (0, "warn")
    assert "in 12 days" in found["what"]
    assert "connections.md" in found["mend"]


def test_the_profiles_of_the_page_are_read() -> None:
    (text,) = re.findall(r"^```toml\n(.*?)^```", PAGE.read_text("utf-8"), re.M | re.S)

    def read(name: str) -> ClientConfigProfile:
        return ClientConfigProfile.load(
            name, config_source=text, disable_env=True, config_file_strict=True
        )

    assert read("main").api_key
    tls = read("inhouse").tls
    assert tls
    assert tls.client_private_key == Path("/etc/phasegate/worker.key")


FAR = {"TEMPORAL_ADDRESS": "192.0.2.1:7233"}
"""An address for documentation (RFC 5737): nobody answers."""


def test_doctor_and_workers_warn_where_calls_go_in_plain_text(shell: Shell) -> None:
    doctor = shell("doctor", "-o", "json", TEMPORAL_API_KEY=KEY, TEMPORAL_TLS="false", **FAR)
    (found,) = [check for check in doctor.json["checks"] if check["check"] == "transport"]
    assert found["state"] == "warn"
    assert "the API key with it" in found["what"]
    worker = shell("worker", "run", **FAR)
    assert worker.code == 1
    first = json.loads(worker.err.splitlines()[0])
    assert first["level"] == "warning"
    assert first["event"].startswith("without TLS to 192.0.2.1:7233")
    doctor = shell("doctor", "-o", "json", TEMPORAL_TLS="true", **FAR)
    (found,) = [check for check in doctor.json["checks"] if check["check"] == "transport"]
    assert found["state"] == "ok"
