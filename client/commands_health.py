"""Whether the allow-list of commands can be used here: it, its programs, and its secrets.

Run beside a worker, in its environment: the programs and secrets are those of the process that runs
them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from client.checkup import Check
from client.integrations_health import without_values
from integrations.allowed import VARIABLE, AllowList, AllowListUnreadable, load_allow_list
from integrations.secret import SecretMissing
from phasegate.problems import DocumentError


def examine_commands(env: Mapping[str, str] = os.environ) -> Check:
    """The file, and what it points at. Nothing is run."""
    name = "commands"
    if not env.get(VARIABLE):
        what = f"no command may be run: {VARIABLE} is not set"
        return Check(check=name, state="ok", what=what)
    try:
        found = load_allow_list(env)
    except AllowListUnreadable as error:
        return Check(check=name, state="fail", what=str(error), mend=error.hint)
    except DocumentError as error:
        what = "; ".join(without_values(problem) for problem in error.problems)
        mend = "mend the file; docs/integrations.md has every field"
        return Check(check=name, state="fail", what=what, mend=mend)
    if problems := _programs(found) + _secrets(found, env):
        mend = "install the programs, set the variables and mount the files where the worker runs"
        return Check(check=name, state="fail", what="; ".join(problems), mend=mend)
    names = ", ".join(found.commands) or "none"
    return Check(check=name, state="ok", what=f"{env[VARIABLE]}: may be run: {names}")


def _programs(found: AllowList) -> list[str]:
    programs = {name: command.argv[0] for name, command in found.commands.items()}
    return [
        f"commands.{name}: {program} is no program that this user may run"
        for name, program in programs.items()
        if not (os.path.isfile(program) and os.access(program, os.X_OK))
    ]


def _secrets(found: AllowList, env: Mapping[str, str]) -> list[str]:
    problems = []
    for where, secret in found.secrets():
        try:
            secret.reveal(env)
        except SecretMissing as error:
            problems.append(f"{where} ({secret}): {error.why}")
    return problems
