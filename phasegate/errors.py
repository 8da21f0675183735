"""What can go wrong, as one tree.

PhasegateError
├── DocumentError      a policy, product or directory file is wrong (phasegate.reading)
├── Refusal            the engine does not take what somebody asked
│   ├── Rejected       malformed, stale, duplicate or late: leaves no trace in histories
│   └── Forbidden      the person may not do this: the attempt is recorded
├── LedgerError        the ledger cannot be used, or does not add up (ledger.errors)
└── EngineError        the engine could not be asked (phasegate client: no server …)
        └── NotRunning     what was asked never started, or has ended
"""

from __future__ import annotations


class PhasegateError(Exception):
    """Says what went wrong, why, and what to do next."""

    def __init__(self, what: str, why: str = "", hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.what}: {self.why}" if self.why else self.what


class Refusal(PhasegateError):
    """Refused by the rules. `code` is stable: scripts and metrics may rely on it."""

    def __init__(self, code: str, what: str, why: str = "", hint: str = "") -> None:
        super().__init__(what, why, hint)
        self.code = code


class Rejected(Refusal):
    """Malformed, stale, duplicate or late: nothing enters the history."""


class Forbidden(Refusal):
    """Not this person's to do: the attempt is kept with the gate or product."""


class EngineError(PhasegateError):
    """The engine could not be asked, or gave no answer."""


class NotRunning(EngineError):
    """The workflow asked never started, or Temporal no longer has it running."""
