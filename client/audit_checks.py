"""Verifying a product's record: a bundle with nothing but the file, or the ledger in place."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from client.audit_heads import Head
from client.audits import page_of, record_of
from client.pictures.audit import edition
from client.usage import UsageError
from integrations.files import read_bounded
from integrations.judging import judge
from integrations.ssh_keygen import verify as verify_signature
from ledger import Ledger
from phasegate.audit.container import LARGEST, PAGE, RECORD, BundleBroken, unpack
from phasegate.audit.findings import Finding, Verified
from phasegate.audit.record import Record, read
from phasegate.audit.verifying import verify
from phasegate.directory import Key
from phasegate.expressions import facts


def verify_bundle(file: str, known: Collection[Head]) -> Verified:
    """Check a bundle and derive everything in it again, with nothing but the file.

    Raises UsageError where it cannot be read, BundleBroken, DoesNotAddUp; and KeygenError where a
    signature cannot be checked on this machine.
    """
    try:
        data = read_bounded(file, LARGEST)
    except OSError as error:
        why = error.strerror or str(error)
        raise UsageError(f"{file} cannot be read", why, f"ls -l {file}") from error
    members, about = unpack(data)
    record = read(members[RECORD])
    if about.get("product") != record.product:
        raise BundleBroken("its manifest names another product than its record")
    report = _verified(record, known, file)
    _check_page(record, members.get(PAGE), about, report)
    _check_histories(record, members)
    return report


def verify_ledger(ledger: Ledger, key: str, known: Collection[Head]) -> Verified:
    """The same of the ledger in place."""
    return _verified(record_of(ledger, key, datetime.now(UTC)), known, "the ledger")


def verify_record(record: Record, known: Collection[Head] = ()) -> Verified:
    """The same of a record at hand."""
    return _verified(record, known, "the record")


def _verified(record: Record, known: Collection[Head], source: str) -> Verified:
    ours = [head.anchor for head in known if head.product in ("", record.product)]
    if known and not ours:
        raise UsageError(
            f"no head is one of {record.product}",
            f"they are of {', '.join(sorted({head.product for head in known}))}",
            f"phasegate audit head {record.product}",
        )
    return verify(record, ours, signature=_signature, judge=_judge, source=source)


def _check_page(
    record: Record, page: bytes | None, about: Mapping[str, Any], report: Verified
) -> None:
    """The page is made of the record, or it says something else than what was verified."""
    if page is None:
        return
    if about.get("page") != edition():
        text = f"{PAGE} was made by another release ({record.release}): it was not compared"
        report.unchecked.append(Finding(kind="unchecked", text=text))
    elif page != page_of(record):
        fault = Finding(text=f"{PAGE} does not say what {RECORD} does")
        report.ok, report.more_faults = False, report.more_faults + (report.fault is not None)
        report.fault = report.fault or fault


def _check_histories(record: Record, members: Mapping[str, bytes]) -> None:
    known = {one.file for one in record.histories if one.file}
    for name in sorted(known ^ (members.keys() - {RECORD, PAGE})):
        raise BundleBroken(f"{name} is not where the record says that it is")


def _signature(
    statement: str, signature: str, person: str, keys: tuple[Key, ...], at: datetime
) -> str:
    return verify_signature(keys, person, statement, signature, at=at).problem


def _judge(expression: str, variables: Mapping[str, Any]) -> bool:
    return bool(judge(expression, facts(variables["product"], variables.get("evidence"))))
