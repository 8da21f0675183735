"""Runs commands in processes of their own that need not load everything anew.

Loading takes a second or two, and the tests run some three hundred commands. This process loads
once and forks for each line it reads: the words, the folder, the environment and where the output
goes. Nothing here has connected to anything, so nothing but memory is shared.
"""

from __future__ import annotations

import json
import os
import pkgutil
import signal
import sys
from importlib import import_module
from typing import Any

import cli
import client
import commands


def load() -> None:
    for package in (commands, client):
        for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
            import_module(module.name)
    cli.build_app().resolved_commands()


def become(job: dict[str, Any]) -> int:
    signal.alarm(job["timeout"])
    os.chdir(job["folder"])
    os.environ.clear()
    os.environ.update(job["environment"])
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(job[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    sys.argv = ["phasegate", *job["words"]]
    code = cli.main()
    sys.stdout.flush()
    sys.stderr.flush()
    return code


def main() -> None:
    load()
    while line := sys.stdin.readline():
        job = json.loads(line)
        if (child := os.fork()) == 0:
            code = 70
            try:
                code = become(job)
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
