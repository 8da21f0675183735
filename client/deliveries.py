"""What was given up, and how it is tried again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from temporalio.client import Client
from temporalio.common import SearchAttributePair, TypedSearchAttributes
from temporalio.service import RPCError

from client.attributes import KEYS
from client.engine import Engine
from ledger import Delivery, Ledger
from ledger.dead_letters import Late
from phasegate.delivery import (
    COURIER,
    MAIL,
    MAIL_COURIER,
    CourierOrder,
    MailItem,
    MailItems,
    MailOrder,
    courier_id,
    mail_courier_id,
)
from phasegate.errors import EngineError
from phasegate.pseudonyms import in_use

PATIENCE = timedelta(seconds=5)


@dataclass(frozen=True)
class Undelivered:
    """What of a product was given up, who is late with it now, and who wants nothing any more."""

    dead: Sequence[Delivery]
    late: Sequence[Late]
    gone: dict[str, datetime]


def undelivered(ledger: Ledger, key: str, receiver: str | None = None) -> Undelivered:
    """Read it off the ledger's database; no server is asked. Raises LedgerError."""

    def meant(name: str) -> bool:
        return receiver is None or name == receiver

    return Undelivered(
        ledger.dead_letters.of(key, receiver),
        [late for late in ledger.dead_letters.late(key) if meant(late.receiver)],
        {name: at for name, at in ledger.receivers.away().items() if meant(name)},
    )


async def retry(
    engine: Engine, key: str, event: str | None = None, receiver: str | None = None
) -> tuple[list[Delivery], list[str]]:
    """Try again what was given up: all of a product, or one event (its id or its number), or what
    is one receiver's. Receivers that were gone are asked again.

    What is tried again, and the receivers that were gone. Raises EngineError where there is nothing
    of the kind, or no server.
    """
    ledger = engine.ledger
    found = undelivered(ledger, key, receiver)
    chosen = [item for item in found.dead if event in (None, item.event, str(item.seq))]
    back = [] if event is not None else sorted(found.gone)
    if event is not None and not chosen:
        raise EngineError(
            f"event {event} of {key} was not given up",
            "there is no dead letter of that id or number"
            + (f" for {receiver}" if receiver else ""),
            f"phasegate events list {key} --dead",
        )
    ledger.dead_letters.retry(chosen, datetime.now(UTC))
    for name in back:
        ledger.receivers.welcome(name)
    try:
        for item in chosen:
            if item.receiver.startswith(f"{MAIL}/"):
                await _mail(engine.client, engine.settings.task_queue, item)
        others = {item.receiver for item in chosen} | set(back)
        for name in sorted(n for n in others if not n.startswith(f"{MAIL}/")):
            await _wake(engine.client, engine.settings.task_queue, name, key)
    except RPCError as error:
        raise EngineError(
            f"what was given up of {key} waits for its next try",
            f"the server refuses: {error.message}",
            f"phasegate events retry {key}",
        ) from error
    return chosen, back


async def _mail(client: Client, task_queue: str, item: Delivery) -> None:
    person = item.receiver.removeprefix(f"{MAIL}/")
    await client.start_workflow(
        MAIL_COURIER,
        MailOrder(person=person, gather=1),
        id=mail_courier_id(person, in_use()),
        task_queue=task_queue,
        start_signal="add",
        start_signal_args=[MailItems(items=[MailItem(product=item.product, seq=item.seq)])],
        static_summary=in_use().said(f"mail to {person}", "mail")[:180],
        rpc_timeout=PATIENCE,
    )


async def _wake(client: Client, task_queue: str, receiver: str, key: str) -> None:
    await client.start_workflow(
        COURIER,
        CourierOrder(receiver=receiver, product=key),
        id=courier_id(receiver, key),
        task_queue=task_queue,
        start_signal="wake",
        static_summary=f"{key} → {receiver}"[:180],
        search_attributes=TypedSearchAttributes(
            [SearchAttributePair(KEYS["PhasegateProduct"], key)]
        ),
        rpc_timeout=PATIENCE,
    )
