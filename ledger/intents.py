"""Intents: what an act that cannot be undone is about to do, written before it does it.

A row that says `begun` and no more is what a worker leaves behind that died in between: nobody
knows whether the act happened. Operational state beside the record: part of no hash.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Literal

from sqlalchemy import Connection, Row, and_, select, update

from ledger import dialects
from ledger.database import Database
from ledger.schema import intents

State = Literal["begun", "done", "not-done", "unknown"]
"""`not-done`: it is known not to have happened, and may be begun again."""

OPEN = ("begun", "unknown")
"""States of which nobody knows whether the act happened."""

LONGEST = 200
"""Characters of a key that the table holds."""


@dataclass(frozen=True)
class Intent:
    """One act, as last known. `attempt` counts how often it was begun."""

    key: str
    product: str
    sunset: int
    task: str
    begun_at: datetime
    attempt: int
    state: State
    result: str
    """JSON: what shows that it was done, or why it was not; empty while nothing is known."""


class Intents:
    """Every method is one transaction and raises LedgerError where the database cannot be used."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(
        self, key: str, product: str, sunset: int, task: str, at: datetime
    ) -> tuple[Intent, bool]:
        """Begin an act, if it was never begun or is known not to have happened.

        How it stands now, and whether the caller is the one that began it: of several at the same
        moment exactly one is.
        """
        place = _place(key)
        # Not done so far: who inserted it has to begin it like everybody else.
        new = Intent(key, product, sunset, task, at, attempt=0, state="not-done", result="")
        with self._database.writing() as connection:
            dialects.insert_if_absent(connection, intents, _row(new))
            begun = connection.execute(
                update(intents)
                .where(intents.c.key == place, intents.c.state == "not-done")
                .values(
                    state="begun",
                    attempt=intents.c.attempt + 1,
                    begun_at=_text_of(at),
                    result="",
                    updated_at=_text_of(at),
                )
            )
            found = _find(connection, place)
        assert found is not None
        return found, begun.rowcount == 1

    def end(self, key: str, attempt: int, state: State, at: datetime, result: str = "") -> Intent:
        """Write what became of an attempt; how the act stands then.

        That it was done is a fact, whoever brings it. Anything else counts only while the attempt
        is the latest one and has no end. Raises LookupError for what was never begun.
        """
        latest = and_(intents.c.attempt == attempt, intents.c.state.in_(OPEN))
        concerned = intents.c.state != "done" if state == "done" else latest
        with self._database.writing() as connection:
            _write(connection, key, concerned, state, at, result)
            found = _find(connection, _place(key))
        if found is None:
            raise LookupError(key)
        return found

    def settle(self, intent: Intent, asked_at: datetime) -> None:
        """Write what a person found out: `intent` as it is to be, `done` or `not-done`.

        Not done is about what was begun before it was asked (`asked_at`): a verdict that comes
        late, or twice, says nothing of an attempt that was begun since.
        """
        before = intents.c.begun_at <= _text_of(asked_at)
        still_open = and_(intents.c.state.in_(OPEN), before)
        concerned = intents.c.state != "done" if intent.state == "done" else still_open
        with self._database.writing() as connection:
            if intent.state == "done":  # also where a ledger was restored that had no intent yet
                dialects.insert_if_absent(connection, intents, _row(intent))
            _write(connection, intent.key, concerned, intent.state, intent.begun_at, intent.result)

    def find(self, key: str) -> Intent | None:
        """What is known of an act; None for what was never begun."""
        with self._database.reading() as connection:
            return _find(connection, _place(key))

    def restore(self, intent: Intent) -> None:
        """Write an intent that a ledger lost, unless it is there after all."""
        with self._database.writing() as connection:
            dialects.insert_if_absent(connection, intents, _row(intent))


def _write(
    connection: Connection, key: str, where: Any, state: State, at: datetime, result: str
) -> None:
    connection.execute(
        update(intents)
        .where(intents.c.key == _place(key), where)
        .values(state=state, result=result, updated_at=_text_of(at))
    )


def _row(intent: Intent) -> dict[str, Any]:
    at = _text_of(intent.begun_at)
    return {**vars(intent), "key": _place(intent.key), "begun_at": at, "updated_at": at}


def _find(connection: Connection, place: str) -> Intent | None:
    row = connection.execute(select(intents).where(intents.c.key == place)).one_or_none()
    return _intent_of(row) if row else None


def _intent_of(row: Row[Any]) -> Intent:
    fields = {name: getattr(row, name) for name in Intent.__dataclass_fields__}
    return Intent(**{**fields, "begun_at": datetime.fromisoformat(row.begun_at)})


def _place(key: str) -> str:
    """The key as the table holds it: sub-plans of sub-plans have long ids."""
    if len(key) <= LONGEST:
        return key
    return f"{key[: LONGEST - 65]}#{sha256(key.encode()).hexdigest()}"


def _text_of(at: datetime) -> str:
    """Of one width, so that instants compare as texts."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")
