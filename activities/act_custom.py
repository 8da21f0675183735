"""Acts of other people's making: entry points of the group `phasegate.tasks`."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from activities.errors import EXTENSION_FAILED, EXTENSION_MISSING
from activities.extensions import Missing, failed, loaded, one_line
from activities.outcomes import Done, NotDone, Outcome, Unknown, Unreachable, slowly
from phasegate.acts import CustomAct
from phasegate.base import Figure, FigureName
from phasegate.extending import TASKS, TaskDone, TaskNotDone, TaskOrder, TaskUnknown
from phasegate.placeholders import ValueMissing, put
from phasegate.sunset_ports import ActOrder, TaskProof

SECONDS = 600.0
PROBE_SECONDS = 30.0
LOAD_SECONDS = 30.0
OVER = timedelta(minutes=11)
"""More than LOAD_SECONDS and SECONDS: what is cut off has ended by then."""

MISSING_WAIT = timedelta(minutes=1)
FACTS = 50
UNDO = "/undo"
"""What the key of an act ends with that undoes another."""

T = TypeVar("T")
Call = Callable[[TaskOrder], Awaitable[object]]

_FACTS: TypeAdapter[dict[FigureName, Figure]] = TypeAdapter(dict[FigureName, Figure])

# Threads of their own: one that hangs must not hold up checks, nor the worker's loop.
_THREADS = ThreadPoolExecutor(8, thread_name_prefix="task")


class CustomActs:
    """An extension says itself what became of it. What it does not say is unknown."""

    repeatable = False
    over = OVER

    async def carry_out(self, order: ActOrder) -> Outcome:
        """Call the extension: `undo` of an object where the act undoes another."""
        assert isinstance(order.act, CustomAct)
        verb = "undo" if order.key.endswith(UNDO) else "carry_out"
        return await _called(order, order.act, verb, SECONDS)

    async def probe(self, order: ActOrder) -> Outcome | Unreachable | None:
        """Call its `probe`, where it has one. It is asked nothing about an act that undoes."""
        assert isinstance(order.act, CustomAct)
        if order.key.endswith(UNDO):
            return None
        name = order.act.name
        try:
            if getattr(await _in_time(name, loaded, TASKS, name), "probe", None) is None:
                return None
        except Missing as error:
            return Unreachable(str(error))
        said = await _called(order, order.act, "probe", PROBE_SECONDS)
        if isinstance(said, NotDone) and said.type == EXTENSION_MISSING:
            return Unreachable(said.why)
        return said


async def _called(order: ActOrder, act: CustomAct, verb: str, seconds: float) -> Outcome:
    what = f"the extension {act.name} did not do it"
    hint = "mend it on the worker; it then goes on by itself"
    try:
        call = await _in_time(act.name, _call, act.name, verb)
        values = {**order.values, "product": order.product}
        options = _filled(act.options, values)
    except Missing as error:
        return NotDone(EXTENSION_MISSING, what, str(error), hint, slowly(MISSING_WAIT))
    except ValueMissing as error:
        why = f"there is no value for {{{error}}}"
        return NotDone(EXTENSION_MISSING, what, why, hint, slowly(MISSING_WAIT))
    about = TaskOrder(
        product=order.product,
        sunset=order.sunset,
        task=order.task,
        key=order.key,
        options=options,
        values=order.values,
    )
    loop, end = asyncio.get_running_loop(), time.monotonic() + seconds
    try:
        async with asyncio.timeout(seconds):
            said = await loop.run_in_executor(_THREADS, _run, call, about, end)
    except TimeoutError:
        why = f"it gave no answer in {seconds:g} s"
        return Unknown(EXTENSION_FAILED, f"the extension {act.name} failed", why)
    except _Failed as error:
        why = failed(act.name, error.cause)
        return Unknown(EXTENSION_FAILED, f"the extension {act.name} failed", why)
    return _outcome(act.name, said, what, hint)


async def _in_time(name: str, load: Callable[..., T], *what: str) -> T:
    """What loading an extension gives, in a thread of its own. Raises Missing."""
    try:
        async with asyncio.timeout(LOAD_SECONDS):
            return await asyncio.get_running_loop().run_in_executor(_THREADS, load, *what)
    except TimeoutError:
        raise Missing(f"extension {name} cannot be loaded in {LOAD_SECONDS:g} s") from None


class _Failed(Exception):
    """Whatever a stranger's code raised. A SystemExit must not reach the worker."""

    def __init__(self, cause: BaseException) -> None:
        super().__init__()
        self.cause = cause


def _call(name: str, verb: str) -> Call:
    """What is called: the function, or a method of the object. Raises Missing."""
    found = loaded(TASKS, name)
    # A function that an undo names is called for it.
    plain = inspect.iscoroutinefunction(found) and verb != "probe"
    call: Call | None = found if plain else getattr(found, verb, None)
    if call is None or not inspect.iscoroutinefunction(call):
        raise Missing(f"extension {name} has no async {verb}")
    return call


def _run(call: Call, order: TaskOrder, end: float) -> object:
    async def bounded() -> object:
        # It may have waited for a thread: what is left of its time is all it has.
        return await asyncio.wait_for(call(order), end - time.monotonic())

    try:
        return asyncio.run(bounded())
    except BaseException as error:
        raise _Failed(error) from None


def _outcome(name: str, said: object, what: str, hint: str) -> Outcome:
    match said:
        case TaskDone():
            text, data = f"{name}: {one_line(said.text)}", _facts(said.data)
            if data is None:
                text, data = f"{text}; what it gave for facts are none", {}
            return Done(TaskProof(text=text, digest=one_line(said.digest)[:80], data=dict(data)))
        case TaskNotDone():
            return NotDone(EXTENSION_FAILED, what, one_line(said.why), hint)
        case TaskUnknown():
            what = f"the extension {name} may have done it or not"
            return Unknown(EXTENSION_FAILED, what, one_line(said.why))
    why = f"it answered {type(said).__name__}, no TaskDone, TaskNotDone or TaskUnknown"
    return Unknown(EXTENSION_FAILED, f"the extension {name} failed", why)


def _facts(data: object) -> dict[str, Figure] | None:
    try:
        facts = _FACTS.validate_python(data)
    except ValidationError:
        return None
    return facts if len(facts) <= FACTS else None


def _filled(value: Any, values: Mapping[str, str]) -> Any:
    """The options with the plan's values in their texts. Raises ValueMissing."""
    if isinstance(value, str):
        return put(value, values, str)
    if isinstance(value, Mapping):
        return {name: _filled(item, values) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_filled(item, values) for item in value]
    return value
