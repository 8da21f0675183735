"""One round of a gate, derived again from what was said in it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from pydantic import ValidationError

from phasegate.audit import decision, rights, voting
from phasegate.audit.context import Context, Place
from phasegate.audit.decided import Facts
from phasegate.audit.past import Past
from phasegate.audit.signatures import check_signature, signed_when
from phasegate.audit.sitting import Sitting, check_attester, check_voter, delegate, reassign
from phasegate.audit.telling import Telling, Told
from phasegate.casting import CastVote
from phasegate.grounds import Grounds
from phasegate.views import GateView, VoteView
from phasegate.votes import Vote

_MOMENT = timedelta(microseconds=1)


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
    for again in telling.of("gate.decided")[1:]:
        place.differ(again, "the round is decided a second time")
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


def sitting_facts(sitting: Sitting, casts: Sequence[voting.Cast]) -> Facts:
    """What a decision is judged on."""
    assert sitting.gate is not None
    assert sitting.view is not None
    return Facts(
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
    digest = sitting.past.policy_of(place.gate, place.round, first.at)
    sitting.policy = place.context.documents.policy(digest) if digest else None
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
    first = sitting.telling.said[0]
    digest = sitting.past.policy_of(place.gate, place.round, first.at)
    if view.policy_digest and view.policy_digest != digest:
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
    signers: set[str] = set()
    newest: dict[str, datetime] = {}
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
        assert sitting.gate is not None
        check_signature(place, sitting.gate, said, sitting.past, signers)
        if "signed" in said.data:
            signers.add(said.actor)
        if when := signed_when(said):
            if when <= newest.get(said.actor, when - _MOMENT):
                text = f"{said.actor} had signed something later before"
                place.differ(said, text, said.actor)
            newest[said.actor] = when
        match said.type:
            case "gate.vote" | "gate.advice":
                if revision and said.data.get("revision") != revision:
                    text = f"{said.actor} votes on evidence {said.data.get('revision')}"
                    place.differ(said, f"{text}, and it was {revision}", said.actor)
                check_voter(sitting, said)
            case "gate.attested":
                check_attester(sitting, said)
            case "gate.delegated":
                delegate(sitting, said)
            case "gate.reassigned":
                reassign(sitting, said)
            case _:
                rights.check_right(place, said, sitting.past)
