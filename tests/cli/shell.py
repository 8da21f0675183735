"""The command line as people meet it: a process, its output and its exit code."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from client.dev_server import find_temporal, free_port

ROOT = Path(__file__).parents[2]
OWN = ("PHASEGATE_", "TEMPORAL_")
STARTING = 90.0

POLICY = """\
policy: tiny
version: "1"
title: Tiny
phases:
  - id: build
    title: Build
    milestones: [{id: done, title: Done}]
    gate:
      id: launch
      title: Launch
      requires: [{group: product, need: 1}, {group: eng, need: 2}]
      clocks: {respond: 1 hour, resolve: 2 hours}
  - id: market
    title: Market
    in_market: true
    gate: {id: retire, title: Retire, opens: submit, requires: [{group: product}]}
sunset:
  tasks:
    - {id: told, title: Notice, kind: notice}
    - {id: keys, title: Revoke keys, kind: manual}
"""
DIRECTORY = """\
people: {olga: {name: Ольга}, ana: {name: Añá}, bo: {}, cy: {}, dan: {}, eve: {}}
groups:
  product: {members: [ana, olga]}
  eng: {members: [bo, cy, dan]}
"""


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def error(self) -> Any:
        return json.loads(self.err.splitlines()[-1])


class Forker:
    """The process that commands are forked from (tests/cli/forker.py)."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-X", "utf8", str(Path(__file__).with_name("forker.py"))],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, job: str) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(job, file=self.process.stdin, flush=True)
        return self.process.stdout.readline()

    def close(self) -> None:
        self.process.communicate()


@cache
def forker() -> Forker:
    """Started with the first command; conftest closes it."""
    return Forker()


@dataclass(frozen=True)
class Shell:
    """A folder and an environment to run commands in."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def env(self, **more: str) -> dict[str, str]:
        clean = {k: v for k, v in os.environ.items() if not k.startswith(OWN)}
        clean.pop("NO_COLOR", None)
        clean["PHASEGATE_ALLOW_ADDRESSES"] = "127.0.0.0/8,::1"  # where the receivers of tests are
        return {**clean, "PHASEGATE_DATA_DIR": str(self.folder), **self.environment, **more}

    def __call__(self, *words: str, timeout: int = 120, **env: str) -> Result:
        """Run a command in a process of its own."""
        out, err = self.folder / ".out", self.folder / ".err"
        job = {
            "words": words,
            "timeout": timeout,
            "folder": str(self.folder),
            "environment": self.env(**env),
            "out": str(out),
            "err": str(err),
        }
        code = forker().ask(json.dumps(job))
        return Result(int(code), out.read_text("utf-8"), err.read_text("utf-8"))

    def spawn(self, *words: str, **env: str) -> subprocess.Popen[str]:
        """Start a command that goes on, as `python -m cli`."""
        return subprocess.Popen(
            [sys.executable, "-m", "cli", *words],
            cwd=self.folder,
            env=self.env(PYTHONPATH=str(ROOT), **env),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
        )

    def temporal(self, *words: str) -> Result:
        done = subprocess.run(
            [find_temporal(), *words],
            env=self.env(),
            capture_output=True,
            text=True,
            timeout=STARTING,
            check=False,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    def write(self, name: str, text: str) -> str:
        (self.folder / name).write_text(text, encoding="utf-8")
        return name

    def start(self, key: str, *more: str) -> Result:
        """Start a product of the tiny policy."""
        self.write("tiny.yaml", POLICY)
        self.write("people.yaml", DIRECTORY)
        product = self.write(f"{key}.yaml", f"key: {key}\nname: Ünï {key}\nowner: olga\ntier: 2\n")
        options = ("--policy", "tiny.yaml", "--directory", "people.yaml", *more)
        return self("product", "start", product, *options)

    def at_gate(self, key: str) -> None:
        """Start a product and bring it to its first gate."""
        assert self.start(key).code == 0
        report = ("milestone", "report", key, "done", "--as", "olga")
        self.until(lambda: self(*report).code == 0)  # a worker that starts takes a moment
        self.until(lambda: self("gate", "show", key).code == 0)

    def inbox(self, who: str, key: str) -> list[dict[str, Any]]:
        """The rows of one product: other tests leave products of theirs on the same server."""
        found = self("inbox", "--as", who, "-o", "json")
        assert found.code == 0, found.err
        return [row for row in found.json if row["product"] == key]

    def told(self, key: str, *types: str) -> None:
        """Wait until the record has events of each of these types. They come there after the
        answer, and after what a product shows of itself."""

        def all_there() -> bool:
            events = self("events", "list", key, "-o", "json").json
            return {*types} <= {event["type"] for event in events}

        self.until(all_there)

    def until(self, met: Callable[[], bool]) -> None:
        """Look again and again; a command that failed, and so said nothing, has not met it."""
        end = time.monotonic() + STARTING
        while True:
            with suppress(json.JSONDecodeError, LookupError):
                if met():
                    return
            assert time.monotonic() < end, "it did not come to that"
            time.sleep(0.3)


@contextmanager
def running(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """End the process with the block, and leave no pipe open."""
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.communicate(timeout=STARTING)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise


def first_line(process: subprocess.Popen[str]) -> str:
    """What a server says when it is up."""
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        _, err = process.communicate(timeout=STARTING)
        pytest.fail(f"it ended with {process.returncode}: {err}")
    return line


def works(worker: subprocess.Popen[str]) -> None:
    """Wait until a worker has started: what is asked before may get no answer and be done later,
    and then it is refused to whoever asks again."""
    assert worker.stderr is not None
    while line := worker.stderr.readline():
        if "worker started" in line:
            return
    pytest.fail("the worker ended")


@contextmanager
def dev(folder: Path, *more: str) -> Iterator[tuple[Shell, subprocess.Popen[str]]]:
    """`phasegate dev` on free ports, and a shell with what it says to export."""
    ports = ("--port", str(free_port()), "--ui-port", str(free_port()))
    options = ("--data-dir", str(folder), *ports, "-o", "json", *more)
    with running(Shell(folder).spawn("dev", *options)) as process:
        said = json.loads(first_line(process))
        yield Shell(folder, said["environment"]), process
