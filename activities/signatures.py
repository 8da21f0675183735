"""Whether somebody signed what they said."""

from __future__ import annotations

from temporalio import activity

from activities.directories import current_directory
from activities.errors import DIRECTORY_UNKNOWN, KEYGEN_UNUSABLE, failure, ledger_errors
from integrations.ssh_keygen import KeygenError, verify
from ledger import Ledger
from phasegate import ports


class SignatureActivities:
    """Answers depend on the question and on the directory that it names."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    @activity.defn(name=ports.VERIFY_SIGNATURE)
    def verify_signature(self, query: ports.SignatureQuery) -> ports.SignatureFinding:
        """Ask ssh-keygen, with the keys that the directory has of this person.

        Errors, all retried: directory-unknown, ledger-unavailable and keygen-unusable.
        """
        digest = query.directory_digest
        if digest:
            with ledger_errors(unknown=DIRECTORY_UNKNOWN):
                directory = self._ledger.documents.read_directory(digest)
        else:
            digest, directory = current_directory(self._ledger, query.directory)
        known = directory.people.get(query.person)
        try:
            found = verify(
                known.keys if known else (),
                query.person,
                query.statement,
                query.signature,
                at=query.at,
                signed_at=query.signed_at,
            )
        except KeygenError as error:
            raise failure(KEYGEN_UNUSABLE, error.what, error.why, error.hint) from None
        return found.model_copy(update={"directory": digest})
