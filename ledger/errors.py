"""What can go wrong with the ledger, beside a chain that is broken (phasegate.chain).

LedgerError              the ledger cannot be opened, read or written
└── DocumentUnknown      no document of that digest was published here
"""

from __future__ import annotations

from phasegate.errors import PhasegateError


class LedgerError(PhasegateError):
    """The ledger cannot be opened, read or written."""


class DocumentUnknown(LedgerError):
    """No document of that digest was published here."""
