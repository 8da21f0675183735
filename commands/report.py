"""`phasegate report portfolio|slo|retrospective`: from the ledger; no server is asked."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import Parameter

from commands.options import Key, Output

Status = Literal["active", "on-hold", "sunsetting", "retired", "completed", "killed", "cancelled"]
Owner = Annotated[str | None, Parameter(help="Only products of this owner")]
PolicyName = Annotated[str | None, Parameter(help="Only products under this policy")]
LONGEST_UNASKED = 90
"""Days that `report slo` looks back unless told otherwise."""


def portfolio(
    *,
    status: Annotated[Status | None, Parameter(help="Only products of this status")] = None,
    owner: Owner = None,
    policy: PolicyName = None,
    phase: Annotated[str | None, Parameter(help="Only products in this phase")] = None,
    everything: Annotated[
        bool, Parameter(name="--all", negative=(), help="Also those that have ended")
    ] = False,
    csv: Annotated[
        str | None,
        Parameter(
            allow_leading_hyphen=True, help="Write the rows there for a spreadsheet; - is stdout"
        ),
    ] = None,
    output: Output = "table",
) -> None:
    """Where every product stands, what is late, and what its gates have cost.

    From the ledger alone. Days are calendar days; time on hold is left out. Running products,
    unless --status or --all say otherwise.
    """
    from datetime import UTC, datetime

    from client.reports import Meant
    from client.reports import portfolio as read
    from client.settings import Settings
    from commands.output import emit, note
    from commands.progress import working
    from commands.report_tables import portfolio_blocks, write_csv
    from ledger import Ledger

    ledger = Ledger(Settings.load().ledger_url)
    meant = Meant(status, owner, policy, phase, everything)
    with working("reading the record") as progress:
        found = read(ledger, meant, datetime.now(UTC), progress)
    for missing in found.missing:
        note(f"left out: {missing.key}, {missing.why}")
    if csv:
        write_csv(found, csv)
        if output == "table":
            return
    if output == "jsonl":
        emit(found.products, list, output)
    else:
        emit(found, lambda: portfolio_blocks(found), output)
    if not found.products:
        note("no such products in this ledger; see all with: phasegate report portfolio --all")


def slo(
    *,
    since: Annotated[
        str | None, Parameter(help="From this day or instant on; 90 days before --until if unset")
    ] = None,
    until: Annotated[
        str | None, Parameter(help="Up to the end of this day, or this instant; now if unset")
    ] = None,
    owner: Owner = None,
    policy: PolicyName = None,
    output: Output = "table",
) -> None:
    """How long phases, gates and answers take, how much is recycled, what is overdue.

    From the ledger alone. Days are calendar days; time on hold is left out. What came to its end
    in the period counts. Percentiles are nearest rank.
    """
    from datetime import UTC, datetime, timedelta

    from client.reports import Meant
    from client.reports import slo as read
    from client.settings import Settings
    from client.usage import UsageError
    from commands.output import emit
    from commands.progress import working
    from commands.report_tables import slo_blocks
    from commands.times import instant_of
    from ledger import Ledger

    now = datetime.now(UTC)
    end = min(instant_of(until, "--until"), now) if until else now
    start = (
        instant_of(since, "--since", day="starts")
        if since
        else end - timedelta(days=LONGEST_UNASKED)
    )
    if start >= end:
        raise UsageError(
            "--since and --until leave no time between them",
            "--since has to be earlier than --until, and than now",
            "phasegate report slo --since 2026-01-01 --until 2026-03-31",
        )
    ledger = Ledger(Settings.load().ledger_url)
    with working("reading the record") as progress:
        found = read(ledger, Meant(owner=owner, policy=policy), start, end, progress)
    emit(found, lambda: slo_blocks(found), output)


def retrospective(
    key: Key,
    /,
    *,
    html: Annotated[str | None, Parameter(help="One page of HTML that needs nothing else")] = None,
    output: Output = "table",
) -> None:
    """The whole life of a product, inception to removal, with what shows it.

    From the ledger alone: also of a product that Temporal has forgotten. Its hash chain is checked,
    and its head is written down.
    """
    from datetime import UTC, datetime

    from client.retrospectives import retrospective as read
    from client.settings import Settings
    from commands.output import emit, note
    from commands.parsing import key_of
    from commands.progress import working
    from commands.retrospective_tables import retrospective_blocks, write_html
    from ledger import Ledger

    ledger = Ledger(Settings.load().ledger_url)
    with working("reading the record"):
        found = read(ledger, key_of(key), datetime.now(UTC))
    for line in found.missing:
        note(f"not told: {line}")
    if found.chain_fault:
        note(f"the record does not add up: {found.chain_fault}")
    if html:
        write_html(found, html)
        note(f"wrote {html}")
        if output == "table":
            return
    emit(found, lambda: retrospective_blocks(found), output)
