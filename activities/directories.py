"""The directory that is current, for the activities that ask who somebody is."""

from __future__ import annotations

from activities.errors import DIRECTORY_UNKNOWN, failure, ledger_errors
from ledger import Ledger
from phasegate.directory import Directory


def current_directory(ledger: Ledger, name: str) -> tuple[str, Directory]:
    """The current directory of that name, and its digest.

    Errors, all retried: directory-unknown and ledger-unavailable.
    """
    with ledger_errors(unknown=DIRECTORY_UNKNOWN):
        current = ledger.documents.current("directory", name)
        if current is None:
            raise failure(
                DIRECTORY_UNKNOWN,
                f"there is no directory {name}",
                "none of that name was published to this ledger",
                "run phasegate directory publish FILE --as WHO; the gate opens by itself",
            )
        return current.digest, ledger.documents.read_directory(current.digest)
