"""The allow-list of commands: what may not be written in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from integrations.allowed import AllowList, load_allow_list
from phasegate.problems import DocumentError


def load(folder: Path, text: str) -> AllowList:
    (folder / "commands.yaml").write_text(text)
    return load_allow_list({"PHASEGATE_COMMANDS": str(folder / "commands.yaml")})


def test_without_a_file_nothing_is_allowed() -> None:
    assert load_allow_list({}).commands == {}


def test_what_an_entry_says(tmp_path: Path) -> None:
    text = (
        "commands: {revoke: {argv: [/usr/bin/revoke, '{product}', '{region}-{tenant}', '{key}'],"
        " secrets: {TOKEN: {env: ACME_TOKEN}}}}"
    )
    found = load(tmp_path, text)
    assert found.commands["revoke"].arguments() == ["region", "tenant"]
    assert [where for where, _ in found.secrets()] == ["commands.revoke.secrets.TOKEN"]
    assert found.commands["revoke"].timeout.words == "10 minutes"


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ("argv: []", "at least 1"),
        ("argv: [revoke]", "the absolute path of a program"),
        ("argv: ['/bin/{product}']", "without placeholders"),
        ("argv: [/bin/true], pattern: '('", "no regular expression"),
        ("argv: [/bin/true], inherit: [PHASEGATE_KEY]", "cannot begin with PHASEGATE_"),
        ("argv: [/bin/true], inherit: [A B]", "A B"),
        ("argv: [/bin/true], inherit: [A], secrets: {A: {env: B}}", "both inherited and a secret"),
        ("argv: [/bin/true], done: []", "at least 1"),
        ("argv: [/bin/true], done: [0], not_done: [0, 1]", "exit code 0 is both"),
        ("argv: [/bin/true], done: [256]", "255"),
        ("argv: [/bin/true], timeout: 0 seconds", "a span ahead"),
        ("argv: [/bin/true], shell: true", "shell"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, entry: str, why: str) -> None:
    with pytest.raises(DocumentError) as error:
        load(tmp_path, f"commands:\n  revoke: {{{entry}}}\n")
    assert why in str(error.value)
    assert "commands.yaml:2:" in str(error.value)
