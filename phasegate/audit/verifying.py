"""Verifying a record: documents, chain, heads kept elsewhere, then everything that was decided."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

from phasegate import chain
from phasegate.audit.container import BundleBroken
from phasegate.audit.context import CheckSignature, Context, Judge, Place
from phasegate.audit.documents import Documents
from phasegate.audit.findings import DoesNotAddUp, Finding, Verified
from phasegate.audit.past import past_of
from phasegate.audit.promises import check_promises
from phasegate.audit.record import Record
from phasegate.audit.rounds import derive
from phasegate.audit.story import follow
from phasegate.audit.telling import Telling, Told, by_round, told
from phasegate.chain import ChainBroken
from phasegate.events import Anchor
from phasegate.redacted import MARKED, REDACTED, Redacted, documents_left

_NONSENSE = (
    *(LookupError, TypeError, ValueError, AttributeError, AssertionError),
    *(OverflowError, RecursionError),
)

_OURS = ("gate.", "product.", "sunset.", "milestone.", "condition.")


def verify(
    record: Record,
    heads: Collection[Anchor],
    *,
    signature: CheckSignature,
    judge: Judge,
    source: str = "",
) -> Verified:
    """Check a record: the report has the first thing that does not add up, and how many more there
    are. Where documents, chain or heads do not hold, nothing is derived."""
    report = Verified(ok=True, product=record.product, source=source, reached="nothing")
    report.entries, report.documents = len(record.entries), len(record.documents)
    report.histories = sum(bool(history.file) for history in record.histories)
    left = documents_left(entry.body for entry in record.entries if entry.type == REDACTED)
    try:
        documents = Documents(record.product, record.documents, left)
        context = Context(record.product, documents, signature, judge, report)
        report.reached = "documents"
        _check_chain(record, report)
        report.reached = "chain"
        _check_heads(record, heads, report)
        report.reached = "heads"
        _derive(context, _told(record))
        report.reached = "outcomes"
    except DoesNotAddUp as error:  # what comes after it rests on it
        report.ok, report.fault = False, error.found
        return report
    faults = sorted(
        (found for found in context.found if found.kind == "fault"), key=lambda found: found.seq
    )
    report.fault, report.more_faults = next(iter(faults), None), max(len(faults) - 1, 0)
    report.ok = not faults
    report.unchecked = [found for found in context.found if found.kind == "unchecked"]
    report.remarks = [found for found in context.found if found.kind == "remark"]
    return report


def _check_chain(record: Record, report: Verified) -> None:
    try:
        last = chain.walk(record.product, record.rows(), Anchor())
        if last != record.head:
            why = f"entry {record.head.seq} was the last when it was exported"
            raise ChainBroken(record.product, min(last.seq, record.head.seq) + 1, why)
    except ChainBroken as broken:
        raise DoesNotAddUp(record.product, Finding(seq=broken.seq, text=broken.why)) from broken
    if not record.entries:
        raise BundleBroken("it has no entries")
    report.seq, report.head = last.seq, last.hash


def _check_heads(record: Record, heads: Collection[Anchor], report: Verified) -> None:
    """A head that was kept elsewhere lies on the chain: else somebody wrote it anew from there."""
    hashes = {entry.seq: entry.hash for entry in record.entries}
    for head in sorted(heads, key=lambda head: head.seq):
        if head.seq not in hashes:
            text = f"the head {head.seq}:{head.hash[:12]}… was known, and the record ends before it"
        elif hashes[head.seq] != head.hash:
            text = (
                f"the head {head.seq}:{head.hash[:12]}… was known, and another entry stands there"
            )
        else:
            continue
        raise DoesNotAddUp(record.product, Finding(seq=head.seq, text=text))
    report.heads = len(heads)


def _told(record: Record) -> list[Told]:
    found = []
    for row in record.rows():
        try:
            found.append(told(row))
        except (ValueError, RecursionError) as error:
            why = f"it is no announcement: {' '.join(str(error).split())[:200]}"
            raise DoesNotAddUp(record.product, Finding(seq=row.seq, text=why)) from error
    return found


def _derive(context: Context, events: Sequence[Told]) -> None:
    product = Telling(
        [said for said in events if said.event.source == f"product/{context.product}"]
    )
    rounds = by_round(events)
    past = past_of(events, product)
    _check_ids(context, events)
    _count_erased(context, events)
    with _understood(Place(context), 1):
        follow(context, events, product, rounds, past)
    sittings = []
    for key, telling in rounds.items():
        with _understood(Place(context, *key), telling.said[0].seq):
            sittings.append(derive(context, key, telling, past))
    check_promises(sittings, past)


@contextmanager
def _understood(place: Place, seq: int) -> Iterator[None]:
    """Whoever forges writes what no engine would: that is a fault of the record, and none of ours
    may be taken for one. Each is named by what Python calls it."""
    try:
        yield
    except _NONSENSE as error:
        what = f"{type(error).__name__} {' '.join(str(error).split())[:120]}"
        place.fault(seq, f"what was said from there on makes no sense: {what}")


def _check_ids(context: Context, events: Sequence[Told]) -> None:
    """Every event is there once, and comes from a workflow of the product."""
    place, seen = Place(context), set()
    own = f"product/{context.product}"
    for said in events:
        if said.event.id in seen:
            place.fault(said, f"the event {said.event.id} is there twice")
        seen.add(said.event.id)
        source = said.event.source
        ours = said.type.startswith(_OURS)
        if ours and source != own and not source.startswith(f"{own}/"):
            place.fault(said, f"it comes from {source}, which is no workflow of the product")


def _count_erased(context: Context, events: Sequence[Told]) -> None:
    """The chain has found that each is announced; documents are what the record says is left."""
    context.report.erased = sum(said.erased for said in events)
    place = Place(context)
    for said in events:
        if said.type == REDACTED:
            place.remark(said.seq, said.event.text, said.actor)
            for one in Redacted.model_validate(said.data).documents:
                if name := context.documents.lost.pop(one.document, ""):
                    text = f"the {name}: what is left of it is all that its checks rest on"
                    place.unchecked(said.seq, text)
            name = said.text("pseudonym")
            if MARKED.fullmatch(name) and not context.documents.knows(name):
                context.gone |= {name}
