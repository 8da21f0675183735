"""`phasegate product list|show|watch`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from commands.options import Key, Output, Watch, Whole

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
    limit: Annotated[Whole, Parameter(help="How many at most")] = 100,
    output: Output = "table",
) -> None:
    """Products and where they stand."""
    from client.engine import Engine
    from client.keyring_match import THEIRS
    from client.products import listing
    from commands.output import emit, note
    from commands.progress import working
    from phasegate.pseudonyms import MARK

    engine = await Engine.connect()
    rows = []
    with working("reading products") as progress:
        async for row in listing(engine, status=status, everything=everything, limit=limit):
            rows.append(row)
            progress(len(rows))
    emit(rows, lambda: [_grid(rows)], output)
    if any(row.owner.startswith(MARK) for row in rows):
        why = "this command has no key ring, another one, or no document that names them"
        note(f"owners that begin with {MARK} are pseudonyms: {why}")
        note(f"hint: {THEIRS}")
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
    from commands.foreseeing import Foreseer
    from commands.output import emit
    from commands.parsing import key_of
    from commands.watching import watched

    known = key_of(key)
    engine = await Engine.connect()
    foreseer = Foreseer(engine)
    await watched(
        lambda: foreseer.look(products.show(engine, known)),
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
            ("next gate expected", _expected_gate(view)),
            ("sunset", _sunset(view)),
            ("legal holds", view.legal_holds),
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


def _sunset(view: ProductView) -> list[str]:
    """What there is to know of sunsets: how the one under way stands, and what became of others."""
    from commands.times import day_of

    told = [view.sunset_state] if view.sunset_state not in ("", "sunsetting") else []
    told += ["no way back any more"] if view.beyond_return else []
    if view.adjustments is not None and not view.sunset_state and view.ended_at is None:
        notice = view.adjustments.notice
        told.append("planned" + (f", notice on {day_of(notice)}" if notice else ""))
    told += [
        f"number {past.number} was aborted by {past.by} on {day_of(past.ended_at)}"
        for past in view.past_sunsets
    ]
    return told


def _expected_gate(view: ProductView) -> str:
    from commands.times import day_of

    found = view.forecast
    if found is None or found.next_gate_expected is None:
        return ""
    gate = next(g for g in found.gates if g.gate == found.next_gate and g.expected)
    text = f"{gate.gate}: {day_of(gate.expected)}"
    text += " at the earliest" if gate.at_earliest else ""
    late = f"; {gate.slip} days later than planned" if gate.slip else ""
    return f"{text} ({gate.basis}){late}"


def milestone_grid(view: ProductView) -> Block:
    from client.forecasts import milestone_rows
    from commands.output import Grid
    from commands.times import day_of

    columns = ("milestone", "phase", "state", "planned", "due", "expected", "actual", "slip")
    return Grid(
        (*columns, "title", "why"),
        [
            (
                m.id,
                m.phase,
                m.state,
                day_of(m.planned),
                m.due,
                day_of(m.expected),
                m.met_at,
                days(m.slip),
                m.title,
                m.why,
            )
            for m in milestone_rows(view, view.forecast)
        ],
        "Milestones",
    )


def days(slip: int | None) -> str:
    """A slip as people read it: `+12 d` late, `-3 d` early, nothing on the day."""
    return f"{slip:+} d" if slip else ""


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
    after: Annotated[Whole, Parameter(help="Start after the event of this number")] = 0,
    output: Output = "table",
) -> None:
    """Follow a product's events until it ends; Ctrl-C stops watching (exit code 130)."""
    from client.engine import Engine
    from client.watching import follow
    from commands.events import event_document, event_line
    from commands.output import emit
    from commands.parsing import key_of
    from commands.progress import hush

    key = key_of(key)
    engine = await Engine.connect()
    async for entry in follow(engine, key, after):
        if output == "table":
            hush()
            print(event_line(entry), flush=True)
        else:
            emit(event_document(entry), list, "yaml" if output == "yaml" else "jsonl")
