"""`phasegate policy diff`: what two policies ask differently. No server is asked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from commands.options import Output

if TYPE_CHECKING:
    from commands.output import Block
    from phasegate.policy_diff import PolicyDiff

Reference = Annotated[
    str, Parameter(help="A policy: NAME, NAME@VERSION, the digest of a published one, or a FILE")
]


def diff(old: Reference, new: Reference, /, *, output: Output = "table") -> None:
    """What differs between two policies in what they mean.

    Files are compared as they are read: a default that is written out is no difference, nor is the
    order of what has none. Exit code 0, whether they differ or not.
    """
    from client.known_policies import find_one_policy
    from client.settings import Settings
    from commands.output import emit, note
    from ledger import Ledger
    from phasegate.policy_diff import diff_policies

    ledger = Ledger(Settings.load().ledger_url)
    before, after = find_one_policy(old, ledger).model, find_one_policy(new, ledger).model
    found = diff_policies(before, after)
    found.old_digest = ledger.documents.digest_of("policy", before.policy, before)
    found.new_digest = ledger.documents.digest_of("policy", after.policy, after)
    emit(found, lambda: diff_blocks(found), output)
    if found.same:
        note("no difference in what they mean")
    for was, now in found.phases.items():
        who = "--as WHO --reason WHY --dry-run"
        note(f"hint: phasegate policy migrate {new} --phase {was}={now} {who}  # if it was renamed")


def diff_blocks(found: PolicyDiff) -> Iterable[Block]:
    """One line for each difference."""
    from commands.output import Fields, dense

    yield Fields([("old", found.old), ("new", found.new)])
    yield dense(
        ("change", "of", "where", "what"),
        [(change.change, change.what, change.where, change.text) for change in found.changes],
        "Differences",
    )
