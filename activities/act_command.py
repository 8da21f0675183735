"""Acts by command: a program of the worker's allow-list, and nothing else."""

from __future__ import annotations

import asyncio
import json
import os
import re
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pydantic import TypeAdapter, ValidationError

from activities.errors import COMMAND_FAILED, COMMAND_REFUSED
from activities.outcomes import Done, NotDone, Outcome, Unknown, slowly
from activities.processes import Ended, NotStarted, run
from integrations.allowed import (
    VARIABLE,
    AllowedCommand,
    AllowListUnreadable,
    load_allow_list,
)
from integrations.secret import SecretMissing
from phasegate.acts import CommandAct
from phasegate.base import Figure, FigureName
from phasegate.placeholders import ValueMissing, ValueUnfit, put
from phasegate.problems import DocumentError
from phasegate.sunset_ports import ActOrder, TaskProof

REFUSED_WAIT = timedelta(minutes=1)
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

FACTS = 50
_FACTS: TypeAdapter[dict[FigureName, Figure]] = TypeAdapter(dict[FigureName, Figure])
_THREADS = ThreadPoolExecutor(8, thread_name_prefix="command")


class _Unfit(Exception):
    """It cannot be run as things are; nothing was started."""

    def __init__(self, why: str, hint: str) -> None:
        super().__init__(why)
        self.why, self.hint = why, hint


@dataclass(frozen=True)
class _Call:
    """What is run. `secret` are values that must not stand in any text."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    entry: AllowedCommand
    secret: tuple[str, ...]

    def clean(self, text: str) -> str:
        """Without secrets, nor any line of one that has several; brackets alone are no secret."""
        lines = {line.strip() for value in self.secret for line in value.splitlines()}
        hidden = {*self.secret, *(line for line in lines if len(line) > 3)}
        for value in sorted(hidden, key=len, reverse=True):
            text = text.replace(value, "***")
        return text


class CommandActs:
    """Its exit code says what became of it. One that the allow-list does not explain, a signal and
    the end of its time say nothing: it may have been done."""

    repeatable = False
    over = timedelta(0)

    async def carry_out(self, order: ActOrder) -> Outcome:
        """Run the command once; it is killed, with all it started, when the activity is cancelled.

        The allow-list is read each time, so that a mended one counts at once.
        """
        assert isinstance(order.act, CommandAct)
        name = order.act.command
        try:
            call = await asyncio.to_thread(_call, order, order.act)
        except _Unfit as error:
            what, wait = f"the command {name} is not run", slowly(REFUSED_WAIT)
            return NotDone(COMMAND_REFUSED, what, error.why, error.hint, wait)
        stopped = threading.Event()
        seconds = call.entry.timeout.approximate.total_seconds()
        try:
            ended = await asyncio.get_running_loop().run_in_executor(
                _THREADS, run, call.argv, call.env, seconds, stopped
            )
        except NotStarted as error:
            return NotDone(
                COMMAND_REFUSED,
                f"the command {name} is not run",
                f"{call.argv[0]}: {error}",
                f"mend it in the file that {VARIABLE} names; it then goes on by itself",
                slowly(REFUSED_WAIT),
            )
        finally:
            stopped.set()
        return await asyncio.to_thread(_outcome, name, call, ended)

    async def probe(self, order: ActOrder) -> None:
        """Nothing can be asked: a person finds out."""


def _call(order: ActOrder, act: CommandAct) -> _Call:
    """Raises _Unfit."""
    entry = _entry(act.command)
    ours = {"product": order.product, "task": order.task, "key": order.key}
    values = {**order.values, "product": order.product}
    mend = "mend the task's arguments, or the command in the allow-list"
    wanted = entry.arguments()
    if missing := [name for name in wanted if name not in act.arguments]:
        raise _Unfit(f"it needs the argument {missing[0]}", mend)
    if surplus := [name for name in act.arguments if name not in wanted]:
        raise _Unfit(f"it takes no argument {surplus[0]}", mend)
    try:
        given = {name: put(text, values, str) for name, text in act.arguments.items()}
    except (ValueMissing, ValueUnfit) as error:
        raise _Unfit(f"there is no value for {{{error}}}", mend) from error
    for name, value in given.items():
        if value.startswith("-") or not re.fullmatch(entry.pattern, value):
            raise _Unfit(f"{name} is {value[:60]!r}, which it does not take", mend)
    env, secret = _environment(entry)
    env |= {f"PHASEGATE_{name.upper()}": value for name, value in ours.items()}
    argv = tuple(put(word, given | ours, str) for word in entry.argv)
    return _Call(argv, env, entry, secret)


def _entry(name: str) -> AllowedCommand:
    try:
        entry = load_allow_list().commands.get(name)
    except AllowListUnreadable as error:
        raise _Unfit(f"{error.what}: {error.why}", error.hint) from error
    except DocumentError as error:
        # Where, but not what: a message may quote a secret that was written into the file.
        first = error.problems[0]
        place = f"{first.source}:{first.line}:{first.column}"
        raise _Unfit(f"{place} is wrong", "phasegate doctor  # says how") from None
    if entry is None:
        raise _Unfit(
            "it is not in the allow-list of this worker",
            f"add it to the file that {VARIABLE} names; it then goes on by itself",
        )
    return entry


def _environment(entry: AllowedCommand) -> tuple[dict[str, str], tuple[str, ...]]:
    env = {"PATH": PATH, "LANG": "C.UTF-8"}
    env |= {name: os.environ[name] for name in entry.inherit if name in os.environ}
    try:
        secrets = {name: secret.reveal() for name, secret in entry.secrets.items()}
    except SecretMissing as error:
        raise _Unfit(f"{error.what}: {error.why}", error.hint) from error
    return env | secrets, tuple(secrets.values())


def _outcome(name: str, call: _Call, ended: Ended) -> Outcome:
    what = f"the command {name}"
    if ended.code in call.entry.done:
        return Done(_proof(name, call, ended))
    line = ended.err.last_line(call.clean) or ended.out.last_line(call.clean)
    if ended.code is None:
        why = f"it was killed: it had not ended after {call.entry.timeout.words}"
    elif ended.code < 0:
        why = f"signal {-ended.code} ended it"
    else:
        why = f"it ended with {ended.code}"
    why += f": {line}" if line else ""
    if ended.code in call.entry.not_done:
        hint = "it is run again with the same PHASEGATE_KEY"
        return NotDone(COMMAND_FAILED, f"{what} did not do it", why, hint)
    return Unknown(COMMAND_FAILED, f"{what} failed", why)


def _proof(name: str, call: _Call, ended: Ended) -> TaskProof:
    data: dict[str, Any] = {"exit": ended.code, "bytes": ended.out.size}
    text, digest = f"the command {name} ended with {ended.code}", ended.out.digest
    if call.entry.facts:
        facts = _facts(ended, call.clean)
        if facts is None:
            text += "; what it wrote are no facts"
        else:
            data |= facts
            digest = str(facts.get("digest", digest))
    elif line := ended.out.last_line(call.clean):
        text += f": {line}"
    return TaskProof(text=text, digest=digest, data=data)


def _facts(ended: Ended, clean: Callable[[str], str]) -> dict[str, Figure] | None:
    if not ended.out.whole:
        return None
    try:
        facts = _FACTS.validate_python(json.loads(ended.out.first))
    except (ValidationError, ValueError, RecursionError):
        return None
    if len(facts) > FACTS:
        return None
    return {
        name: clean(value) if isinstance(value, str) else value for name, value in facts.items()
    }
