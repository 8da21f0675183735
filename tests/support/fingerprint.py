"""What a workflow orders, command by command, when a history is replayed: its fingerprint.

Replay itself compares less than it seems. It finds another order or another type, and lets pass
how long an activity may take and how it is retried, what a child outlives, which attributes are
set, and whatever hides behind a patch that the history does not have.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from difflib import unified_diff
from itertools import groupby
from typing import Any

from google.protobuf.duration_pb2 import Duration
from temporalio import workflow
from temporalio.api.common.v1 import RetryPolicy
from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_commands import WorkflowCommand
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.client import WorkflowHistory
from temporalio.plugin import SimplePlugin
from temporalio.worker import Replayer, WorkflowInstance, WorkflowInstanceDetails, WorkflowRunner

from client.plugin import CONVERTER, phasegate_plugin
from client.steady import MARK, SteadyRunner, Within

BY_CHANCE = ("mark", "upsert", "memo", "no timer", "timer: the ledger")
"""What depends on which things happen to come in one workflow task, and on how fast things go."""

BY_THE_WAY = ("activity announce", "timer", "take", "answer")
"""What comes more or less often, or earlier or later, when the same path is played again."""


@dataclass
class Fingerprint:
    """`commands` in their order; `carried` is how each activity and each child is ordered."""

    kind: str = ""
    commands: list[str] = field(default_factory=list)
    carried: set[str] = field(default_factory=set)

    def text(self) -> str:
        """A line for each command; what comes several times in a row is counted."""
        runs = [(line, len(list(same))) for line, same in groupby(self.commands)]
        return "\n".join(f"{count} x {line}" if count > 1 else line for line, count in runs)

    def gist(self) -> list[str]:
        """What is the same whenever the path is played: the rest in its order, then which there
        were of those that come by the way."""
        sure = [line for line in self.commands if not line.startswith(BY_CHANCE)]
        aside = {line for line in sure if line.startswith(BY_THE_WAY)}
        return [line for line in sure if line not in aside] + ["-- and", *sorted(aside)]


HEAD = """\
# What the workflows of this folder's histories order, as the code at hand orders it on a replay.
# Written by `python tests/replay/record.py commands`; docs/changing-workflows.md says when.
"""


def commands_file(found: Mapping[str, Fingerprint]) -> str:
    """All of them as one text: how things are ordered, then what each history orders."""
    carried = sorted({line for one in found.values() for line in one.carried})
    parts = [f"== {name}: {one.kind}\n{one.text()}" for name, one in sorted(found.items())]
    return HEAD + "\n" + "\n".join(carried) + "\n\n" + "\n\n".join(parts) + "\n"


def parts_of(text: str) -> dict[str, str]:
    """What such a text has of each history; under "" how things are ordered."""
    head, *parts = text.removeprefix(HEAD).strip().split("\n\n== ")
    pairs = (part.split("\n", maxsplit=1) for part in parts)
    return {"": head, **{title.partition(":")[0]: body for title, body in pairs}}


async def fingerprint(history: WorkflowHistory) -> Fingerprint:
    """Replay with the code at hand, and note what it orders. Raises what the replay raises."""
    found = Fingerprint()

    def recording(existing: WorkflowRunner | None) -> WorkflowRunner:
        assert isinstance(existing, SteadyRunner)
        return _Recording(
            restrictions=existing.restrictions, runner_class=existing.runner_class, found=found
        )

    noting = SimplePlugin("fingerprint", workflow_runner=recording)
    with _patches_noted(found):
        replayer = Replayer(workflows=[], plugins=[phasegate_plugin(), noting])
        await replayer.replay_workflow(history)
    return found


CHANGED = """\
{name} replays, and orders something else than it did:

{diff}

Running lifecycles are not broken by this as far as their histories go. If it is meant, and the
other way is behind `workflow.patched`, play the new path: python tests/replay/record.py.
If only how a thing is ordered changed: python tests/replay/record.py commands.
See docs/changing-workflows.md.
"""


def difference(name: str, before: str, now: str) -> str:
    """What changed, what that means and what to do; nothing if nothing did."""
    if before == now:
        return ""
    lines = unified_diff(before.splitlines(), now.splitlines(), "committed", "now", lineterm="")
    return CHANGED.format(name=name, diff="\n".join(lines))


@contextmanager
def _patches_noted(found: Fingerprint) -> Iterator[None]:
    """A patch that a history does not have leaves no command, and is the change that matters."""
    original = workflow.patched

    def patched(id: str, **more: Any) -> bool:
        taken = original(id, **more)
        line = f"patch {id}: {'yes' if taken else 'no, as before it'}"
        if line not in found.commands:
            found.commands.append(line)
        return taken

    workflow.patched = patched
    try:
        yield
    finally:
        workflow.patched = original


class _Recording(SteadyRunner):
    def __init__(self, *, found: Fingerprint, **as_before: Any) -> None:
        super().__init__(**as_before)
        object.__setattr__(self, "found", found)

    found: Fingerprint

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        self.found.kind = det.info.workflow_type
        return _Recorded(super().create_instance(det), self.found, det.info.task_queue)


class _Recorded(Within):
    def __init__(self, inner: WorkflowInstance, found: Fingerprint, queue: str) -> None:
        super().__init__(inner)
        self._found, self._queue = found, queue
        self._updates: dict[str, str] = {}
        self._ordered: dict[tuple[str, int], str] = {}

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        for job in act.jobs:
            if job.HasField("do_update"):
                self._updates[job.do_update.protocol_instance_id] = job.do_update.name
        done = self._inner.activate(act)
        for command in done.successful.commands:
            if line := self._line(command):
                self._found.commands.append(line)
        return done

    def _line(self, command: WorkflowCommand) -> str:
        kind = str(command.WhichOneof("variant"))
        it = getattr(command, kind)
        match kind:
            case "schedule_activity" | "schedule_local_activity":
                where = "local activity" if "local" in kind else "activity"
                return self._noted(it.seq, f"{where} {it.activity_type}", self._activity(it))
            case "start_child_workflow_execution":
                return self._noted(it.seq, f"child {it.workflow_type}", self._child(it))
            case "start_timer":
                return self._noted(it.seq, f"timer: {_summary(command)}", "")
            case "cancel_timer":
                return f"no {self._ordered.get(('timer', it.seq), 'timer')}"
            case "request_cancel_activity":
                return f"cancel {self._ordered.get(('activity', it.seq), 'activity')}"
            case "signal_external_workflow_execution":
                return f"signal {it.signal_name}"
            case "upsert_workflow_search_attributes":
                return " ".join(["upsert", *sorted(it.search_attributes.indexed_fields)])
            case "modify_workflow_properties":
                names = sorted(it.upserted_memo.fields)
                return "mark" if names == [MARK] else " ".join(["memo", *names])
            case "continue_as_new_workflow_execution":
                memo = " ".join(sorted(it.memo))
                return f"continue as new{_versioning(it)}" + (f", memo {memo}" if memo else "")
            case "update_response":
                name = self._updates.get(it.protocol_instance_id, "?")
                said = it.WhichOneof("response")
                return f"take {name}" if said == "accepted" else f"answer {name}: {said}"
            case "set_patch_marker" | "respond_to_query":
                return ""  # a patch is noted where it is asked for
            case _:
                return kind.replace("_workflow_execution", "").replace("_", " ")

    def _noted(self, seq: int, line: str, how: str) -> str:
        if how:
            self._found.carried.add(f"{line} = {how}")
        self._ordered[line.split(maxsplit=1)[0].rstrip(":"), seq] = line
        return line

    def _activity(self, it: Any) -> str:
        limits = [
            f"{name.removesuffix('_timeout').replace('_', ' ')} {_seconds(getattr(it, name))}"
            for name in (
                "schedule_to_close_timeout",
                "schedule_to_start_timeout",
                "start_to_close_timeout",
                "heartbeat_timeout",
            )
            if it.HasField(name)
        ]
        queue = getattr(it, "task_queue", "") or self._queue
        elsewhere = [] if queue == self._queue else [f"on {queue.replace(self._queue, 'QUEUE')}"]
        return ", ".join([*limits, _retry(it.retry_policy), *elsewhere])

    def _child(self, it: Any) -> str:
        closing = it.DESCRIPTOR.fields_by_name["parent_close_policy"].enum_type
        policy = closing.values_by_number[it.parent_close_policy].name
        elsewhere = "" if it.task_queue in ("", self._queue) else f", on {it.task_queue}"
        attributes = " ".join(sorted(it.search_attributes.indexed_fields))
        return f"{policy.lower()}{elsewhere}, with {attributes}"


def _retry(policy: RetryPolicy) -> str:
    first, most = _seconds(policy.initial_interval), _seconds(policy.maximum_interval)
    tries = f", {policy.maximum_attempts} times" if policy.maximum_attempts else ""
    return f"again after {first} x{policy.backoff_coefficient:g}, {most} at most{tries}"


def _seconds(length: Duration) -> str:
    return f"{length.ToMilliseconds() / 1000:g} s"


def _versioning(it: Any) -> str:
    number = int(getattr(it, "initial_versioning_behavior", 0))
    return f", initial versioning {number}" if number else ""


def _summary(command: WorkflowCommand) -> str:
    """Counts in it differ from play to play."""
    payload = command.user_metadata.summary
    if not payload.metadata:
        return "(no summary)"
    text = str(CONVERTER.payload_converter.from_payloads([payload])[0])
    return re.sub(r"\d+", "N", text)
