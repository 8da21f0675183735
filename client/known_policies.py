"""Policies that are shipped and published: all of them, and the one that a word can only mean."""

from __future__ import annotations

import policies
from client.documents import find_policy
from client.usage import UsageError
from ledger import Ledger
from phasegate.base import Wire
from phasegate.policy import Policy
from phasegate.reading import Parsed


class PolicyRow(Wire):
    """A policy in a list."""

    schema_version: int = 1
    policy: str
    version: str
    title: str
    origin: str
    digest: str


def known_policies(ledger: Ledger) -> list[PolicyRow]:
    """The shipped policies, and every text that was published, the latest of a name first.

    Raises LedgerError.
    """
    rows = []
    published = ledger.documents.names("policy")
    for name in [*policies.names(), *(name for name in published if name not in policies.names())]:
        known = dict.fromkeys(
            each.digest for each in reversed(ledger.documents.history("policy", name))
        )
        if name in policies.names():
            shipped = find_policy(name, ledger).model
            digest = ledger.documents.digest_of("policy", name, shipped)
            known.pop(digest, None)
            rows.append(_row(shipped, "shipped", digest))
        rows += [_row(ledger.documents.read_policy(each), "published", each) for each in known]
    return rows


def find_one_policy(reference: str, ledger: Ledger) -> Parsed[Policy]:
    """Like find_policy, and raises UsageError for a name that may mean another version, too.

    For what compares versions: a shipped name means the policy of this release, and who published
    the next version under that name would mean that one.
    """
    found = find_policy(reference, ledger)
    if reference not in policies.names():
        return found
    shipped, documents = found.model.version, ledger.documents
    published = [
        documents.read_policy(each.digest).version
        for each in documents.history("policy", reference)
    ]
    if others := [each for each in dict.fromkeys(reversed(published)) if each != shipped]:
        raise UsageError(
            f"{reference} may mean more than one policy",
            f"version {shipped} is shipped, and published: {', '.join(others)}",
            f"say {reference}@{others[0]} or {reference}@{shipped}, or give the file; "
            "phasegate policy list",
        )
    return found


def _row(policy: Policy, origin: str, digest: str) -> PolicyRow:
    return PolicyRow(
        policy=policy.policy,
        version=policy.version,
        title=policy.title,
        origin=origin,
        digest=digest,
    )
