"""Errors: what, why, hint; the exit code of the contract; and never a traceback unasked."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from cyclopts import App

import cli
from commands.failing import run
from tests.cli.shell import ROOT, Shell
from tests.support.full_disk import needs_full_disk


def lines(err: str) -> list[str]:
    return [line.partition(":")[0] for line in err.strip().splitlines()]


@pytest.mark.parametrize(
    "words",
    [
        ["nonsense"],
        ["product", "nonsense"],
        ["gate", "vote", "x1", "go"],
        ["gate", "vote", "x1", "maybe", "--as", "bo"],
        ["gate", "vote", "x1", "go", "--as", "bo", "--nope"],
        ["inbox"],
        ["product", "show"],
        ["product", "show", "x1", "-o", "xml"],
        ["product", "list", "--limit", "many"],
    ],
)
def test_usage_errors_are_three_lines_and_code_2(
    words: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PHASEGATE_AS", raising=False)
    assert cli.invoke(words) == 2
    shown = capsys.readouterr()
    assert lines(shown.err) == ["error", "why", "hint"]
    assert "╭" not in shown.err
    assert not shown.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["product", "show", "Harbor Sync"], "write harbor-sync?"),
        (["product", "start", "a.yaml", "b.yaml"], "more than it takes at once: b.yaml"),
        (["product", "show", "../../etc"], "is no product key"),
        (["gate", "show", "x1/Go Now"], "is no gate"),
        (["gate", "vote", "x1", "go", "--as", "b\x1bo b"], "needs a login"),
        (["gate", "vote", "x1", "conditional-go", "--as", "bo"], "at least one condition"),
        (["gate", "vote", "x1", "go", "--as", "bo", "--condition", "x"], "go with conditional-go"),
        (["gate", "vote", "x1", "go", "--as", "bo", "--condition", "{"], "is not JSON"),
        (["gate", "vote", "x1", "go", "--as", "bo", "--condition", "[1]"], "needs an object"),
        (["gate", "vote", "x", "go", "--as", "b", "--condition", '{"txt": 1}'], "would be lost"),
        (["gate", "vote", "x", "go", "--as", "b", "--condition", "@no.json"], "cannot be read"),
        (["gate", "vote", "x1", "go", "--as", "bo", "--timeout", "soon"], "--timeout soon"),
        (["gate", "vote", "x1", "go", "--as", "bo", "--timeout=-1 day"], "negative"),
        (["milestone", "replan", "x1", "done", "someday", "--as", "olga"], "DUE 'someday'"),
        (["milestone", "report", "x1", "Not This", "--as", "olga"], "--milestone 'Not This'"),
        (["product", "evidence", "x1", "--title", "t", "--file", "no.pdf", "--as", "o"], "no.pdf"),
        (["inbox", "--as", "nobody here"], "needs a login"),
        (["inbox"], "PHASEGATE_AS"),
        (["gate", "vote", "x", "go", "--as", "b", "--score", "a"], "vote --help  # --score"),
        (["gate", "vote", "x", "go", "--as", "b", "--condition", ""], "error: --condition"),
        (["gate", "vote", "--all", "--as", "b"], "phasegate gate vote --all go --as b"),
        (["product", "cancel", "x1", "--as", "olga"], "--yes"),
        (["product", "start", "no.yaml"], "no.yaml cannot be read"),
        (["product", "list", "--limit", "1.5"], "--limit: needs a whole number, not '1.5'"),
        (["gate", "vote", "x", "go", "--as", "b", "--step", "1.5"], "--step: needs a whole"),
        (["policy", "show", "standart"], "did you mean standard?"),
        (["policy", "lint", "no/such"], "cannot be read"),
    ],
)
def test_bad_input_is_code_2_and_says_what(
    words: list[str],
    said: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PHASEGATE_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("PHASEGATE_AS", raising=False)
    assert cli.invoke(words) == 2
    shown = capsys.readouterr()
    assert said in shown.err
    assert lines(shown.err) == ["error", "why", "hint"]
    assert "\x1b" not in shown.err


def test_errors_for_machines(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PHASEGATE_DATA_DIR", str(tmp_path))
    for form in (["-o", "json"], ["--output=jsonl"], ["-ojson"], ["--output", "yaml"]):
        assert cli.invoke(["product", "show", "X", *form]) == 2
        shown = json.loads(capsys.readouterr().err)
        assert shown.keys() == {"schema_version", "error", "reason", "hint"}
    assert cli.invoke(["product", "show", "-o", "json"]) == 2
    assert "called wrongly" in json.loads(capsys.readouterr().err)["error"]


def broken() -> App:
    app = App()

    @app.command
    def explode(*, how: str = "value") -> None:
        if how == "interrupt":
            raise KeyboardInterrupt
        raise ValueError("two\nlines")

    return app


def test_the_unexpected_has_no_traceback_unless_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(broken, ["explode"]) == 1
    shown = capsys.readouterr().err
    assert lines(shown) == ["error", "why", "hint"]
    assert "ValueError: two" in shown
    assert "explode --debug" in shown
    assert run(broken, ["explode", "--debug"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_interrupted_is_130() -> None:
    assert run(broken, ["explode", "--how", "interrupt"]) == 130


@pytest.mark.parametrize(
    "words",
    [
        ["product", "list"],
        ["gate", "vote", "x1", "go", "--as", "bo"],
        ["worker", "run"],
        ["doctor"],
    ],
)
def test_an_unreachable_server_is_said_with_a_hint(shell: Shell, words: list[str]) -> None:
    result = shell(*words)
    assert result.code == 1
    said = result.out + result.err
    assert "no Temporal server at 127.0.0.1:1" in said
    assert "phasegate dev" in said


def test_a_reader_that_leaves_is_no_reason_to_complain(shell: Shell) -> None:
    process = shell.spawn("policy", "schema")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()  # long before the command has anything to write
    with process.stderr:
        assert process.stderr.read() == ""
    assert process.wait(timeout=90) == 1


def sent(shell: Shell, where: str, *words: str) -> tuple[int, str, str]:
    """What a command comes to whose output a shell sends somewhere: its code, stdout, stderr."""
    line = f'exec "$0" -m cli "$@" {where}'
    done = subprocess.run(
        ["sh", "-c", line, sys.executable, *words],
        cwd=shell.folder,
        env=shell.env(PYTHONPATH=str(ROOT)),
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@needs_full_disk
@pytest.mark.parametrize("words", [("policy", "list"), ("policy", "schema"), ("--help",)])
def test_output_that_finds_no_room_is_no_fault_of_ours(
    shell: Shell, words: tuple[str, ...]
) -> None:
    code, _, err = sent(shell, "> /dev/full", *words)
    assert code == 1
    assert err.splitlines() == [
        "error: the output could not be written",
        "why: No space left on device",
        "hint: df -h  # which disk is full?",
    ]


@needs_full_disk
def test_output_that_finds_no_room_is_told_to_machines_too(shell: Shell) -> None:
    code, _, err = sent(shell, "> /dev/full", "policy", "list", "-o", "json")
    assert code == 1
    assert json.loads(err)["error"] == "the output could not be written"


@needs_full_disk
def test_errors_that_find_no_room_change_no_exit_code(shell: Shell) -> None:
    assert sent(shell, "2> /dev/full", "product", "list") == (1, "", "")
    assert sent(shell, "2> /dev/full", "nonsense") == (2, "", "")


def test_whoever_closes_the_output_wants_none(shell: Shell) -> None:
    assert sent(shell, ">&-", "policy", "list") == (0, "", "")
    assert sent(shell, ">&- 2>&-", "product", "list") == (1, "", "")
