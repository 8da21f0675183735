"""What releases wrote: states, messages and documents, as they were on the wire."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_type_hints

import goldens
from pydantic import BaseModel
from sqlalchemy import insert, select
from temporalio import activity, workflow
from temporalio.api.common.v1 import Payloads
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

from activities import ActivitySettings, activities_by_kind
from ledger import Ledger
from ledger.schema import documents, publications
from phasegate.delivery import MailItems
from phasegate.grounds import Grounds
from phasegate.lifecycle import Lifecycle
from phasegate.requests import VoteRequest
from phasegate.sittings import GateReport, OpenerNote
from phasegate.sunset_report import SunsetReport
from phasegate.views import GateView
from workflows.every import WORKFLOWS

STATES = Path(__file__).parents[1] / "states"

SIGNALS: dict[str, type[BaseModel]] = {
    "vote": VoteRequest,
    "opener_note": OpenerNote,
    "gate_decided": GateReport,
    "sunset_progress": SunsetReport,
    "add": MailItems,
}
TOLD: dict[str, type[BaseModel]] = {"view": GateView, "grounds": Grounds, "lifecycle": Lifecycle}
"""What announcements carry that is read again."""

MOST = 6
"""Samples of one model."""

Sample = tuple[type[BaseModel], Any]


@dataclass(frozen=True)
class Types:
    """What travels, by the names that it travels under."""

    starts: dict[str, Any]
    ends: dict[str, Any]
    updates: dict[str, Any]
    receipts: dict[str, Any]
    orders: dict[str, Any]
    results: dict[str, Any]

    @classmethod
    def here(cls, ledger: Ledger) -> Types:
        found = cls({}, {}, {}, {}, {}, {})
        for each in WORKFLOWS:
            known = workflow._Definition.must_from_class(each)
            name = str(known.name)
            found.starts[name] = _first(known.arg_types)
            found.ends[name] = known.ret_type
            for update_name, update in known.updates.items():
                found.updates[str(update_name)] = _first(update.arg_types)
                found.receipts[str(update_name)] = update.ret_type
        for kind in activities_by_kind(ledger, ActivitySettings.from_env()).values():
            for function in kind:
                name, takes, gives = _activity(function)
                found.orders[name], found.results[name] = takes, gives
        return found


def _first(types: list[type] | None) -> Any:
    return types[0] if types else None


def _activity(function: Callable[..., Any]) -> tuple[str, Any, Any]:
    known = activity._Definition.must_from_callable(function)
    hints = get_type_hints(function)
    gives = hints.pop("return", None)
    return str(known.name), next(iter(hints.values()), None), gives


def samples(path: Path, types: Types) -> Iterator[Sample]:
    """Every value of a model of ours in a history, in its order."""
    kind, asked = "", {}
    for event in goldens.read(path).events:
        at = event.event_id
        match event.event_type:
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
                started = event.workflow_execution_started_event_attributes
                kind = started.workflow_type.name
                yield from _values(types.starts.get(kind), started.input)
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
                again = event.workflow_execution_continued_as_new_event_attributes
                yield from _values(types.starts.get(kind), again.input)
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
                done = event.workflow_execution_completed_event_attributes
                yield from _values(types.ends.get(kind), done.result)
            case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
                told = event.workflow_execution_signaled_event_attributes
                yield from _values(SIGNALS.get(told.signal_name), told.input)
            case EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
                ordered = event.activity_task_scheduled_event_attributes
                asked[at] = ordered.activity_type.name
                yield from _values(types.orders.get(asked[at]), ordered.input)
            case EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
                found = event.activity_task_completed_event_attributes
                name = asked.get(found.scheduled_event_id, "")
                yield from _values(types.results.get(name), found.result)
            case _:
                yield from _updates(event, types, asked)


def _updates(event: HistoryEvent, types: Types, asked: dict[int, str]) -> Iterator[Sample]:
    if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
        asking = event.workflow_execution_update_accepted_event_attributes.accepted_request.input
        asked[event.event_id] = asking.name
        yield from _values(types.updates.get(asking.name), asking.args)
    elif event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED:
        answered = event.workflow_execution_update_completed_event_attributes
        name = asked.get(answered.accepted_event_id, "")
        yield from _values(types.receipts.get(name), answered.outcome.success)


def _values(model: Any, payloads: Payloads) -> Iterator[Sample]:
    if not (isinstance(model, type) and issubclass(model, BaseModel)) or not payloads.payloads:
        return
    try:
        value = json.loads(payloads.payloads[0].data)
        model.model_validate(value)
    except ValueError:
        return  # garbage, which some paths are about
    yield model, value
    for said in value.get("events") or () if isinstance(value, dict) else ():
        for name, told in TOLD.items():
            if said.get("data", {}).get(name):
                yield told, said["data"][name]


def fields(value: Any, at: str = "") -> Iterator[str]:
    """Where a value has something in it, wherever in lists."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from fields(inner, f"{at}.{name}")
    elif isinstance(value, list):
        for inner in value:
            yield from fields(inner, f"{at}[]")
    elif value is not None and value != "":
        yield at


def telling(values: list[Any]) -> list[Any]:
    """A few of them, which together have all fields that any of them has, as far as few do."""
    left = {json.dumps(value): set(fields(value)) for value in values}
    picked: list[Any] = []
    while left and len(picked) < MOST:
        best = max(left, key=lambda text: (len(left[text]), -len(text), text))
        new = left.pop(best)
        if not new and picked:
            break
        picked.append(json.loads(best))
        left = {text: found - new for text, found in left.items()}
    return picked


def releases() -> list[Path]:
    return sorted(path for path in STATES.iterdir() if (path / "documents.json").exists())


# -- the documents that states name ---------------------------------------------------------------


def documents_of(ledger: Ledger) -> list[dict[str, str]]:
    """What was published, as it is stored."""
    query = select(documents.c.digest, documents.c.kind, documents.c.name, documents.c.body)
    with ledger.database.reading() as connection:
        return [dict(row._mapping) for row in connection.execute(query)]


def put_documents(ledger: Ledger, folder: Path) -> None:
    """Into an empty ledger, word for word: another release would write them with more fields."""
    when = {"published_at": "2026-01-01T00:00:00+00:00", "published_by": "ops"}
    with ledger.database.writing() as connection:
        count: dict[tuple[str, str], int] = {}
        for row in json.loads((folder / "documents.json").read_text("utf-8")):
            connection.execute(insert(documents).values(**row, **when))
            named = (row["kind"], row["name"])
            count[named] = count.get(named, 0) + 1
            public = {"n": count[named], "digest": row["digest"], **when}
            connection.execute(insert(publications).values(kind=named[0], name=named[1], **public))
