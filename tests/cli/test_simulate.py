"""`phasegate simulate` as people meet it: what must not be overlooked, JSON, a page, errors."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest

from phasegate.rehearsal_view import Rehearsal
from tests.cli.shell import Shell, running

POLICY = """
policy: small
version: "1"
title: Small
phases:
  - id: build
    title: Build
    gate: {id: launch, title: Launch, requires: [{group: eng}, {group: legal, veto: true}]}
  - id: market
    title: Market
    in_market: true
    gate: {id: retire, title: Retire, opens: submit, requires: [{group: eng}]}
"""
PEOPLE = """
people: {ana: {}, bo: {}, cy: {name: Cy Okonkwo}}
groups: {eng: {members: [ana, bo]}, legal: {members: [cy]}}
"""


def written(folder: Path) -> None:
    (folder / "small.yaml").write_text(POLICY)
    (folder / "people.yaml").write_text(PEOPLE)
    (folder / "slow.yaml").write_text(
        "everybody: {answers: {median: 3 business days, p90: 9 business days}}"
    )


def test_who_alone_deadlocks_a_gate_stands_first(shell: Shell) -> None:
    written(shell.folder)
    files = ("small.yaml", "--directory", "people.yaml", "--html", "small.html")
    done = shell("simulate", *files, "--until", "6m")
    assert done.code == 0, done.err
    first = done.out.splitlines()[0]
    assert first.startswith("stuck  launch, when Cy Okonkwo (cy) alone is away: waits for cy")
    assert "3 people, each alone, before 20" in done.out
    assert "not reached  retire" in done.out
    assert "wrote small.html" in done.err
    page = (shell.folder / "small.html").read_text()
    assert "Cy Okonkwo" in page
    left = {path.name for path in shell.folder.iterdir()}
    files_only = {"small.yaml", "people.yaml", "slow.yaml", "small.html", ".out", ".err"}
    assert left - files_only <= {"ledger.db"}, "nothing is written to this installation"
    assert not shell("events", "list", "rehearsed-1").out.strip()


def test_json_has_every_run_and_only_data_is_on_stdout(shell: Shell) -> None:
    written(shell.folder)
    files = ("small.yaml", "--directory", "people.yaml", "--people", "slow.yaml")
    done = shell("simulate", *files, "--runs", "3", "--seed", "5", "-o", "json")
    assert done.code == 0, done.err
    found = Rehearsal.model_validate(done.json)
    assert (found.schema_version, found.runs, found.seed, found.people) == (1, 3, 5, "slow.yaml")
    assert [run.number for run in found.lives] == [1, 2, 3]
    assert found.launch.n == 3
    assert found.launch.p50 in [run.launched_at for run in found.lives]
    assert found.absences == []
    assert found.to_launch


def test_the_files_of_the_documentation_give_what_it_prints(shell: Shell) -> None:
    docs = Path(__file__).parents[2] / "docs"
    printed = re.findall(r"```yaml\n(.*?)```", (docs / "policy.md").read_text(), re.DOTALL)
    names = ("launch.yaml", "people.yaml", "lamp.yaml")
    for name, text in zip(names, printed, strict=False):
        (shell.folder / name).write_text(text)
    done = shell("simulate", names[0], "--directory", names[1], "--product", names[2])
    assert done.code == 0, done.err
    said = done.out.splitlines()[0]
    assert said.startswith("stuck  go-live, when Dee Haas (dee) alone is away: ")
    assert said in " ".join((docs / "simulate.md").read_text().split()).replace("stuck ", "stuck  ")


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_whoever_ends_it_leaves_nothing_behind(shell: Shell, ending: signal.Signals) -> None:
    written(shell.folder)
    files = ("small.yaml", "--people", "slow.yaml", "--runs", "500")
    with running(shell.spawn("simulate", *files, TMPDIR=str(shell.folder))) as process:
        shell.until(lambda: any(shell.folder.glob("phasegate-simulate-*/ledger.db")))
        process.send_signal(ending)
        out, err = process.communicate(timeout=120)
    assert process.returncode == (130 if ending == signal.SIGINT else 1)
    assert out == ""
    assert "Traceback" not in err
    assert "never retrieved" not in err
    assert not [*shell.folder.glob("phasegate-simulate-*")]


def test_what_cannot_be_rehearsed_is_said_before_anything_starts(shell: Shell) -> None:
    written(shell.folder)
    (shell.folder / "odd.yaml").write_text("people: {cya: {says: kill}}")
    files = ("small.yaml", "--directory", "people.yaml")
    done = shell("simulate", *files, "--people", "odd.yaml")
    assert done.code == 2
    assert "odd.yaml:1:15: people.cya" in done.err
    assert "the directory has no person 'cya'; did you mean cy?" in done.err
    (shell.folder / "loop.yaml").write_text(
        POLICY.replace("title: Build\n", "title: Build\n    next: build\n")
    )
    done = shell("simulate", "loop.yaml")
    assert done.code == 2
    assert "loop.yaml:" in done.err
    broken = PEOPLE.replace("members: [cy]", "members: [cyy]").replace(
        "ana: {}", "ana: {manager: ana}"
    )
    (shell.folder / "broken.yaml").write_text(broken)
    done = shell("simulate", "small.yaml", "--directory", "broken.yaml")
    assert done.code == 2
    assert "is not listed in people; did you mean cy?" in done.err
    assert "broken.yaml:2:25: people.ana.manager" in done.err
    done = shell("simulate", *files, "--start", "2020-01-01")
    assert done.code == 2
    assert "time goes forward only" in done.err
    assert shell("simulate", *files, "--runs", "0").code == 2
    done = shell("simulate", *files, "--until", "600y")
    assert done.code == 2
    assert "it is more than 500 years from now" in done.err
