"""Help: fast, complete, with an example everywhere; and hints that name real commands."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

import cli
from commands import gate_vote
from phasegate.votes import Vote

ROOT = Path(__file__).parents[2]
HEAVY = ("temporalio", "pydantic", "sqlalchemy", "cyclopts", "rich")


@pytest.mark.parametrize("words", [["--help"], ["gate", "--help"], [], ["-h", "product"]])
def test_overviews_load_nothing_heavy(words: list[str]) -> None:
    code = (
        f"import sys, cli; code = cli.invoke({words!r});"
        f"print([m for m in {HEAVY!r} if m in sys.modules]); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_help_of_a_command_loads_neither_temporalio_nor_pydantic() -> None:
    words = [[*words, "--help"] for words, _ in cli.every_command()]
    code = (
        f"import sys, cli; [cli.invoke(words) for words in {words!r}];"
        f"print([m for m in {HEAVY[:3]!r} if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("words", [words for words, _ in cli.every_command()])
def test_every_command_shows_an_example_that_parses(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.invoke([*words, "--help"]) == 0
    shown = capsys.readouterr().out
    assert "Usage: phasegate " + " ".join(words) in shown
    command = dict(cli.every_command())[words]
    assert "Example:" in shown
    assert command.example in shown  # not wrapped anew, so that it can be copied
    people = (ROOT / "examples/example.directory.yaml").read_text()
    for who in re.findall(r"--as (\S+)", command.example):
        assert f"  {who}:" in people
    assert command.example.startswith("phasegate " + " ".join(words))
    import shlex

    tokens = [t for t in shlex.split(command.example.partition(" > ")[0])[1:] if t != "\n"]
    cli.build_app().parse_args(tokens, print_error=False, exit_on_error=False)


def test_overviews_name_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    for noun in {words[0] for words, _ in cli.every_command() if len(words) == 2}:
        assert cli.invoke([noun]) == 0
        page = capsys.readouterr().out
        verbs = [words[1] for words, _ in cli.every_command() if words[0] == noun]
        assert all(f"  {verb} " in page for verb in verbs)
        assert "Example:" in page
    cli.invoke([])
    page = capsys.readouterr().out
    assert all(f"  {word} " in page for word in cli.COMMANDS)


def test_hints_name_commands_that_exist() -> None:
    planned = {"audit"}
    found = set()
    for folder in ("phasegate", "client", "ledger", "workflows", "activities"):
        for file in (ROOT / folder).rglob("*.py"):
            found |= set(re.findall(r'"phasegate ([a-z]+)(?: ([a-z]+))?', file.read_text()))
    assert found
    for word, verb in found:
        if word in planned:
            continue
        entry = cli.COMMANDS[word]
        assert isinstance(entry, cli.Command) or not verb or verb in entry.verbs, (word, verb)


def test_votes_are_the_engines() -> None:
    assert set(get_args(gate_vote.Word)) == {vote.value for vote in Vote}


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.invoke(["--version"]) == 0
    assert re.match(r"\d+\.\d+\.\d+", capsys.readouterr().out)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_are_made(shell: str) -> None:
    script = cli.build_app().generate_completion(shell=shell)  # type: ignore[arg-type]
    assert "__complete" in script
    assert "milestone" in script
