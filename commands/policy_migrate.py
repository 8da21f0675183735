"""`phasegate policy migrate`: running products go on under another policy, on purpose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from shlex import join
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from commands.completing import keys
from commands.options import Output, Who

if TYPE_CHECKING:
    from client.engine import Engine
    from client.migrations import Migration, MigrationRow
    from commands.options import Format
    from phasegate.migration_ports import Standing


async def migrate(
    to: Annotated[
        str, Parameter(name="TO", help="The new policy: NAME, NAME@VERSION, digest or FILE")
    ],
    /,
    *products: Annotated[
        str, Parameter(name="KEY", completer=keys, help="Products; else all of --from")
    ],
    who: Who,
    reason: Annotated[str, Parameter(help="Why, for the record", allow_leading_hyphen=True)],
    from_: Annotated[
        str | None,
        Parameter(
            name="--from",
            help="Only products under this policy: a NAME means all its versions. If unset and no "
            "KEY is given, the name of the new policy",
        ),
    ] = None,
    product_filter: Annotated[
        str | None,
        Parameter(
            help="Only where this CEL expression is true, over product (its definition), phase and "
            "status"
        ),
    ] = None,
    phases: Annotated[
        list[str] | None,
        Parameter(
            name="--phase",
            negative=(),
            help="OLD=NEW: what the new policy calls a phase of the old one; repeatable",
        ),
    ] = None,
    reopen: Annotated[
        bool,
        Parameter(
            negative=(),
            help="Stop an open round whose gate asks something else now, and hold it anew",
        ),
    ] = False,
    drop_plan: Annotated[
        bool,
        Parameter(negative=(), help="Drop a sunset that its owner planned and that does not fit"),
    ] = False,
    id_: Annotated[
        str | None,
        Parameter(
            name="--id",
            help="What the migration is known by; if unset, made from what is asked, so that the "
            "same command goes on with it",
        ),
    ] = None,
    dry_run: Annotated[
        bool, Parameter(negative=(), help="Show what it means for each product; do nothing")
    ] = False,
    yes: Annotated[bool, Parameter(negative=(), help="Do not ask")] = False,
    output: Output = "table",
) -> int:
    """Put running products under another policy.

    No product comes under a new policy by itself. Whoever does this needs the permission migrate
    at the product's tier, and no hand in it. --dry-run shows for each product what changes, whose
    votes would be void, and why it cannot be migrated, if so. A command that was broken off is run
    again: it does the rest.

    Exit code 0 if all were migrated, or were before; 4 if all that were not are not permitted;
    else 1. --dry-run ends with what the same command would by what it sees: 1 if one cannot.
    """
    from datetime import UTC, datetime

    from client import migrations
    from client.documents import check_policy, refuse
    from client.engine import Engine
    from client.known_policies import find_one_policy
    from client.left_waiting import tell_who_waits
    from client.migrating import publish
    from commands.confirming import confirmed
    from commands.failing import DECLINED
    from commands.migration_blocks import row_blocks
    from commands.output import emit, note, show_beside
    from commands.parsing import build, person_of
    from commands.progress import working
    from phasegate.migration_ports import MigrateRequest, MigrationTerms

    who = person_of(who)
    engine = await Engine.connect()
    parsed = find_one_policy(to, engine.ledger)
    refuse(check_policy(parsed))
    policy, documents = parsed.model, engine.ledger.documents
    terms = build(MigrationTerms, phases=_mapping(phases or []), reopen=reopen, drop_plan=drop_plan)
    name, left = migrations.from_which(from_, engine.ledger) if from_ else ("", "")
    meant = migrations.Migration(
        policy=policy,
        digest=documents.digest_of("policy", policy.policy, policy),
        terms=terms,
        actor=who,
        reason=reason,
        keys=products,
        name=name or policy.policy,
        from_digest=left,
        expression=product_filter,
        given_id=id_ or "",
    )
    build(MigrateRequest, actor=who, to=meant.digest, reason=reason, migration=meant.id,
          request_id=f"{meant.id}.0")  # fmt: skip
    with working("looking at products"):
        found = await migrations.standings(engine, meant)
        rows = [await _looked_at(engine, meant, one) for one in found]
        await tell_who_waits(engine, meant, found, rows)
    for row in rows:
        _fill_in(row, to, meant)
    note(f"migration {meant.id}: {_counted(rows)}")
    if dry_run or not any(row.state in ("possible", "impossible") for row in rows):
        emit(rows, lambda: list(row_blocks(rows)), output)
        note("nothing was done")
        return _code(rows)
    show_beside(row_blocks(rows))
    possible = sum(row.state == "possible" for row in rows)
    question = f"Put {possible} of {len(rows)} products under {policy.policy} {policy.version}?"
    if not yes and not confirmed(question, _again(to, from_, meant)):
        note("nothing was done")
        return DECLINED
    publish(engine, meant, datetime.now(UTC))
    left_waiting = {row.product: row.left_waiting for row in rows}
    return await _carry_out(engine, to, meant, found, left_waiting, output)


def _again(to: str, from_: str | None, meant: Migration) -> str:
    """The command that does not ask."""
    narrowed = ["--from", from_] if from_ else []
    narrowed += ["--product-filter", meant.expression] if meant.expression else []
    narrowed += ["--id", meant.given_id] if meant.given_id else []
    return f"{_asked(to, meant.keys, meant)} {join([*narrowed, '--yes'])}"


def _asked(to: str, keys: Sequence[str], meant: Migration) -> str:
    words = [to, *keys, "--as", meant.actor, "--reason", meant.reason]
    for old, new in meant.terms.phases.items():
        words += ["--phase", f"{old}={new}"]
    words += ["--reopen"] if meant.terms.reopen else []
    words += ["--drop-plan"] if meant.terms.drop_plan else []
    return f"phasegate policy migrate {join(words)}"


def _fill_in(row: MigrationRow, to: str, meant: Migration) -> None:
    """The product that says which option would let it knows nothing of the command."""
    opening, end = f"phasegate policy migrate TO {row.product} ", " --as WHO --reason WHY"
    if row.hint.startswith(opening):
        option = row.hint.removeprefix(opening).removesuffix(end)
        row.hint = f"{_asked(to, [row.product], meant)} {option}"


async def _looked_at(
    engine: Engine, meant: Migration, found: Standing | MigrationRow
) -> MigrationRow:
    from client.migrations import MigrationRow, look

    return found if isinstance(found, MigrationRow) else await look(engine, meant, found)


async def _carry_out(
    engine: Engine,
    to: str,
    meant: Migration,
    found: Sequence[Standing | MigrationRow],
    left_waiting: Mapping[str, list[str]],
    output: Format,
) -> int:
    """Migrate each product that stands somewhere, and show what came of all."""
    from client.migrating import carry_out
    from client.migrations import MigrationRow
    from commands.migration_blocks import row_blocks
    from commands.output import emit, note
    from commands.progress import working

    standing = [one for one in found if not isinstance(one, MigrationRow)]
    rows = [one for one in found if isinstance(one, MigrationRow)]
    with working("migrating") as progress:
        async for row in carry_out(engine, meant, standing, progress):
            row.left_waiting = left_waiting[row.product] if row.state == "done" else []
            _fill_in(row, to, meant)
            rows.append(row)
            if output == "jsonl":
                emit(row, list, output)
    if output != "jsonl":
        emit(rows, lambda: list(row_blocks(rows)), output)
    note(f"migration {meant.id}: {_counted(rows)}")
    if left := len(found) - len(rows):
        note(f"{left} were not tried, as the engine gave no answer; the same command goes on")
    return _code(rows)


def _counted(rows: Sequence[MigrationRow]) -> str:
    counts: dict[str, int] = {}
    for row in rows:
        counts[row.state] = counts.get(row.state, 0) + 1
    return ", ".join(f"{n} {state}" for state, n in counts.items()) or "no product is meant"


def _code(rows: Sequence[MigrationRow]) -> int:
    from commands.failing import FAILED, FORBIDDEN, OK

    left = [row for row in rows if row.state in ("impossible", "refused", "no-answer")]
    if not left:
        return OK
    return FORBIDDEN if all(row.forbidden for row in left) else FAILED


def _mapping(given: Sequence[str]) -> dict[str, str]:
    from client.usage import UsageError

    found: dict[str, str] = {}
    for pair in given:
        old, equals, new = pair.partition("=")
        if not equals or not old or not new or old in found:
            raise UsageError(
                f"--phase {pair} cannot be used",
                "it is named twice" if old in found else "it needs OLD=NEW",
                "phasegate policy migrate --help",
            )
        found[old] = new
    return found
