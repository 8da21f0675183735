"""`phasegate audit export|verify|head`: the record of a product, and whether it adds up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from commands.options import Key, Output

if TYPE_CHECKING:
    from pathlib import Path

    from client.audit_histories import Kept
    from commands.output import Block
    from phasegate.audit.findings import Verified


async def export(
    key: Key,
    /,
    *,
    out: Annotated[
        str | None,
        Parameter(name=("--out", "--output"), help="The file, or a folder for it; here if unset"),
    ] = None,
    histories: Annotated[
        bool, Parameter(negative="--no-histories", help="With the histories that Temporal has")
    ] = True,
    offline: Annotated[bool, Parameter(negative=(), help="Do not ask Temporal at all")] = False,
    force: Annotated[bool, Parameter(negative=(), help="Replace a file that is there")] = False,
) -> None:
    """Write the record of a product into one file: KEY.audit.zip.

    Everything that its outcomes rest on, as JSON and as a page to read. From the ledger; what
    Temporal still has of its histories is added. Whoever has the file can verify it.
    """
    from datetime import UTC, datetime

    from client.audit_checks import verify_record
    from client.audits import bundle_of, record_of
    from client.settings import Settings
    from commands.output import note
    from commands.parsing import key_of
    from commands.progress import working
    from ledger import Ledger

    key = key_of(key)
    target = _target(key, out, force=force)
    ledger = Ledger(Settings.load().ledger_url)
    record_of(ledger, key, datetime.now(UTC))  # a product that is not there, before anything else
    kept = await _histories(key) if histories and not offline else None
    with working("writing the record"):
        record = record_of(ledger, key, datetime.now(UTC), kept)
        _write(target, bundle_of(record, kept), force=force)
        found = verify_record(record)
    print(target)
    note(f"head {key} {record.head.seq} {record.head.hash}  # keep it elsewhere")
    if found.fault:
        note(f"it does not add up at {found.fault.place}: {found.fault.text}")


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
    from client.settings import Settings
    from client.usage import UsageError
    from commands.failing import DECLINED, OK
    from commands.output import emit
    from commands.parsing import key_of
    from commands.progress import working
    from ledger import Ledger
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
            found = verify_ledger(Ledger(Settings.load().ledger_url), key, known)
    emit(found, lambda: _blocks(found), output)
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
    """
    from client.audits import heads
    from client.settings import Settings
    from commands.output import emit
    from commands.parsing import key_of
    from ledger import Ledger

    found = heads(Ledger(Settings.load().ledger_url), [key_of(key) for key in keys or ()])
    if output == "table":  # the same on a terminal and in a file: it is what `--head` reads
        for one in found:
            print(one.product, one.anchor.seq, one.anchor.hash)
        return
    rows = [
        {"schema_version": 1, "product": h.product, "seq": h.anchor.seq, "hash": h.anchor.hash}
        for h in found
    ]
    emit(rows, list, output)


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


# -- showing --------------------------------------------------------------------------------------


def _blocks(found: Verified) -> list[Block]:
    from commands.output import Fields, Grid

    counts = f"{found.derived} of {found.rounds} follow from their votes"
    if found.overridden:
        counts += f", {found.overridden} were decided by permission"
    said = found.unchecked + found.remarks
    return [
        Fields(
            [
                ("product", found.product),
                ("result", _result(found)),
                ("read from", found.source),
                ("chain", f"{found.seq} entries, ends with {found.head}" if found.head else ""),
                (
                    "heads",
                    f"{found.heads} kept elsewhere lie on it" if found.heads else "none given",
                ),
                ("documents", found.documents),
                ("decided rounds", counts),
                ("votes", found.votes),
                ("signatures", f"{found.signatures} good"),
                ("refusals", found.refusals),
                ("histories", found.histories),
                ("erased", f"words of {found.erased} entries" if found.erased else ""),
            ]
        ),
        Grid(
            ("where", "what", "who"),
            [
                (one.place, f"{_KINDS[one.kind]}: {one.text}", one.person)
                for one in ([found.fault] if found.fault else []) + said
            ],
            "To look at",
        ),
    ]


def _result(found: Verified) -> str:
    if not found.ok:
        return "does not add up"
    return "adds up, as far as it can be checked" if found.unchecked else "adds up"


_KINDS = {"fault": "fault", "unchecked": "cannot be checked", "remark": "remark"}
