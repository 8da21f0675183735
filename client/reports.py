"""Reports over the whole record: read once, product by product, and no server is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime

from ledger import DocumentUnknown, Ledger
from phasegate.events import Announcement
from phasegate.past_goals import GOAL_EVENTS, PastGoals
from phasegate.past_product import PRODUCT_EVENTS, PastProduct
from phasegate.policy import Policy
from phasegate.portfolio import Portfolio, PortfolioRow, portfolio_of, row_of
from phasegate.roadmap import Missing
from phasegate.slo import Tally
from phasegate.slo_view import Slo

Progress = Callable[[int, int], None]
"""Told how many products are read, and of how many."""


def _silent(done: int, total: int) -> None:
    pass


@dataclass(frozen=True)
class Meant:
    """Which products a report is about."""

    status: str | None = None
    owner: str | None = None
    policy: str | None = None
    phase: str | None = None
    everything: bool = True

    def fits(self, past: PastProduct, policy: str) -> bool:
        """Whether a product is meant; those that have ended only if they are asked for."""
        if self.status is None and not self.everything and past.ended_at is not None:
            return False
        phase = past.here.phase if past.here else None
        asked = ((self.status, past.status), (self.owner, past.owner), (self.policy, policy))
        return all(want in (None, is_) for want, is_ in (*asked, (self.phase, phase)))


class _Record:
    """The ledger's products, one after the other, with the policies they run under."""

    def __init__(self, ledger: Ledger, meant: Meant, progress: Progress) -> None:
        self.ledger, self.meant, self.progress = ledger, meant, progress
        self._policies: dict[str, Policy | None] = {}

    def read(
        self, types: tuple[str, ...], until: datetime
    ) -> Iterator[tuple[PastProduct, Policy | None, list[Announcement]]]:
        """Those that are meant, as they were at `until`: what was said later is not read."""
        total = len(self.ledger.streams())
        with closing(self.ledger.scan(types)) as products:
            for done, (key, said) in enumerate(products, 1):
                events = [event for event in said if event.at <= until]
                past = PastProduct.of(key, events)
                policy = self.policy(past.policy_digest)
                known = policy.policy if policy else past.policy_digest
                if past.started_at is not None and self.meant.fits(past, known):
                    yield past, policy, events
                self.progress(done, total)

    def policy(self, digest: str) -> Policy | None:
        """A policy by its digest, read once; None where this ledger does not have it."""
        if digest not in self._policies:
            try:
                self._policies[digest] = self.ledger.documents.read_policy(digest)
            except DocumentUnknown:
                self._policies[digest] = None
        return self._policies[digest]


def portfolio(
    ledger: Ledger, meant: Meant, now: datetime, progress: Progress = _silent
) -> Portfolio:
    """Where the products stand at `now`. What the record cannot tell of one is in `missing`.

    Raises LedgerError.
    """
    rows: list[PortfolioRow] = []
    missing: list[Missing] = []
    record = _Record(ledger, meant, progress)
    for past, policy, events in record.read((*PRODUCT_EVENTS, *GOAL_EVENTS), now):
        try:
            if policy is None:
                raise ValueError(f"policy {past.policy_digest} is not in this ledger")
            rows.append(row_of(past, PastGoals(past, policy, events), policy, now))
        except ValueError as error:
            missing.append(Missing(key=past.key, why=" ".join(str(error).split())))
    return portfolio_of(now, rows, missing)


def slo(
    ledger: Ledger, meant: Meant, since: datetime, until: datetime, progress: Progress = _silent
) -> Slo:
    """How long things took from `since` to `until`. Raises LedgerError."""
    tally = Tally(since, until)
    for past, policy, _ in _Record(ledger, meant, progress).read(PRODUCT_EVENTS, until):
        tally.add(past, policy.policy if policy else past.policy_digest)
    return tally.report()
