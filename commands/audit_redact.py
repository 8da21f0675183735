"""`phasegate audit redact`: a person or a customer, taken out of the record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from commands.completing import keys
from commands.options import Format, Output, Text, Who

if TYPE_CHECKING:
    from client.redactions import Order, RedactionView


def redact(
    key: Annotated[
        str | None, Parameter(name="KEY", completer=keys, help="The product's key; or --all")
    ] = None,
    /,
    *,
    person: Annotated[str | None, Parameter(help="Who, by their id in the directory")] = None,
    customer: Annotated[str | None, Parameter(help="Or which customer, by id")] = None,
    reason: Annotated[Text, Parameter(help="Why. Kept in the record: name nobody")],
    who: Who,
    every: Annotated[
        bool, Parameter(name="--all", negative=(), help="Of every product, and of directories")
    ] = False,
    also: Annotated[
        tuple[str, ...], Parameter(negative=(), help="What else they are called in texts")
    ] = (),
    pseudonym: Annotated[
        str | None, Parameter(help="Of an earlier redaction, so that both are of one person")
    ] = None,
    dry_run: Annotated[
        bool, Parameter(negative=(), help="List what would be taken out, and change nothing")
    ] = False,
    yes: Annotated[bool, Parameter(negative=(), help="Do not ask")] = False,
    output: Output = "table",
) -> int:
    """Take a person or a customer out of the record. The chain holds: hashes stay as they are.

    Their id, names and addresses become a pseudonym; what they wrote becomes [redacted]. The record
    says who asked for it and why. What is erased cannot be brought back, but from backups.
    Directories lose a person with --all only. Nothing is asked of Temporal.
    """
    from client.audits import ledger_at
    from client.redactions import Redaction, again
    from client.settings import Settings
    from commands.confirming import confirmed
    from commands.output import note

    order = _order(key, person, customer, who, reason, every, also, pseudonym)
    redaction = Redaction(ledger_at(Settings.load().ledger_url), order)
    view = redaction.plan()
    if not view.products and not view.documents:
        note(f"nothing in the record names {order.id}")
        _emit(view, output)
        return 0
    if dry_run:
        _emit(view, output)
        note("nothing is changed: this was a dry run")
        return _code(view)
    what = order.key or f"all {len(view.products)} products"
    question = f"Take {order.id} out of the record of {what}? This cannot be undone."
    if not yes and not confirmed(question, f"{again(order)} --yes"):
        note("nothing is changed")
        return 0
    note(f"as {view.pseudonym}; if this breaks off: the same with --pseudonym {view.pseudonym}")
    _emit(redaction.do(), output)
    return _code(view)


def _order(
    key: str | None,
    person: str | None,
    customer: str | None,
    who: str,
    reason: str,
    every: bool,
    also: tuple[str, ...],
    pseudonym: str | None,
) -> Order:
    from client.redactions import Order
    from client.usage import UsageError
    from commands.parsing import key_of, person_of

    hint = "phasegate audit redact --help"
    if (key is None) is not every:
        raise UsageError("KEY or --all", "one of them says of which products", hint)
    if (person is None) is (customer is None):
        raise UsageError("--person or --customer", "one of them says who", hint)
    if not reason.strip():
        raise UsageError("--reason is empty", "the record keeps why", hint)
    if customer is not None and not customer.strip():
        raise UsageError("--customer is empty", "it takes a customer's id", hint)
    for name in also:
        if len(name.strip()) < 2:
            raise UsageError(f"--also {name!r} is too short", "it would be found everywhere", hint)
    return Order(
        kind="customer" if person is None else "person",
        id=person_of(person) if person is not None else (customer or "").strip(),
        by=person_of(who),
        reason=reason.strip()[:500],
        key=key_of(key) if key is not None else None,
        also=also,
        pseudonym=pseudonym,
    )


def _code(view: RedactionView) -> int:
    """Say what stays; 1 where words stay that cannot be taken out."""
    from commands.output import note

    if running := [one.product for one in view.products if one.running]:
        note(
            f"{', '.join(running[:5])} {'run' if len(running) > 1 else 'runs'}: the workflow has "
            "these words until it ends, and may say them again; then repeat this with "
            f"--pseudonym {view.pseudonym}"
        )
    left = [one for one in view.products if one.unsealed]
    for one in left:
        numbers = ", ".join(map(str, one.unsealed[:10])) + (", …" if len(one.unsealed) > 10 else "")
        note(
            f"{one.product}: entries {numbers} are of an early release and stay as they are: their "
            "hashes are taken of the words themselves"
        )
    return 1 if left else 0


def _emit(view: RedactionView, form: Format) -> None:
    from commands.output import Grid, emit

    rows: list[tuple[object, ...]] = []
    for one in view.products:
        rows += [(one.product, e.seq, e.type, ", ".join(e.fields)) for e in one.entries]
        if one.rows:
            rows.append((one.product, "", "rows beside the record", one.rows))
    rows += [("", "", "document", digest) for digest in view.documents]
    heads = ("product", "n", "what", f"{view.pseudonym} in")
    emit(view, lambda: [Grid(heads, rows)], form)
