"""What can go wrong with the ledger.

LedgerError              the ledger cannot be opened, read or written
├── ChainBroken          a product's stream is not what was written
└── DocumentUnknown      no document of that digest was published here
"""

from __future__ import annotations

from phasegate.errors import PhasegateError


class LedgerError(PhasegateError):
    """The ledger cannot be opened, read or written."""


class ChainBroken(LedgerError):
    """A product's stream does not hold from `seq` on: somebody or something changed it."""

    def __init__(self, product: str, seq: int, why: str) -> None:
        super().__init__(
            f"the record of {product} is broken at entry {seq}",
            why,
            "keep the database as it is, and compare it with an export or a backup",
        )
        self.product = product
        self.seq = seq


class DocumentUnknown(LedgerError):
    """No document of that digest was published here."""
