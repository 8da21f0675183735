"""What doctor says of the allow-list of commands: names of secrets, never their values."""

from __future__ import annotations

import sys
from pathlib import Path

from client.checkup import Check
from client.commands_health import examine_commands

SECRET = "hunter2-s3cr3t"


def examined(folder: Path, text: str | None, **env: str) -> Check:
    file = folder / "commands.yaml"
    if text is not None:
        file.write_text(text)
    found = examine_commands({"PHASEGATE_COMMANDS": str(file), **env})
    assert found.check == "commands"
    assert SECRET not in found.what + found.mend
    return found


def test_without_a_file_nothing_may_be_run() -> None:
    found = examine_commands({})
    assert (found.state, "is not set" in found.what) == ("ok", True)


def test_a_file_that_is_missing_or_wrong_fails(tmp_path: Path) -> None:
    found = examined(tmp_path, None)
    assert (found.state, "No such file" in found.what) == ("fail", True)
    found = examined(tmp_path, f"commands: {{a: {{argv: [/bin/true], secrets: {{T: {SECRET}}}}}}}")
    assert found.state == "fail"
    assert "commands.yaml:1:" in found.what


def test_programs_and_secrets_that_are_not_there(tmp_path: Path) -> None:
    text = f"""
    commands:
      good: {{argv: [{sys.executable}], secrets: {{T: {{env: ACME_TOKEN}}}}}}
      gone: {{argv: [/no/such/program]}}
      folder: {{argv: [/usr]}}
    """
    found = examined(tmp_path, text)
    assert found.state == "fail"
    assert "commands.gone: /no/such/program is no program" in found.what
    assert "commands.folder: /usr is no program" in found.what
    assert "commands.good.secrets.T ($ACME_TOKEN): the environment variable is not" in found.what
    found = examined(tmp_path, text.partition("gone:")[0], ACME_TOKEN=SECRET)
    assert (found.state, found.what.endswith("may be run: good")) == ("ok", True)
