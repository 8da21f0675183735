"""Figures of what goes on, for metrics: of all products at once, in a few counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Select, and_, func, or_, select

from ledger.database import Database
from ledger.dead_letters import LATE
from ledger.deliveries import text_of
from ledger.schema import couriers, deliveries, intents, receivers, streams


@dataclass(frozen=True)
class Figures:
    """`failing` and `dead` are by receiver: how many products take nothing, and how many events
    were given up. `since` is when the first of the failing began. `acts` is by state."""

    entries: int
    receivers: tuple[str, ...]
    failing: dict[str, int]
    since: dict[str, datetime]
    dead: dict[str, int]
    acts: dict[str, int]


def read_figures(database: Database, begun_before: datetime) -> Figures:
    """All of them, from one state of the ledger. An act counts as open if it is unknown, or was
    begun before then and has no end. Raises LedgerError."""
    with database.reading() as connection:
        late = connection.execute(
            select(
                couriers.c.receiver,
                func.count().label("n"),
                func.min(couriers.c.failing_since).label("since"),
            )
            .where(LATE)
            .group_by(couriers.c.receiver)
        ).all()
        return Figures(
            entries=connection.execute(select(func.sum(streams.c.seq))).scalar() or 0,
            receivers=tuple(connection.execute(select(receivers.c.receiver)).scalars()),
            failing={row.receiver: row.n for row in late},
            since={row.receiver: datetime.fromisoformat(row.since) for row in late},
            dead=_counted(
                connection,
                select(deliveries.c.receiver, func.count())
                .where(deliveries.c.state == "dead")
                .group_by(deliveries.c.receiver),
            ),
            acts=_counted(
                connection,
                select(intents.c.state, func.count())
                .where(
                    or_(
                        intents.c.state == "unknown",
                        and_(
                            intents.c.state == "begun", intents.c.begun_at < text_of(begun_before)
                        ),
                    )
                )
                .group_by(intents.c.state),
            ),
        )


def _counted(connection: Connection, query: Select[str, int]) -> dict[str, int]:
    return dict(row._tuple() for row in connection.execute(query))
