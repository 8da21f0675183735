"""Customers of a product: imported, settled one by one, listed; and the lifecycle told of it."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from client.asking import ask
from client.changing import definition
from client.engine import Engine
from client.products import show
from client.usage import UsageError
from phasegate.customer_file import LARGEST, read_csv, read_json
from phasegate.customers import ImportedView, Row, sentence
from phasegate.errors import EngineError, Forbidden, NotRunning, Rejected
from phasegate.ids import product_id, sunset_id
from phasegate.lifecycle import Status
from phasegate.requests import CustomersRequest, Receipt
from phasegate.views import ProductView
from phasegate.wording import shown


class NotTold(EngineError):
    """The customers are kept, but the lifecycle has not heard of it."""


@dataclass(frozen=True)
class Batch:
    """What somebody brings. `again` is the command, or the request, that repeats it."""

    rows: Sequence[Row]
    digest: str
    again: str
    text: str = ""
    """For the record, instead of how many there are."""


def digest_of_bytes(data: bytes) -> str:
    return "sha256:" + sha256(data).hexdigest()


def read_file(file: str, now: datetime) -> tuple[list[Row], str]:
    """The customers of a CSV file, or of a JSON file by its suffix; and its digest.

    Raises UsageError where it cannot be read or is too large, CustomersError for what is in it.
    """
    try:
        with Path(file).open("rb") as opened:
            data = opened.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"{file} cannot be read", reason, f"ls -l {shlex.quote(file)}") from error
    if len(data) > LARGEST:
        raise UsageError(
            f"{file} is too large",
            f"one import takes {LARGEST // 1024 // 1024} MiB",
            f"split -C 30m {shlex.quote(file)}  # give each part the header, and import them all",
        )
    read = read_json if file.lower().endswith(".json") else read_csv
    return read(data, file, now), digest_of_bytes(data)


async def current_sunset(engine: Engine, key: str) -> int:
    """The how-manieth sunset customers are settled for now: the one that runs, or the next.

    Of a product that Temporal no longer knows, the latest one. Raises EngineError.
    """
    try:
        return sunset_of(await show(engine, key))
    except NotRunning:
        return await asyncio.to_thread(engine.ledger.customers.latest_sunset, key)


def sunset_of(view: ProductView) -> int:
    """The same, of a product that was asked. One that is retired has no next."""
    had = view.status in (Status.sunsetting, Status.retired)
    return max(view.sunsets if had else view.sunsets + 1, 1)


async def take(
    engine: Engine, key: str, who: str, batch: Batch, *, dry_run: bool = False
) -> ImportedView:
    """Take customers in, all or none, and tell the lifecycle. Safe to repeat.

    Whether this person may is asked before anything is written. Raises Forbidden; Rejected after
    the point of no return; EngineError; NotTold where only the telling failed.
    """
    sunset = sunset_of(await welcome(engine, key, who))
    put = await asyncio.to_thread(
        engine.ledger.customers.put,
        key,
        sunset,
        batch.rows,
        datetime.now(UTC),
        who,
        batch.digest,
        dry_run=dry_run,
    )
    done = ImportedView(
        product=key,
        sunset=sunset,
        digest=batch.digest,
        dry_run=dry_run,
        rows=len(batch.rows),
        new=put.new,
        changed=put.changed,
        unchanged=put.unchanged,
        not_mentioned=put.not_mentioned,
        customers=put.summary,
    )
    if not dry_run and put.seq:
        request = CustomersRequest(
            actor=who,
            text=(batch.text or sentence(done))[:500],
            digest=batch.digest,
            # Of the latest change: told of again, the server knows the answer without the workflow.
            request_id=f"customers-{put.seq}",
        )
        done.told = (await _tell(engine, key, request, batch.again)).workflow_id
    return done


async def settle(engine: Engine, key: str, who: str, batch: Batch) -> ImportedView:
    """The same for one customer that is known. Raises EngineError for one that is not."""
    (row,) = batch.rows
    sunset = sunset_of(await welcome(engine, key, who))
    known = await asyncio.to_thread(engine.ledger.customers.find, key, sunset, row.id)
    if known is None:
        raise EngineError(
            f"{key} has no customer {shown(row.id)}",
            "nobody of that id was imported",
            f"phasegate customer list {key}",
        )
    return await take(engine, key, who, batch)


async def welcome(engine: Engine, key: str, who: str) -> ProductView:
    """The product, whose customers this person may change.

    Raises Forbidden unless it is the owner or of the team, Rejected when it is too late.
    """
    view, product = await asyncio.gather(show(engine, key), definition(engine, key))
    if who != product.owner and who not in product.team:
        raise Forbidden(
            "not-owner",
            f"{who} may not change the customers of {key}",
            f"only its owner, {product.owner}, and its team may",
            f"phasegate product show {key}",
        )
    what = f"the customers of {key} cannot be changed"
    if view.status == "terminated" or Status(view.status).is_final:
        hint = f"phasegate product show {key}"
        raise Rejected("product-ended", what, f"it is {view.status}", hint)
    if view.beyond_return:
        raise Rejected(
            "point-of-no-return",
            what,
            "the point of no return is passed, with every customer settled",
            f"phasegate customer list {key}",
        )
    return view


async def _tell(engine: Engine, key: str, request: CustomersRequest, again: str) -> Receipt:
    """The sunset, or where there is none its product. Raises NotTold.

    One that was aborted stays until the ledger has its end; the product may have gone on by then.
    """
    try:
        try:
            return await ask(engine.workflow(sunset_id(key)), "customers", request)
        except (NotRunning, Rejected) as refusal:
            if isinstance(refusal, Rejected) and refusal.code != "sunset-ended":
                raise
            return await ask(engine.workflow(product_id(key)), "customers", request)
    except (EngineError, Forbidden, Rejected) as error:
        raise NotTold(
            f"the customers of {key} are kept, but its lifecycle has not heard",
            str(error),
            f"{again}  # changes nothing, and tells it again",
        ) from error
