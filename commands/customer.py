"""`phasegate customer import|list|settle`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Literal, get_args

from cyclopts import Parameter
from cyclopts.validators import Number

from commands.options import Format, Key, Output, Text, Who, Whole

if TYPE_CHECKING:
    from phasegate.customers import ImportedView

Fact = Literal["notified", "exported", "migrated", "waived"]

COLUMNS = ("id", "state", "name", "email", "contract_until", *get_args(Fact), "note")


async def import_(
    key: Key,
    file: Annotated[str, Parameter(help="A CSV file with a header, or a JSON list (*.json)")],
    /,
    *,
    who: Who,
    dry_run: Annotated[
        bool, Parameter(negative=(), help="Say what it would change, and change nothing")
    ] = False,
    output: Output = "table",
) -> None:
    """Take customers in: all of a file, or none where a row is wrong.

    Columns are id, name, email, contract_until, notified, exported, migrated, waived and note; only
    id is needed. The four in the middle take a day, yes or no; what is empty says nothing.
    Customers that the file does not mention stay. The same file again changes nothing.
    """
    import asyncio
    import shlex
    from datetime import UTC, datetime

    from client import customers
    from client.engine import Engine
    from commands.parsing import key_of, person_of

    key, who = key_of(key), person_of(who)
    rows, digest = await asyncio.to_thread(customers.read_file, file, datetime.now(UTC))
    again = f"phasegate customer import {key} {shlex.quote(file)} --as {who}"
    batch = customers.Batch(rows, digest, again)
    _emit(await customers.take(await Engine.connect(), key, who, batch, dry_run=dry_run), output)


async def settle(
    key: Key,
    customer: Annotated[str, Parameter(help="The customer's id")],
    fact: Annotated[Fact, Parameter(help="What happened; waived: they need nothing from us")],
    /,
    *,
    note: Annotated[Text, Parameter(help="What shows it, or why. Kept in the record: name nobody")],
    who: Who,
    on: Annotated[str, Parameter(help="The day it happened, as 2028-05-31; now if unset")] = "",
    undone: Annotated[
        bool, Parameter(negative=(), help="Take it back: it is not so, or no longer")
    ] = False,
    output: Output = "table",
) -> None:
    """Say what became of one customer. Exported, migrated and waived settle them."""
    import json
    import shlex
    from datetime import UTC, datetime

    from client import customers
    from client.engine import Engine
    from client.usage import UsageError
    from commands.parsing import key_of, person_of
    from phasegate.customer_file import CustomersError, read_json

    key, who = key_of(key), person_of(who)
    if undone and on:
        why = "what is taken back has no day"
        raise UsageError("--on and --undone do not go together", why, "--help shows an example")
    if not note.strip():
        raise UsageError("--note is empty", "the record keeps why", "--help shows an example")
    item = {"id": customer, fact: False if undone else on or True, "note": note}
    try:
        rows = read_json(json.dumps([item]).encode(), "the command", datetime.now(UTC))
    except CustomersError as error:
        problem = error.problems[0]
        option = {"id": "CUSTOMER", "note": "--note"}.get(str(problem.path[0]), "--on")
        raise UsageError(f"{option} {problem.message}", "", "--help shows an example") from error
    words = ("customer", "settle", key, customer, fact, "--note", note, "--as", who)
    again = shlex.join(("phasegate", *words, *(("--on", on) if on else ())))
    text = f"customer {rows[0].id} is {'not ' if undone else ''}{fact}: {rows[0].note}"
    batch = customers.Batch(rows, "", again + (" --undone" if undone else ""), text)
    _emit(await customers.settle(await Engine.connect(), key, who, batch), output)


async def list_(
    key: Key,
    /,
    *,
    state: Annotated[
        Literal["open", "notified", "exported", "migrated", "waived"] | None,
        Parameter(help="Only these; open: not exported, migrated or waived"),
    ] = None,
    sunset: Annotated[
        Whole | None,
        Parameter(
            help="The how-manieth sunset; unset, the one that runs, or comes next",
            validator=Number(gte=1, lte=99_999),
        ),
    ] = None,
    limit: Annotated[
        Whole | None,
        Parameter(help="Only so many, by id", validator=Number(gte=1, lte=sys.maxsize)),
    ] = None,
    output: Output = "table",
) -> None:
    """Customers in the order of their ids, and what became of each in a sunset.

    With --sunset no server is asked.
    """
    from itertools import islice

    from client.customers import current_sunset
    from client.engine import Engine
    from client.settings import Settings
    from commands.output import dense, emit, note
    from commands.parsing import key_of
    from ledger import Ledger

    key = key_of(key)
    if sunset is None:
        engine = await Engine.connect()
        sunset, ledger = await current_sunset(engine, key), engine.ledger
    else:
        ledger = Ledger(Settings.load().ledger_url)
    found = list(islice(ledger.customers.every(key, sunset, state), limit))
    about = {"schema_version": 1, "product": key, "sunset": sunset}
    heads = [name.replace("_", " ") for name in COLUMNS]
    emit(
        [{**about, **one.model_dump(mode="json")} for one in found],
        lambda: [dense(heads, [[getattr(one, name) for name in COLUMNS] for one in found])],
        output,
    )
    if not found:
        what = f"customers that are {state}" if state else "customers"
        note(f"{key} has no {what}")


def _emit(done: ImportedView, form: Format) -> None:
    from commands.output import Fields, emit, note

    shown = [
        ("customers of", done.product),
        ("sunset", done.sunset),
        ("rows", done.rows),
        ("new", done.new),
        ("changed", done.changed),
        ("unchanged", done.unchanged),
        ("not mentioned", f"{done.not_mentioned} (they stay)" if done.not_mentioned else ""),
        ("known now", done.customers.total),
        ("open", done.customers.open),
        ("digest", done.digest),
        ("told", done.told),
    ]
    emit(done, lambda: [Fields(shown)], form)
    if done.dry_run:
        note("nothing is changed: this was a dry run")
    elif not done.new + done.changed:
        note("nothing has changed")
