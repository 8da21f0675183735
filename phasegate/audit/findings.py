"""What verifying finds: where something does not add up, what cannot be checked, what to know."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import Field

from phasegate.base import Wire
from phasegate.errors import PhasegateError

FindingKind = Literal["fault", "unchecked", "remark"]

Step = Literal["nothing", "documents", "chain", "heads", "outcomes"]
"""The steps of verifying, in order. Each rests on the one before it."""

STEPS: tuple[Step, ...] = get_args(Step)


class Finding(Wire):
    """Something about the record. A fault does not add up. What is unchecked may be one: the record
    does not tell. A remark is for people to know."""

    kind: FindingKind = "fault"
    seq: int = Field(0, description="the entry it is about; 0 for the record as a whole")
    gate: str = ""
    round: int | None = None
    person: str = ""
    text: str

    @property
    def place(self) -> str:
        """Where, for people."""
        found = [f"entry {self.seq}"] if self.seq else []
        if self.gate:
            found.append(f"round {self.round} of {self.gate}" if self.round else self.gate)
        return ", ".join(found) or "the record"


class Verified(Wire):
    """What was checked, and what was found. `ok` says that nothing speaks against the record, and
    only where nothing is `unchecked` that all of it was looked at."""

    schema_version: int = 1
    ok: bool
    product: str
    source: str = Field("", description="the file, or the ledger")
    seq: int = Field(0, description="how many entries the chain has")
    head: str = ""
    heads: int = Field(0, description="heads kept elsewhere that lie on the chain")
    reached: Step = Field(
        "outcomes",
        description="the last step that was gone through to its end; what later ones would count "
        "is 0 because nobody looked",
    )
    entries: int = 0
    documents: int = 0
    rounds: int = Field(0, description="decided rounds")
    derived: int = Field(0, description="of these, those whose outcome follows from the votes")
    overridden: int = Field(0, description="of these, those that somebody decided by permission")
    votes: int = 0
    refusals: int = 0
    signatures: int = 0
    histories: int = 0
    erased: int = Field(0, description="entries of which words were erased")
    fault: Finding | None = None
    more_faults: int = 0
    unchecked: list[Finding] = []
    remarks: list[Finding] = []


class DoesNotAddUp(PhasegateError):
    """The record does not add up; `found` is the first thing that does not."""

    def __init__(self, product: str, found: Finding) -> None:
        super().__init__(
            f"the record of {product} does not add up at {found.place}",
            found.text,
            "keep the file and the ledger as they are, and compare them with another copy",
        )
        self.found = found
