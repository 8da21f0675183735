"""Opening a round: who may vote, by when, and what the criteria say."""

from __future__ import annotations

from temporalio import activity

from activities.errors import DIRECTORY_UNKNOWN, failure, ledger_errors
from ledger import Ledger
from phasegate import ports
from phasegate.criteria import judged_by_milestone
from phasegate.directory import Directory
from phasegate.expressions import evaluate
from phasegate.gate import Criterion
from phasegate.seats import seated


class ConveneActivities:
    """Answers depend on the request and the current directory alone, never on the clock."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    @activity.defn(name=ports.CONVENE)
    def convene(self, request: ports.ConveneRequest) -> ports.Convened:
        """The slice of the directory a round needs, its instants and its criteria.

        Errors: directory-unknown and ledger-unavailable (both retried).
        """
        digest, directory = self._directory(request.directory)
        clocks, opened = request.gate.clocks, request.opened_at
        respond_due = clocks.respond.after(opened)
        reminders = {span.before(respond_due) for span in clocks.remind}
        return ports.Convened(
            directory_digest=digest,
            members=_members(request, directory),
            respond_due=respond_due,
            resolve_due=clocks.resolve.after(opened),
            remind_at=sorted(instant for instant in reminders if instant > opened),
            criteria=[_judge(criterion, request) for criterion in request.gate.criteria],
        )

    def _directory(self, name: str) -> tuple[str, Directory]:
        with ledger_errors(unknown=DIRECTORY_UNKNOWN):
            current = self._ledger.documents.current("directory", name)
            if current is None:
                raise failure(
                    DIRECTORY_UNKNOWN,
                    f"there is no directory {name}",
                    "none of that name was published to this ledger",
                    "run phasegate directory publish FILE; the gate opens by itself",
                )
            return current.digest, self._ledger.documents.read_directory(current.digest)


def _members(request: ports.ConveneRequest, directory: Directory) -> dict[str, tuple[str, ...]]:
    """The members of every group that has a say at this tier; narrowed, never widened."""
    groups = {
        group
        for requirement in request.gate.requires
        if not requirement.tiers or request.tier in requirement.tiers
        for group in requirement.groups
    }
    return seated(groups, directory, request.narrowed)


def _judge(criterion: Criterion, request: ports.ConveneRequest) -> ports.CriterionFinding:
    state, why = "judged", ""
    if criterion.milestone:
        known = request.milestones.get(criterion.milestone)
        state, why = judged_by_milestone(criterion.milestone, known)
    elif criterion.expression:
        truth = evaluate(criterion.expression, {"product": request.definition})
        state = "met" if truth.met else "unmet"
        why = truth.problem or f"{criterion.expression} is {'true' if truth.met else 'false'}"
    return ports.CriterionFinding(
        id=criterion.id, kind=criterion.kind, text=criterion.text, state=state, why=why
    )
