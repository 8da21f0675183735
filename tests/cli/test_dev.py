"""`phasegate dev` and `phasegate worker run`: what they hold, and how they stop."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

from client.dev_server import free_port
from tests.cli.shell import Shell, dev, first_line, running, works


def test_state_survives_a_restart(tmp_path: Path) -> None:
    with dev(tmp_path) as (shell, process):
        shell.at_gate("alpha")
        assert shell("gate", "vote", "alpha", "go", "--as", "bo").code == 0
        taken = shell("dev", "--data-dir", str(tmp_path), "--port", str(free_port()))
        assert taken.code == 1
        assert f"another `phasegate dev` uses {tmp_path}" in taken.err
        assert f"process {process.pid}" in taken.err
        port = shell.environment["TEMPORAL_ADDRESS"].partition(":")[2]
        other = Shell(tmp_path / "other")
        other.folder.mkdir()
        taken = other("dev", "--port", port, "--ui-port", str(free_port()))
        assert taken.code == 1
        assert f"port {port} is taken" in taken.err
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=90)
        assert process.returncode == 0, err
        assert "Traceback" not in out + err
    assert {"temporal.db", "ledger.db", "server.log", "worker.log"} <= {
        file.name for file in tmp_path.iterdir()
    }
    with dev(tmp_path) as (shell, _):
        show = ("gate", "show", "alpha", "-o", "json")
        shell.until(lambda: [vote["approver"] for vote in shell(*show).json["votes"]] == ["bo"])

        def all_is_well() -> bool:  # each of its pollers has come, and the server answers in time
            found = shell("doctor", "-o", "json")
            return (found.code, {c["state"] for c in found.json["checks"]}) == (0, {"ok"})

        shell.until(all_is_well)


def test_default_ports_need_no_exports(tmp_path: Path) -> None:
    """What is the default is not to be exported; a profile's address must not reach dev."""
    with dev(tmp_path, "--no-worker") as (shell, process):
        assert shell.environment.keys() == {
            "TEMPORAL_ADDRESS",
            "PHASEGATE_DATA_DIR",
            "PHASEGATE_UI_URL",
        }
        started = shell.start("alpha")
        assert started.code == 0
        assert "phasegate worker run" in started.err
        worker = shell("doctor", "-o", "json").json
        (found,) = [check for check in worker["checks"] if check["check"] == "worker"]
        assert (found["state"], found["mend"]) == ("warn", "phasegate worker run")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=90)
        assert process.returncode == 0


def test_a_killed_worker_loses_nothing_and_sigterm_drains(tmp_path: Path) -> None:
    with dev(tmp_path, "--no-worker") as (shell, _):
        with running(shell.spawn("worker", "run")) as worker:
            works(worker)
            shell.at_gate("alpha")
            assert shell("gate", "vote", "alpha", "go", "--as", "bo").code == 0
            worker.kill()
            worker.communicate()
        with running(shell.spawn("worker", "run")) as worker:
            show = ("gate", "show", "alpha", "-o", "json")
            shell.until(lambda: [vote["approver"] for vote in shell(*show).json["votes"]] == ["bo"])
            worker.send_signal(signal.SIGTERM)
            _, log = worker.communicate(timeout=90)
            assert worker.returncode == 0
        said = [json.loads(line)["event"] for line in log.splitlines()]
        assert "worker started" in said
        assert said[-1] == "worker stopped"


def test_a_server_that_dies_is_said(tmp_path: Path) -> None:
    ports = ("--port", str(free_port()), "--ui-port", str(free_port()))
    shell = Shell(tmp_path)
    with running(shell.spawn("dev", *ports)) as process:
        assert "Temporal" in first_line(process)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        if not children.exists():
            return
        (child, *_) = children.read_text().split()
        os.kill(int(child), signal.SIGKILL)
        _, err = process.communicate(timeout=90)
    assert process.returncode == 1
    assert "ended by itself" in err


def test_a_broken_chain_is_what_doctor_finds(tmp_path: Path) -> None:
    shell = Shell(tmp_path, {"TEMPORAL_ADDRESS": "127.0.0.1:1"})
    assert shell("events", "list", "alpha").code == 0
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as database, database:
        database.execute("insert into streams values ('alpha', 3, 'none')")
    result = shell("doctor", "-o", "json")
    assert result.code == 1
    (ledger,) = [check for check in result.json["checks"] if check["check"] == "ledger"]
    assert ledger["state"] == "fail"
    assert "alpha is broken" in ledger["what"]


def test_gates_that_do_not_hear_of_a_directory_are_named(tmp_path: Path) -> None:
    with dev(tmp_path, "--no-worker") as (shell, _):
        with running(shell.spawn("worker", "run")) as worker:
            works(worker)
            shell.at_gate("alpha")
            shell.until(lambda: bool(shell("inbox", "--as", "bo", "-o", "json").json))
        publish = ("directory", "publish", "people.yaml", "--as", "olga", "-o", "json")
        unheard = shell(*publish)
        assert (unheard.code, unheard.json["gates_silent"]) == (0, ["alpha/launch"])
        assert "hint: phasegate directory publish people.yaml" in unheard.err
        with running(shell.spawn("worker", "run")):

            def heard() -> bool:  # once the worker has started
                said = shell(*publish).json
                assert said["changed"] is False
                return (said["gates_heard"], said["gates_silent"]) == (1, [])

            shell.until(heard)


def test_a_killed_dev_leaves_a_server_that_nobody_joins(tmp_path: Path) -> None:
    with dev(tmp_path, "--no-worker") as (shell, process):
        process.kill()
        process.wait(timeout=90)
        free = ("--port", str(free_port()), "--ui-port", str(free_port()))
        again = shell("dev", "--data-dir", str(tmp_path), *free)
        assert again.code == 1
        assert "of an earlier `phasegate dev` still uses" in again.err
        (hint,) = re.findall(r"hint: kill (\d+)", again.err)
        os.kill(int(hint), signal.SIGTERM)

        def gone() -> bool:
            try:
                os.kill(int(hint), 0)
            except ProcessLookupError:
                return True
            return False

        shell.until(gone)
    with dev(tmp_path, "--no-worker") as (shell, _):
        assert shell("product", "list").code == 0
