"""`phasegate audit export|verify|head`: the record of a product, and whether it adds up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from commands.options import Key, Output

if TYPE_CHECKING:
    from pathlib import Path

    from client.audit_histories import Kept
    from phasegate.audit.record import Record


async def export(
    key: Key,
    /,
    *,
    out: Annotated[
        str | None, Parameter(help="The file, or a folder for it; here if unset")
    ] = None,
    histories: Annotated[
        bool | None,
        Parameter(
            negative="--no-histories",
            help="With the histories that Temporal has; if unset, unless words were taken out of "
            "the record, since histories still have them",
        ),
    ] = None,
    offline: Annotated[bool, Parameter(negative=(), help="Do not ask Temporal at all")] = False,
    force: Annotated[bool, Parameter(negative=(), help="Replace a file that is there")] = False,
    output: Output = "table",
) -> None:
    """Write the record of a product into one file: KEY.audit.zip.

    Everything that its outcomes rest on, as JSON and as a page to read. From the ledger; what
    Temporal still has of its histories is added. Whoever has the file can verify it.
    Ends with 1 where the record does not add up: the file is written then, too.
    """
    from datetime import UTC, datetime

    from client.audit_checks import verify_record
    from client.audits import bundle_of, ledger_at, record_of
    from client.settings import Settings
    from commands.output import emit, note
    from commands.parsing import key_of
    from commands.progress import working
    from phasegate.audit.findings import DoesNotAddUp

    key = key_of(key)
    target = _target(key, out, force=force)
    ledger = ledger_at(Settings.load().ledger_url)
    before = record_of(ledger, key, datetime.now(UTC))  # whether it is there, before anything else
    kept = await _kept(before, histories) if histories is not False and not offline else None
    with working("writing the record"):
        record = record_of(ledger, key, datetime.now(UTC), kept)
        _write(target, bundle_of(record, kept), force=force)
        found = verify_record(record)
    if output == "table":
        print(target)
        if found.ok:
            note(f"head {key} {record.head.seq} {record.head.hash}  # keep it elsewhere")
    else:
        said = {"product": key, "file": str(target), "ok": found.ok}
        emit(
            {"schema_version": 1, **said, "seq": record.head.seq, "hash": record.head.hash},
            list,
            output,
        )
    if found.fault:
        raise DoesNotAddUp(key, found.fault)


def verify(
    bundle: Annotated[str | None, Parameter(help="The file that `audit export` wrote")] = None,
    /,
    *,
    ledger: Annotated[
        str | None, Parameter(name="--ledger", help="Instead: this product, in the ledger")
    ] = None,
    heads: Annotated[
        list[str] | None,
        Parameter(
            name="--head",
            negative=(),
            help="A head that was kept elsewhere: SEQ:HASH, or a file with some; may be repeated",
        ),
    ] = None,
    output: Output = "table",
) -> int:
    """Derive every outcome of a product again, and name the first thing that does not add up.

    Of a bundle with nothing but the file: no server, no ledger, no settings. Whoever can write the
    ledger can write its whole chain anew: only a head that was kept elsewhere shows that.
    Ends with 3 where nothing is wrong, and something cannot be checked: look at what is listed.
    """
    from client.audit_checks import verify_bundle, verify_ledger
    from client.audit_heads import read_heads
    from client.audits import ledger_at
    from client.settings import Settings
    from client.usage import UsageError
    from commands.audit_blocks import audit_blocks
    from commands.failing import DECLINED, OK
    from commands.output import emit
    from commands.parsing import key_of
    from commands.progress import working
    from phasegate.audit.findings import DoesNotAddUp

    if (bundle is None) == (ledger is None):
        raise UsageError(
            "nothing to verify, or two things",
            "name a bundle, or a product with --ledger, and not both",
            "phasegate audit verify KEY.audit.zip",
        )
    known = read_heads(heads or [])
    with working("deriving everything again"):
        if bundle is not None:
            found = verify_bundle(bundle, known)
        else:
            assert ledger is not None
            key = key_of(ledger)
            found = verify_ledger(ledger_at(Settings.load().ledger_url), key, known)
    emit(found, lambda: audit_blocks(found), output)
    if found.fault:
        raise DoesNotAddUp(found.product, found.fault)
    # Whoever can write the ledger can take away what a check needs: that must not look the same.
    return DECLINED if found.unchecked else OK


def head(
    keys: Annotated[list[str] | None, Parameter(help="The products; all of them if unset")] = None,
    /,
    *,
    output: Output = "table",
) -> None:
    """Where products' chains stand: one line `KEY SEQ HASH` for each.

    Keep it where whoever can write the ledger cannot: `audit verify --head FILE` compares.
    Ends with 1 where a chain is broken: it has no head to keep, and all others are printed.
    """
    from client.audits import heads, ledger_at
    from client.settings import Settings
    from commands.output import emit, note
    from commands.parsing import key_of
    from ledger import ChainBroken

    ledger = ledger_at(Settings.load().ledger_url)
    found, broken = [], []
    for one in heads(ledger, [key_of(key) for key in keys or ()]):
        try:
            ledger.verify(one.product, one.anchor)
            found.append(one)
        except ChainBroken as flaw:
            broken.append(flaw)
    if output == "table":  # the same on a terminal and in a file: it is what `--head` reads
        for one in found:
            print(one.product, one.anchor.seq, one.anchor.hash)
    else:
        rows = [
            {"schema_version": 1, "product": h.product, "seq": h.anchor.seq, "hash": h.anchor.hash}
            for h in found
        ]
        emit(rows, list, output)
    for other in broken[1:]:
        note(f"error: {other}")
    if broken:
        raise broken[0]


# -- writing --------------------------------------------------------------------------------------


def _target(key: str, out: str | None, *, force: bool) -> Path:
    from pathlib import Path

    from client.usage import UsageError

    target = Path(out or ".")
    if target.is_dir():
        target /= f"{key}.audit.zip"
    if target.exists() and not force:
        raise UsageError(
            f"{target} is there already",
            "a record that was exported is not replaced unasked",
            f"phasegate audit export {key} --out {target} --force",
        )
    return target


def _write(target: Path, data: bytes, *, force: bool) -> None:
    """For its owner's eyes: it names people, and what they wrote."""
    import errno
    import os

    from client.usage import UsageError

    part = target.with_name(f"{target.name}.part")
    try:
        part.unlink(missing_ok=True)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        if target.exists() and not force:
            raise FileExistsError(errno.EEXIST, "somebody wrote it meanwhile")
        part.replace(target)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise UsageError(
            f"{target} cannot be written",
            error.strerror or str(error),
            f"ls -ld {target.parent}",
        ) from error


async def _kept(record: Record, wanted: bool | None) -> Kept | None:
    """The histories. Unasked, they bring back nobody who was taken out of the record."""
    from client.audit_histories import Kept
    from commands.output import note
    from phasegate.redacted import REDACTED

    if all(entry.type != REDACTED for entry in record.entries):
        return await _histories(record.product)
    if wanted is None:
        note(
            "without Temporal's histories: words were taken out of this record, and histories may "
            "still have them; --histories adds them"
        )
        return Kept(notes=["Temporal's histories were left out: they may have what was erased."])
    note("warning: the histories in this file may have the words that were taken out of the record")
    return await _histories(record.product)


async def _histories(key: str) -> Kept | None:
    """What Temporal has; None where it does not answer, which is said and stops nothing."""
    from temporalio.service import RPCError

    from client.audit_histories import histories
    from client.connection import connect
    from commands.output import note
    from phasegate.errors import EngineError

    try:
        return await histories(await connect(), key)
    except (EngineError, RPCError) as error:
        why = error.why if isinstance(error, EngineError) else error.message
        note(f"without Temporal's histories: {why or error}")
        return None
