"""What a workflow shows the world: announcements, search attributes, the memo."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.exceptions import is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from phasegate import ports
    from phasegate.events import Anchor, Outbox
    from phasegate.search import ATTRIBUTES
    from workflows.calling import PATIENT, ask
    from workflows.observing import trace

__all__ = ["ATTRIBUTE_KEYS", "PATIENT", "Books", "Value", "ahead", "attribute_pairs"]

_KEY_OF: Mapping[str, Callable[[str], SearchAttributeKey[Any]]] = {
    "Keyword": SearchAttributeKey.for_keyword,
    "KeywordList": SearchAttributeKey.for_keyword_list,
    "Datetime": SearchAttributeKey.for_datetime,
}

ATTRIBUTE_KEYS: Mapping[str, SearchAttributeKey[Any]] = {
    name: _KEY_OF[kind](name) for name, kind in ATTRIBUTES.items()
}

LONGEST_TIMER = timedelta(days=365)
"""A clock further ahead is armed again: servers bound the length of a timer."""


def ahead(wake: datetime | None) -> timedelta | None:
    """How long to wait for an instant: never negative, a year at most, None for ever."""
    if wake is None:
        return None
    return min(max(wake - workflow.now(), timedelta(0)), LONGEST_TIMER)


A_MOMENT = timedelta(seconds=10)
"""How long a run that goes on in the next waits for the ledger; a dead one holds up nothing."""

UNDETERRED = "an-ending-is-not-cancelled"
"""Patch: a cancel that comes while something ends changes nothing."""

Value = str | list[str] | datetime | None


class Books:
    """Drains the outbox, and publishes search attributes only when they change."""

    def __init__(self, outbox: Outbox) -> None:
        self.outbox = outbox
        self._shown: dict[str, Value] = {}
        self._noted: Mapping[str, Any] = {}
        self._request = ""
        self._deterred = False

    async def keep(self) -> None:
        """Hand announcements to the ledger in batches, for as long as the workflow runs.

        There is no pause to gather them: what happens in one workflow task is one batch, and a
        burst fills tasks by itself. A timer would cost five events, each batch it saves one.
        """
        while True:
            await workflow.wait_condition(lambda: bool(self.outbox.waiting))
            batch = self.outbox.batch()
            anchor = await ask(
                ports.ANNOUNCE,
                ports.AnnounceRequest(product=self.outbox.product, events=batch),
                Anchor,
                _summary([event.type for event in batch]),
            )
            self.outbox.written(len(batch), anchor)

    def has_written(self, count: int) -> bool:
        """Whether the ledger has the announcement that was the how-manieth of this workflow."""
        return self.outbox.count - len(self.outbox.waiting) >= count

    async def at_rest(self, also: Callable[[], bool] = lambda: True) -> None:
        """Wait a moment for what is on its way to the ledger: the next run would write it again.

        `also` says whether other activities have come to rest, which it would order again.
        """
        if self.outbox.waiting or not also():
            with suppress(TimeoutError):
                await workflow.wait_condition(
                    lambda: not self.outbox.waiting and also(),
                    timeout=A_MOMENT,
                    timeout_summary="the ledger is late: the next run goes on",
                )

    async def closed(self) -> None:
        """Wait until everybody is answered and everything is in the ledger."""
        await workflow.wait_condition(workflow.all_handlers_finished)
        await workflow.wait_condition(lambda: not self.outbox.waiting)

    async def undeterred(
        self, step: Callable[[], Awaitable[None]], late: Callable[[], None]
    ) -> None:
        """Take a step of the ending, whatever cancel comes meanwhile.

        What has ended cannot be cancelled any more, and what was answered must reach the ledger: a
        cancel that left would take the outbox along. It is noted once, by `late`. A step that is
        broken off is taken again from its beginning.
        """
        while True:
            try:
                await step()
                return
            except BaseException as error:
                if not is_cancelled_exception(error) or not workflow.patched(UNDETERRED):
                    raise
                if not self._deterred:
                    self._deterred = True
                    late()

    def announce(self, type: str, text: str, *, actor: str = "", **data: Any) -> None:
        info = workflow.info()
        self.outbox.add(
            type,
            text,
            run=info.run_id,
            at=workflow.now(),
            history=info.get_current_history_length(),
            key=self._request,
            actor=actor,
            follows=info.continued_run_id or "",
            traceparent=trace(),
            **data,
        )

    @contextmanager
    def answering(self, key: str) -> Iterator[None]:
        """What is announced meanwhile is known by this request, however often it is carried out."""
        self._request = key
        try:
            yield
        finally:
            self._request = ""

    @property
    def noted(self) -> Mapping[str, Any]:
        """The memo as last upserted: continue-as-new drops it unless it is handed on (tried)."""
        return self._noted

    def note(self, memo: Mapping[str, Any]) -> None:
        """Upsert the memo if it changed."""
        if memo != self._noted:
            self._noted = memo
            workflow.upsert_memo(memo)

    def hand_on(self) -> TypedSearchAttributes:
        """The attributes for the next run. This one keeps no status, so that lists show one run."""
        now = workflow.info().typed_search_attributes
        kept = [
            SearchAttributePair(key, value)
            for key in ATTRIBUTE_KEYS.values()
            if (value := now.get(key)) is not None
        ]
        workflow.upsert_search_attributes([ATTRIBUTE_KEYS["PhasegateStatus"].value_unset()])
        return TypedSearchAttributes(kept)

    def show(self, attributes: Mapping[str, Value]) -> None:
        """Upsert what changed; an unchanged value costs no history event."""
        changed = {name: v for name, v in attributes.items() if self._shown.get(name, "") != v}
        if not changed:
            return
        self._shown.update(changed)
        workflow.upsert_search_attributes([_update(name, changed[name]) for name in changed])


def attribute_pairs(attributes: Mapping[str, Value]) -> list[SearchAttributePair[Any]]:
    """The attributes as a child is started with them."""
    return [
        SearchAttributePair(ATTRIBUTE_KEYS[name], value)
        for name, value in attributes.items()
        if value is not None
    ]


def _update(name: str, value: Value) -> Any:
    key = ATTRIBUTE_KEYS[name]
    return key.value_unset() if value is None or value == [] else key.value_set(value)


def _summary(types: Sequence[str]) -> str:
    return ", ".join(dict.fromkeys(types))[:180]
