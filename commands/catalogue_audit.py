"""The verbs of `phasegate audit`."""

from __future__ import annotations

from commands.entries import Command, Noun

AUDIT = Noun(
    "The record, for those who ask years later",
    {
        "export": Command(
            "commands.audit:export",
            "Write the whole record of a product into one file",
            "phasegate audit export harbor-sync",
        ),
        "verify": Command(
            "commands.audit:verify",
            "Derive every outcome again, and name what does not add up",
            "phasegate audit verify harbor-sync.audit.zip --head heads.txt",
        ),
        "head": Command(
            "commands.audit:head",
            "Where a product's chain stands: keep it elsewhere",
            "phasegate audit head harbor-sync",
        ),
        "redact": Command(
            "commands.audit_redact:redact",
            "Take a person or a customer out of the record; the chain holds",
            "phasegate audit redact --all --person rita.olsen --reason 'erasure request 2028-17'"
            " \\\n    --as ines.duarte --dry-run",
        ),
    },
)
