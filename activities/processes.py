"""Running a program: no shell, little environment, bounded output, and nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from typing import IO, Any

KEPT_BYTES = 64 * 1024
TICK = 0.05
DRAIN = 5.0
"""Seconds to read what a program wrote before it ended."""


class NotStarted(Exception):
    """The program was never run."""


@dataclass
class Output:
    """One stream: all of it counted and hashed, its beginning and its end kept."""

    size: int = 0
    first: bytes = b""
    last: bytes = b""
    _hash: Any = field(default_factory=sha256)

    def take(self, chunk: bytes) -> None:
        self.size += len(chunk)
        self._hash.update(chunk)
        self.first += chunk[: KEPT_BYTES - len(self.first)]
        self.last = (self.last + chunk)[-4096:]

    @property
    def digest(self) -> str:
        return f"sha256:{self._hash.hexdigest()}"

    @property
    def whole(self) -> bool:
        return self.size == len(self.first)

    def last_line(self, clean: Callable[[str], str] = str) -> str:
        """The last line with something to see on it, 200 characters at most.

        It is cleaned as a whole: half of a secret would be known by nobody.
        """
        text = self.last.decode(errors="replace")
        if self.size > len(self.last):  # what begins in the middle may be half of one, too
            text = text.partition("\n")[2]
        for line in reversed(text.splitlines()):
            seen = "".join(c if c.isprintable() else " " for c in clean(line))
            if seen := " ".join(seen.split()):
                return seen[-200:]
        return ""


@dataclass
class Ended:
    """`code` is None where it had to be killed; negative where a signal ended it."""

    code: int | None
    out: Output
    err: Output


def run(
    argv: Sequence[str], env: Mapping[str, str], seconds: float, stopped: threading.Event
) -> Ended:
    """Run a program in an empty folder until it ends, `seconds` are over or `stopped` is set.

    Whatever it started is killed with it. Raises NotStarted.
    """
    try:
        folder = tempfile.TemporaryDirectory(prefix="phasegate-", ignore_cleanup_errors=True)
    except OSError as error:
        raise NotStarted(f"no folder can be made for it: {error.strerror}") from error
    with folder as cwd:
        try:
            process = subprocess.Popen(
                list(argv),
                cwd=cwd,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            raise NotStarted(getattr(error, "strerror", None) or str(error)) from error
        return _watch(process, time.monotonic() + seconds, stopped)


def _watch(process: subprocess.Popen[bytes], end: float, stopped: threading.Event) -> Ended:
    out, err = Output(), Output()
    readers: list[threading.Thread] = []
    by_itself = False
    try:
        assert process.stdout
        assert process.stderr
        readers += [_reader(process.stdout, out)]
        readers += [_reader(process.stderr, err)]
        by_itself = _wait(process.pid, end, stopped)
    finally:
        # Before it is waited for: until then nobody else can have its number.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        code = process.wait()
        for reader in readers:
            reader.join(DRAIN)
    return Ended(code if by_itself else None, out, err)


def _wait(pid: int, end: float, stopped: threading.Event) -> bool:
    """Whether the process ended by itself. It is left as it is, to be waited for."""
    while os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        if time.monotonic() >= end or stopped.wait(TICK):
            return False
    return True


def _reader(pipe: IO[bytes], output: Output) -> threading.Thread:
    def read() -> None:
        with pipe:
            while chunk := os.read(pipe.fileno(), 65536):
                output.take(chunk)

    thread = threading.Thread(target=read, name="output", daemon=True)
    thread.start()
    return thread
