"""What histories cost: their events, their bytes, and the Actions of Temporal Cloud in them.

Actions are counted as https://docs.temporal.io/cloud/actions defines them (read in November 2026):
one for each start, upsert of search attributes, timer, Signal received, Update accepted, activity
scheduled and each retry of it; two for a child (the intent and its start), none more for the start
in the child's own history; one for all markers of a workflow task. Not in a history, and not in
these counts, are queries, refused Updates and heartbeats, one each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client

ONE = {
    EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED: "activities",
    EventType.EVENT_TYPE_TIMER_STARTED: "timers",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED: "signals",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED: "updates",
    EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES: "upserts",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED: "options",
    EventType.EVENT_TYPE_NEXUS_OPERATION_SCHEDULED: "nexus",
}
VERSIONS = "TemporalChangeVersion"


@dataclass
class Cost:
    """Of one workflow or of several."""

    events: int = 0
    size: int = 0
    """Bytes of the events, as the server keeps them."""
    runs: int = 0
    actions: Counter[str] = field(default_factory=Counter)

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.events + other.events,
            self.size + other.size,
            self.runs + other.runs,
            self.actions + other.actions,
        )

    def less(self, other: Cost) -> Cost:
        left = Counter(self.actions)
        left.subtract(other.actions)
        return Cost(
            self.events - other.events, self.size - other.size, self.runs - other.runs, left
        )

    def told(self) -> dict[str, object]:
        return {
            "events": self.events,
            "bytes": self.size,
            "runs": self.runs,
            "actions": self.actions.total(),
            "actions_by_kind": dict(sorted((+self.actions).items())),
        }


def cost_of(events: Iterable[HistoryEvent]) -> Cost:
    """The cost of one run's history."""
    found, marked = Cost(runs=1), set[int]()
    for event in events:
        kind = event.event_type
        found.events += 1
        found.size += event.ByteSize()
        if kind == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
            started = event.workflow_execution_started_event_attributes
            continued = bool(started.continued_execution_run_id)
            if continued or not started.HasField("parent_workflow_execution"):
                found.actions["starts"] += 1
        elif kind == EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED:
            found.actions["children"] += 2
        elif kind == EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED:
            found.actions["retries"] += event.activity_task_started_event_attributes.attempt - 1
        elif kind == EventType.EVENT_TYPE_MARKER_RECORDED:
            marked.add(event.marker_recorded_event_attributes.workflow_task_completed_event_id)
        elif kind == EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES:
            upserted = event.upsert_workflow_search_attributes_event_attributes.search_attributes
            found.actions["upserts"] += set(upserted.indexed_fields) != {VERSIONS}
        elif kind in ONE:
            found.actions[ONE[kind]] += 1
    found.actions["markers"] += len(marked)
    return found


async def whole(client: Client, workflow_id: str, run_id: str) -> dict[str, Cost]:
    """What a run cost with all that followed from it: the runs that continued it, its children and
    theirs. By the type of workflow; no listing is needed."""
    found: dict[str, Cost] = {}
    waiting, seen = [(workflow_id, run_id)], set[str]()
    while waiting:
        one, run = waiting.pop()
        if run in seen:
            continue
        seen.add(run)
        events = (await client.get_workflow_handle(one, run_id=run).fetch_history()).events
        begun = events[0].workflow_execution_started_event_attributes
        name = begun.workflow_type.name
        found[name] = found.get(name, Cost()) + cost_of(events)
        for event in events:
            if event.HasField("child_workflow_execution_started_event_attributes"):
                child = event.child_workflow_execution_started_event_attributes.workflow_execution
                waiting.append((child.workflow_id, child.run_id))
        last = events[-1].workflow_execution_continued_as_new_event_attributes
        if last.new_execution_run_id:
            waiting.append((one, last.new_execution_run_id))
    return found
