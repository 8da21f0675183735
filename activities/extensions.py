"""What other people made, found by entry point and kept at arm's length."""

from __future__ import annotations

import asyncio
import inspect
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import structlog

from activities.asking import Answer
from activities.connecting import CannotTell
from phasegate import ports
from phasegate.check import CustomCheck
from phasegate.extending import CHECKS, CheckAnswer, CheckQuery

log = structlog.get_logger(__name__)

SECONDS = 30.0
LONGEST = 500
"""Characters of an extension's reason that are kept."""

# Threads of their own: one that hangs must not stop the worker's loop, nor hold what others need.
_THREADS = ThreadPoolExecutor(8, thread_name_prefix="extension")


class Missing(Exception):
    """There is no such extension, or it cannot be used."""


async def custom(query: ports.MilestoneQuery, check: CustomCheck) -> Answer:
    """What an extension says. Raises CannotTell where it is not there, or does not answer well."""
    about = CheckQuery(product=query.product, milestone=query.milestone, options=check.options)
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(SECONDS):
            return await loop.run_in_executor(_THREADS, _ask, check.name, about)
    except TimeoutError:
        raise CannotTell(f"extension {check.name} gave no answer in {SECONDS:g} s") from None


def _ask(name: str, query: CheckQuery) -> Answer:
    """Find it, load it, ask it. It runs in a loop of its own."""
    try:
        check = loaded(CHECKS, name)
    except Missing as error:
        raise CannotTell(str(error)) from None
    if not inspect.iscoroutinefunction(check):
        place = entry(CHECKS, name).value
        raise CannotTell(f"extension {name} is no async function ({place})")
    try:
        said = asyncio.run(asyncio.wait_for(check(query), SECONDS))
    except BaseException as error:  # SystemExit, too: it is the worker that would leave
        raise CannotTell(failed(name, error)) from None
    if not isinstance(said, CheckAnswer):
        raise CannotTell(f"extension {name} answered {type(said).__name__}, no CheckAnswer")
    why = one_line(said.why)
    return Answer(said.finding, f"{name}: {why}" if why else f"{name} gives no reason")


def loaded(group: str, name: str) -> Any:
    """What an entry point names. Raises Missing where there is none, or it cannot be loaded."""
    found = entry(group, name)
    try:
        return found.load()
    except BaseException as error:  # whatever a stranger's module does when it is imported
        log.warning("an extension cannot be loaded", extension=name, exc_info=error)
        raise Missing(
            f"extension {name} cannot be loaded: {type(error).__name__}; the worker's log says more"
        ) from None


def failed(name: str, error: BaseException) -> str:
    """Why an extension said nothing. What it raised is for the log: it may quote a secret."""
    log.warning("an extension failed", extension=name, exc_info=error)
    return f"extension {name} failed: {type(error).__name__}; the worker's log says more"


def one_line(text: str) -> str:
    """A stranger's text, in one bounded line that can be shown."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:LONGEST]


def entry(group: str, name: str) -> EntryPoint:
    """The one entry point of that name. Raises Missing."""
    installed = entry_points(group=group)
    found = sorted({entry.value: entry for entry in installed if entry.name == name}.items())
    if not found:
        known = ", ".join(sorted(installed.names)) or "none"
        raise Missing(f"no extension {name} is installed on the worker; installed: {known}")
    if len(found) > 1:
        several = " and ".join(value for value, _ in found)
        raise Missing(f"several extensions are called {name}: {several}; uninstall one")
    return found[0][1]
