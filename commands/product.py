"""`phasegate product list|show|watch`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from commands.options import Key, Output, Watch

if TYPE_CHECKING:
    from commands.output import Block
    from phasegate.rows import ProductRow
    from phasegate.views import ProductView


async def list_(
    *,
    status: Annotated[str | None, Parameter(help="Only products of this status")] = None,
    everything: Annotated[
        bool, Parameter(name="--all", negative=(), help="Also those that have ended")
    ] = False,
    limit: Annotated[int, Parameter(help="How many at most")] = 100,
    output: Output = "table",
) -> None:
    """Products and where they stand."""
    from client.engine import Engine
    from client.products import listing
    from commands.output import emit, note

    engine = await Engine.connect()
    rows = [row async for row in listing(engine, status=status, everything=everything, limit=limit)]
    emit(rows, lambda: [_grid(rows)], output)
    if not rows:
        note("no products; start one with: phasegate product start FILE")
    elif len(rows) == limit:
        note(f"the first {limit}; see more with --limit {limit * 10}")


def _grid(rows: list[ProductRow]) -> Block:
    from commands.output import Grid

    columns = ("key", "status", "owner", "policy", "phase", "gate", "next due")
    return Grid(
        columns,
        [(r.key, r.status, r.owner, r.policy, r.phase, r.gate, r.next_due) for r in rows],
    )


async def show(key: Key, /, *, watch: Watch = False, output: Output = "table") -> None:
    """One product: phase, milestones, gates, what it waits for."""
    from client import products
    from client.engine import Engine
    from commands.output import emit
    from commands.parsing import key_of
    from commands.watching import watched

    known = key_of(key)
    engine = await Engine.connect()
    await watched(
        lambda: products.show(engine, known),
        lambda view: emit(view, lambda: product_blocks(view), output),
        done=lambda view: not watch or view.ended_at is not None,
    )


def product_blocks(view: ProductView) -> Iterable[Block]:
    """A product as people read it."""
    from commands.output import Fields, Grid

    yield Fields(
        [
            ("product", f"{view.name} ({view.key})"),
            ("status", view.status),
            ("owner", view.owner),
            ("tier", view.tier),
            ("phase", view.phase),
            ("gate", f"{view.gate} (round {view.round})" if view.round else view.gate),
            ("waits for", view.waiting_for),
            ("next due", view.next_due),
            ("policy", view.policy),
            ("started", view.started_at),
            ("ended", view.ended_at),
            ("Temporal", view.ui_url),
        ]
    )
    yield milestone_grid(view)
    yield Grid(
        ("gate", "round", "outcome", "decided", "votes"),
        [
            (g.gate, g.round, g.outcome, g.decided_at, [f"{w}: {v}" for w, v in g.votes.items()])
            for g in view.gates
        ],
        "Closed gates",
    )
    yield condition_grid(view)


def milestone_grid(view: ProductView) -> Block:
    from commands.output import Grid

    return Grid(
        ("milestone", "phase", "state", "due", "met", "title", "why"),
        [(m.id, m.phase, m.state, m.due, m.met_at, m.title, m.why) for m in view.milestones],
        "Milestones",
    )


def condition_grid(view: ProductView) -> Block:
    from commands.output import dense

    return dense(
        ("condition", "state", "owner", "due", "", "text", "settled by", "what shows it", "link"),
        [
            (
                c.id,
                c.state,
                c.owner,
                c.due,
                "overdue" if c.overdue and c.state == "open" else "",
                c.text,
                c.closed_by,
                c.note,
                c.link or c.digest,
            )
            for c in view.conditions
        ],
        "Conditions",
    )


async def watch(
    key: Key,
    /,
    *,
    after: Annotated[int, Parameter(help="Start after the event of this number")] = 0,
    output: Output = "table",
) -> None:
    """Follow a product's events until it ends; Ctrl-C stops watching (exit code 130)."""
    from client.engine import Engine
    from client.watching import follow
    from commands.events import event_document, event_line
    from commands.output import emit
    from commands.parsing import key_of

    key = key_of(key)
    engine = await Engine.connect()
    async for entry in follow(engine, key, after):
        if output == "table":
            print(event_line(entry), flush=True)
        else:
            emit(event_document(entry), list, "yaml" if output == "yaml" else "jsonl")
