"""One round of a gate, derived again from what was said in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import ValidationError

from phasegate.assembly import Reassignment
from phasegate.audit import decision, rights, voting
from phasegate.audit.context import Context, Place
from phasegate.audit.past import Past
from phasegate.audit.seating import Asking, Mandates, assembly
from phasegate.audit.telling import Telling, Told
from phasegate.casting import ADVICE, CastVote
from phasegate.directory import Directory
from phasegate.gate import Gate
from phasegate.grounds import Grounds
from phasegate.policy import Policy
from phasegate.seats import Step, in_force
from phasegate.views import GateView, VoteView
from phasegate.votes import Vote


@dataclass
class Sitting:
    """A round, and what is found out of it on the way."""

    place: Place
    telling: Telling
    past: Past
    gate: Gate | None = None
    policy: Policy | None = None
    view: GateView | None = None
    grounds: Grounds | None = None
    given: list[Reassignment] = field(default_factory=list)
    mandates: Mandates = field(default_factory=Mandates)
    groups: dict[int, tuple[str, ...]] = field(default_factory=dict)
    """By the number of the entry: the groups that gave a vote its seat."""

    @property
    def context(self) -> Context:
        return self.place.context

    @property
    def opened(self) -> Told | None:
        return next(iter(reversed(self.telling.of("gate.opened"))), None)


def derive(context: Context, key: tuple[str, int], telling: Telling, past: Past) -> Sitting:
    """Check everything that a round said; findings go to the context."""
    place = Place(context, key[0], key[1], telling.broken_off())
    sitting = Sitting(place, telling, past)
    if not _found_gate(sitting):
        return sitting
    if telling.shortened:
        place.doubt = (
            place.doubt or "the ledger was down, and of some entries only the text is left"
        )
        first = next(said for said in telling.said if said.shortened)
        place.unchecked(first.seq, "the ledger was down so long that only texts were kept")
    _read_end(sitting)
    _walk(sitting)
    casts = voting.play(place, telling.said if telling.end is None else _until_end(telling))
    context.report.votes += len(casts)
    if sitting.view is not None and telling.end is not None:
        voting.compare(place, telling.end, casts, sitting.view.votes)
        rights.compare_refusals(place, telling, telling.end, sitting.view)
        if telling.end.type == "gate.decided":
            context.report.rounds += 1
            decision.check(sitting_facts(sitting, casts), telling.end)
    context.report.refusals += len(telling.of("gate.refused"))
    return sitting


def _until_end(telling: Telling) -> list[Told]:
    assert telling.end is not None
    return [said for said in telling.said if said.seq <= telling.end.seq]


def sitting_facts(sitting: Sitting, casts: Sequence[voting.Cast]) -> decision.Facts:
    """What a decision is judged on."""
    assert sitting.gate is not None
    assert sitting.view is not None
    return decision.Facts(
        place=sitting.place,
        gate=sitting.gate,
        view=sitting.view,
        grounds=sitting.grounds,
        past=sitting.past,
        telling=sitting.telling,
        given=sitting.given,
        acting=[to for to, _, _ in sitting.mandates.given.values()],
        votes=[_counted(view, casts, sitting) for view in voting.standing(sitting.view.votes)],
    )


def _counted(view: VoteView, casts: Sequence[voting.Cast], sitting: Sitting) -> CastVote:
    """A vote that was counted, with the groups that gave it its seat."""
    holder = view.on_behalf_of or view.approver
    mine = [
        c for c in casts if (c.approver, c.holder, c.step) == (view.approver, holder, view.step)
    ]
    return CastVote(
        approver=view.approver,
        on_behalf_of=view.on_behalf_of,
        vote=Vote(view.vote),
        at=view.at,
        step=view.step,
        revision=view.revision,
        scores=view.scores,
        channel=view.channel,
        groups=sitting.groups.get(mine[-1].said.seq, ()) if mine else (),
    )


# -- what it is held under ------------------------------------------------------------------------


def _found_gate(sitting: Sitting) -> bool:
    """The gate as the policy has it that the product was under."""
    place, first = sitting.place, sitting.telling.said[0]
    digest = sitting.past.policy_at(first.at)
    sitting.policy = place.context.library.policy(digest) if digest else None
    if sitting.policy is None:
        place.unchecked(first.seq, f"the policy {digest or 'of the product'} is not in the record")
        return False
    for gate in sitting.policy.gates():
        if gate.id == place.gate:
            sitting.gate = gate
            return True
    place.fault(first, f"the policy {sitting.policy.policy} ({digest}) has no gate {place.gate}")
    return False


def _read_end(sitting: Sitting) -> None:
    end, place = sitting.telling.end, sitting.place
    if end is None:
        return
    try:
        sitting.view = GateView.model_validate(end.data.get("view"))
        if end.type == "gate.decided" and end.data.get("grounds") is not None:
            sitting.grounds = Grounds.model_validate(end.data["grounds"])
    except ValidationError as error:
        place.fault(end, f"how the round ended cannot be read: {_first(error)}")
        return
    view = sitting.view
    if (view.product, view.gate, view.round) != (place.context.product, place.gate, place.round):
        place.fault(end, "the view of its end is that of another round")
    if view.policy_digest and view.policy_digest != sitting.past.policy_at(end.at):
        place.fault(end, f"it was decided under {view.policy_digest}, which is not its policy")
    if end.type == "gate.decided" and (
        view.outcome != end.data.get("outcome") or view.decided_at is None
    ):
        place.fault(end, "its outcome and the view of it are not the same")


def _first(error: ValidationError) -> str:
    found = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, found['loc']))}: {found['msg']}"


# -- what was said in it --------------------------------------------------------------------------


def _walk(sitting: Sitting) -> None:
    """Each event by itself: who said it, by which right, and in its turn."""
    place, last = sitting.place, None
    revision = ""
    for said in sitting.telling.said:
        if last is not None and said.at < last.at:
            place.differ(said, "it was said before the entry that precedes it in its round")
        last = said
        if said.shortened:
            continue
        claimed = {"gate": said.data.get("gate"), "round": said.data.get("round")}
        if claimed != {"gate": place.gate, "round": place.round}:
            place.fault(said, "it names another round than the one that says it")
        if said.type in ("gate.opened", "gate.changed"):
            revision = said.text("revision") or revision
        rights.check_signature(place, sitting.gate, said, sitting.past)
        match said.type:
            case "gate.vote" | "gate.advice":
                if revision and said.data.get("revision") != revision:
                    text = f"{said.actor} votes on evidence {said.data.get('revision')}"
                    place.differ(said, f"{text}, and it was {revision}", said.actor)
                _check_voter(sitting, said)
            case "gate.delegated":
                _delegate(sitting, said)
            case "gate.reassigned":
                _reassign(sitting, said)
            case _:
                rights.check_right(place, sitting.gate, said, sitting.past)


def _delegate(sitting: Sitting, said: Told) -> None:
    to = said.data.get("to")
    if isinstance(to, str):
        start = said.instant("start") or said.at
        sitting.mandates.given[said.actor] = (to, start, said.instant("end"))
    else:
        sitting.mandates.given.pop(said.actor, None)


def _reassign(sitting: Sitting, said: Told) -> None:
    rights.check_reassigner(sitting.place, said, sitting.past)
    approver, to = said.text("approver"), said.text("to")
    gate, directory = sitting.gate, directory_at(sitting, said)
    if gate is None or directory is None:
        return
    members = _seats(sitting, said, directory)[1]
    voting_groups = {group for requirement in gate.requires for group in requirement.groups}
    groups = tuple(g for g, of in members.items() if g in voting_groups and approver in of)
    if not groups:
        text = f"{approver}'s seat is given to {to}, and {approver} sits in none of its groups"
        sitting.place.differ(said, text, approver)
    sitting.given.append(
        Reassignment(approver=approver, to=to, groups=groups, by=said.actor, reason="", at=said.at)
    )


def directory_at(sitting: Sitting, said: Told, *, exact: bool = False) -> Directory | None:
    """The directory by which the round seated people then. With `exact`, the one that the entry
    names: it may differ in who stands in for whom, and never in who sits."""
    digest = said.text("directory") if exact else ""
    if not digest:
        named = sitting.telling.before(said.seq, "gate.opened", "gate.seats")
        digest = next((one.text("directory_digest") for one in reversed(named)), "")
    found = sitting.context.directory(digest)
    if found is None:
        sitting.place.unchecked(said.seq, f"the directory {digest or '?'} is not in the record")
    elif found.directory != sitting.past.directory:
        text = f"the directory {digest} is {found.directory}, and not {sitting.past.directory}"
        sitting.place.fault(said, text)
    return found


def _seats(
    sitting: Sitting, said: Told, directory: Directory
) -> tuple[tuple[Step, ...], dict[str, tuple[str, ...]]]:
    """The steps and the members of groups at that moment, whoever was barred."""
    gate, place = sitting.gate, sitting.place
    assert gate is not None
    tier = sitting.past.tier_at(said.at)
    applying = sitting.grounds.applying if sitting.grounds else in_force(gate.requires, tier)
    people = assembly(
        Asking(gate, tier, tuple(i for i in applying if i < len(gate.requires)),
               sitting.past.narrowed(place.gate, _opened_at(sitting, said))),
        directory, {}, sitting.given, acting=[to for to, _, _ in sitting.mandates.given.values()],
    )  # fmt: skip
    return people.seats(), people.members()


def _opened_at(sitting: Sitting, said: Told) -> datetime:
    return sitting.opened.at if sitting.opened else said.at


def _check_voter(sitting: Sitting, said: Told) -> None:
    """Whoever votes sits there, or acts for somebody who does."""
    place, directory = sitting.place, directory_at(sitting, said)
    cast = voting.cast_of(said)
    if directory is None or cast is None or sitting.gate is None:
        return
    steps, members = _seats(sitting, said, directory)
    if cast.step == ADVICE:
        if not any(cast.holder in members.get(group, ()) for group in sitting.gate.reviewers):
            place.differ(
                said, f"{cast.holder} advises, and is in none of its reviewers", cast.holder
            )
        return
    step = next((step for step in steps if step.number == cast.step), None)
    if step is None or cast.holder not in step.people:
        text = f"{cast.holder} has a vote in step {cast.step}, and the directory gives them no seat"
        place.differ(said, text, cast.holder)
        return
    sitting.groups[said.seq] = tuple(sorted(step.people[cast.holder]))
    exact = directory_at(sitting, said, exact=True)
    if cast.approver != cast.holder and exact is not None:
        due = rights.first_due(sitting.telling, cast.holder, said.seq)
        if not sitting.mandates.may_act(cast.approver, cast.holder, said.at, exact, due):
            text = f"{cast.approver} votes for {cast.holder}, and nothing shows a mandate"
            place.differ(said, text, cast.approver)
