"""Doctor, against a Temporal server that nobody prepared."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from client.dev_server import find_temporal, free_port
from phasegate.search import ATTRIBUTES
from tests.cli.shell import Shell


@pytest.fixture
def bare(shell: Shell) -> Iterator[Shell]:
    """A server without phasegate's search attributes, and with one of the wrong type."""
    port = free_port()
    command = [
        *(find_temporal(), "server", "start-dev", "--headless", "--log-level", "error"),
        *("--port", str(port), "--search-attribute", "PhasegateGate=Int"),
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        here = Shell(shell.folder, {"TEMPORAL_ADDRESS": f"127.0.0.1:{port}"})
        here.until(lambda: here.temporal("operator", "cluster", "health").code == 0)
        yield here
        server.terminate()


def attributes(shell: Shell, *words: str) -> tuple[int, Any]:
    result = shell("doctor", *words, "-o", "json")
    (found,) = [c for c in result.json["checks"] if c["check"] == "search attributes"]
    return result.code, found


def test_doctor_names_and_mends_missing_search_attributes(bare: Shell) -> None:
    def named() -> bool:
        result = bare("doctor", "-o", "json")
        failed = {c["check"]: c["what"] for c in result.json["checks"] if c["state"] == "fail"}
        wrong = "PhasegateGate is Int, not Keyword" in failed["search attributes"]
        return wrong and (result.code, len(failed)) == (1, 1)

    bare.until(named)  # and nothing that only follows from it, once the server answers in time
    remove = ("operator", "search-attribute", "remove", "--name", "PhasegateGate", "--yes")
    assert bare.temporal(*remove).code == 0

    def missing() -> bool:
        found = attributes(bare)[1]
        return all(name in found["what"] for name in ATTRIBUTES) and "missing" in found["what"]

    bare.until(missing)
    refused = bare.start("alpha")
    assert refused.code == 1
    assert "phasegate doctor --fix" in refused.err
    code, found = attributes(bare, "--fix")
    assert (code, found["state"]) == (0, "ok"), found
    assert bare.start("alpha").code == 0
    assert attributes(bare)[1]["what"].startswith("all ")


def test_doctor_without_a_server_still_looks_at_the_rest(shell: Shell) -> None:
    result = shell("doctor", "-o", "json")
    assert result.code == 1
    states = {check["check"]: check["state"] for check in result.json["checks"]}
    assert states["server"] == "fail"
    assert states["ledger"] == "ok"
    (server,) = [check for check in result.json["checks"] if check["check"] == "server"]
    assert server["mend"].startswith("phasegate dev")


def test_doctor_sees_a_ledger_that_cannot_be_written(shell: Shell) -> None:
    result = shell("doctor", PHASEGATE_LEDGER="sqlite:////proc/nowhere/ledger.db")
    assert result.code == 1
    assert "cannot be" in result.out


def test_doctor_sees_a_missing_namespace(bare: Shell) -> None:
    result = bare("doctor", "-o", "json", TEMPORAL_NAMESPACE="elsewhere")
    assert result.code == 1
    (found,) = [check for check in result.json["checks"] if check["check"] == "namespace"]
    assert "temporal operator namespace create --namespace elsewhere" in found["mend"]
    for words in (("product", "list"), ("product", "show", "atlas"), ("worker", "run")):
        refused = bare(*words, TEMPORAL_NAMESPACE="elsewhere")
        assert (refused.code, refused.out) == (1, ""), (words, refused)
        assert refused.err.splitlines()[-3].startswith("error: there is no namespace elsewhere at ")
        assert "hint: temporal operator namespace list" in refused.err


def test_doctor_names_secrets_that_cannot_be_read(shell: Shell) -> None:
    text = "connections: {ci: {url: 'http://localhost', token: {env: CI_TOKEN}}}"
    file = str(shell.folder / shell.write("integrations.yaml", text))
    result = shell("doctor", "-o", "json", PHASEGATE_INTEGRATIONS=file)
    (found,) = [c for c in result.json["checks"] if c["check"] == "integrations"]
    assert (result.code, found["state"]) == (1, "fail")
    assert "connections.ci.token ($CI_TOKEN): the environment variable is not set" in found["what"]
    result = shell("doctor", "-o", "json", PHASEGATE_INTEGRATIONS=file, CI_TOKEN="hunter2")
    states = {check["check"]: check["state"] for check in result.json["checks"]}
    assert (states["integrations"], states["connections"]) == ("ok", "ok")
    assert "hunter2" not in result.out + result.err
