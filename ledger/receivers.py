"""Who receives events: since when each is known, and which of them are gone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256

from sqlalchemy import insert, literal, select, update

from ledger import dialects
from ledger.database import Database
from ledger.deliveries import text_of
from ledger.schema import couriers, receivers, streams


class Receivers:
    """Every method is one transaction and raises LedgerError where the database cannot be used."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def enroll(self, wanted: Mapping[str, bool], at: datetime) -> list[str]:
        """Know these receivers from now on; those that are new. True: from the beginning.

        A new receiver is sent what happens from now on: what is there counts as settled, unless it
        asks for everything from the beginning. One that was taken out of the file and comes back
        is sent what it missed.
        """
        with self._database.writing() as connection:
            dialects.lock(connection, "receivers")
            known = set(connection.execute(select(receivers.c.receiver)).scalars())
            new = [name for name in wanted if name not in known]
            for name in new:
                connection.execute(insert(receivers).values(receiver=name, since=text_of(at)))
                if not wanted[name]:
                    here = select(literal(name), streams.c.product, streams.c.seq)
                    connection.execute(
                        insert(couriers).from_select(["receiver", "product", "seq"], here)
                    )
        return new

    def going(self, receiver: str, url: str, at: datetime) -> None:
        """The receiver said that it takes nothing any more at this address."""
        with self._database.writing() as connection:
            dialects.insert_if_absent(
                connection, receivers, {"receiver": receiver, "since": text_of(at)}
            )
            connection.execute(
                update(receivers)
                .where(receivers.c.receiver == receiver)
                .values(gone_at=text_of(at), gone_url=_digest(url))
            )

    def gone(self, receiver: str, url: str) -> datetime | None:
        """Since when it takes nothing at this address. With another address it is asked again."""
        query = select(receivers.c.gone_at).where(
            receivers.c.receiver == receiver, receivers.c.gone_url == _digest(url)
        )
        with self._database.reading() as connection:
            found = connection.execute(query).scalar_one_or_none()
        return datetime.fromisoformat(found) if found else None

    def welcome(self, receiver: str) -> bool:
        """Ask a receiver again that was gone; whether it was."""
        with self._database.writing() as connection:
            found = connection.execute(
                update(receivers)
                .where(receivers.c.receiver == receiver, receivers.c.gone_at.is_not(None))
                .values(gone_at=None, gone_url=None)
            )
            return bool(found.rowcount)

    def moved(self, addresses: Mapping[str, str]) -> list[str]:
        """Ask those again that were gone at another address than their present one; who they are.

        `addresses`: receiver → where it is now.
        """
        with self._database.writing() as connection:
            query = select(receivers).where(receivers.c.gone_at.is_not(None))
            back = sorted(
                row.receiver
                for row in connection.execute(query)
                if row.receiver in addresses and row.gone_url != _digest(addresses[row.receiver])
            )
            connection.execute(
                update(receivers)
                .where(receivers.c.receiver.in_(back))
                .values(gone_at=None, gone_url=None)
            )
        return back

    def away(self) -> dict[str, datetime]:
        """Every receiver that is gone, and since when."""
        query = select(receivers.c.receiver, receivers.c.gone_at).where(
            receivers.c.gone_at.is_not(None)
        )
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(receivers.c.receiver))
            return {row.receiver: datetime.fromisoformat(row.gone_at) for row in rows}


def _digest(url: str) -> str:
    # Only to see whether it is another one: an address may hold a token.
    return sha256(url.encode()).hexdigest()
