"""`phasegate events recover`: what a ledger misses that was put back from a backup."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from commands.completing import keys as known_keys
from commands.options import Output

if TYPE_CHECKING:
    from client.recovering import Recovered
    from phasegate.errors import EngineError


_RESET = "temporal workflow reset --workflow-id {} --type LastWorkflowTask --reason restored"


async def recover(
    keys: Annotated[
        list[str] | None,
        Parameter(
            name="KEY", completer=known_keys, help="The products; all that Temporal knows if unset"
        ),
    ] = None,
    /,
    *,
    dry_run: Annotated[
        bool, Parameter(negative=(), help="Say what is missing, and write nothing")
    ] = False,
    late: Annotated[
        bool,
        Parameter(
            negative=(), help="Also where the record has gone on: what is missing follows behind it"
        ),
    ] = False,
    output: Output = "table",
) -> None:
    """Write what the ledger misses after it was put back from a backup, from Temporal's histories.

    Stop the workers before the ledger is put back, and start them after this. It finds
    announcements, definitions of products, and acts of sunsets that were begun. It does not find
    policies, directories, customers, and what was taken out of the record.
    It also names the workflows of a Temporal that was put back, of which the ledger has more.
    Repeating it changes nothing. Ends with 1 where a record has gone on without what is missing,
    and for a product that there is not.
    """
    from client.engine import Engine
    from client.recovering import missing, write
    from client.told_histories import products_in
    from commands.output import Grid, emit, note
    from commands.parsing import key_of
    from commands.progress import working
    from phasegate.errors import EngineError

    engine = await Engine.connect()
    chosen = [key_of(key) for key in keys or ()] or await products_in(engine.client)
    done: list[Recovered] = []
    left: list[EngineError] = []
    with working("comparing histories with the ledger"):
        for key in chosen:
            found = await missing(engine.client, engine.ledger, key)
            if not found.known:
                left.append(_unknown(key))
            if found.nothing:
                continue
            try:
                if not dry_run:
                    write(engine.ledger, found, late=late)
            except EngineError as error:  # that keeps no other product from being mended
                left.append(error)
                continue
            done.append(found)
    counts = [(len(found.events), len(found.definitions), len(found.acts)) for found in done]
    rows = [(found.product, found.head, *row) for found, row in zip(done, counts, strict=True)]
    columns = ("product", "had", "events", "definitions", "acts")
    documents = [_document(found, written=not dry_run) for found in done]
    emit(documents, lambda: [Grid(columns, rows)] if rows else [], output)
    if done:
        events, definitions, acts = (sum(row[place] for row in counts) for place in range(3))
        said = f"{events} events, {definitions} definitions and {acts} acts of {len(done)} products"
        note(f"would write {said}; nothing was written" if dry_run else f"wrote {said}")
    if not done and not left:
        note(f"nothing is missing of {len(chosen)} products that Temporal knows")
    for workflow in [name for found in done for name in found.ahead]:
        note(f"Temporal was put back, and the ledger has more of {workflow}; before it goes on:")
        note(f"  {_RESET.format(workflow)}")
    for wanted in dict.fromkeys(name for found in done for name in found.wanted):
        note(f"missing, and in no history: {wanted}; {_mend(wanted)}")
    for other in left[1:]:
        note(f"{other}; {other.hint}")
    if left:
        raise left[0]


def _unknown(key: str) -> EngineError:
    from phasegate.errors import EngineError

    why = "neither Temporal nor the ledger has anything of it"
    return EngineError(f"there is no product {key}", why, "phasegate product list")


def _mend(wanted: str) -> str:
    if wanted.startswith("directory"):
        return "phasegate directory publish FILE --as WHO"
    return "phasegate product start FILE --policy FILE, once more for a product that runs under it"


def _document(found: Recovered, *, written: bool) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "product": found.product,
        "head": found.head,
        "written": written,
        "events": [
            {
                "seq": lost.seq,
                "id": lost.event.id,
                "type": lost.event.type,
                "at": lost.event.at.isoformat(),
                "text": lost.event.text,
            }
            for lost in found.events
        ],
        "definitions": len(found.definitions),
        "acts": [act.task for act in found.acts],
        "wanted": found.wanted,
        "ahead": found.ahead,
    }
