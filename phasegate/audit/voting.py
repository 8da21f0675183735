"""The votes of a round as its events tell of them, and as its decision counted them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from phasegate.audit.context import Place
from phasegate.audit.telling import Told
from phasegate.casting import ADVICE, CHANGED_TEXT_KEPT, VOTES_KEPT
from phasegate.views import VoteView
from phasegate.votes import Vote

VOTES = ("gate.vote", "gate.advice")


@dataclass
class Cast:
    """A vote that was announced, and what became of it by what was announced later."""

    said: Told
    approver: str
    on_behalf_of: str | None
    vote: Vote
    step: int
    ended: str = ""
    """How it ceased to stand: changed, withdrawn or voided."""
    maybe: set[str] = field(default_factory=set)
    """How it may have ceased: what says so does not name the vote."""

    @property
    def holder(self) -> str:
        return self.on_behalf_of or self.approver


def cast_of(said: Told) -> Cast | None:
    """None where it does not have what a vote has."""
    step, voice = said.data.get("step"), said.data.get("on_behalf_of")
    try:
        vote = Vote(said.text("vote"))
    except ValueError:
        return None
    if not isinstance(step, int) or not (voice is None or isinstance(voice, str)):
        return None
    return Cast(said, said.actor, voice, vote, step)


def play(place: Place, events: Sequence[Told]) -> list[Cast]:
    """Take the votes, and what ends them, in the order of the record."""
    casts: list[Cast] = []
    for said in events:
        standing = [cast for cast in casts if not cast.ended]
        if said.type in VOTES and not said.shortened:
            cast = cast_of(said)
            if cast is None:
                place.fault(said, "it is no vote: its word or its step cannot be read")
                continue
            for earlier in standing:
                if (earlier.holder, earlier.step) == (cast.holder, cast.step):
                    earlier.ended = "changed"
            casts.append(cast)
        elif said.type == "gate.withdrawn" and not said.shortened:
            _withdraw(place, said, standing)
        else:
            _void(said, standing)
    return casts


def _withdraw(place: Place, said: Told, standing: Sequence[Cast]) -> None:
    """The latest that somebody cast, or that was cast for them."""
    whose = said.data.get("on_behalf_of")
    for cast in reversed(standing):
        if said.actor in (cast.approver, cast.holder) and whose in (None, cast.holder):
            cast.ended = "withdrawn"
            return
    place.differ(said, f"{said.actor} withdraws a vote, and none of theirs stands", said.actor)


def _void(said: Told, standing: Sequence[Cast]) -> None:
    """News of the product, or of keys, names the holders whose votes are void, not which."""
    voided = said.data.get("voided")
    for cast in standing:
        stays = said.type == "gate.changed" and cast.vote.is_no
        if isinstance(voided, list) and cast.holder in voided and not stays:
            cast.maybe.add("voided")
        if said.type == "gate.resubmitted" and said.actor in (cast.holder, cast.approver):
            cast.maybe.add("voided")  # who submits it has a hand in it


def compare(place: Place, end: Told, casts: Sequence[Cast], counted: Sequence[VoteView]) -> None:
    """The votes of a decision are those that were announced, and stand where nothing ended them."""
    left = list(casts)
    for view in counted:
        cast = _match(left, view)
        if cast is None:
            place.differ(
                end,
                f"it has a vote of {view.approver} ({view.vote}{_for(view)}), "
                "and the record has no such vote",
                view.approver,
            )
            continue
        left.remove(cast)
        _compare_state(place, cast, view)
        _compare_words(place, cast, view)
    may_be_forgotten = _many(casts)
    for cast in left:
        if not (may_be_forgotten and (cast.ended or cast.maybe)):
            place.differ(
                cast.said,
                f"{cast.approver}'s {cast.vote} is not among the votes of the decision",
                cast.approver,
            )


def _many(casts: Sequence[Cast]) -> bool:
    """Whether a round kept all of them: of those that stand no more it forgets the oldest."""
    text = sum(len(str(cast.said.data).encode()) for cast in casts)
    return len(casts) > VOTES_KEPT or text > CHANGED_TEXT_KEPT


def _match(left: Sequence[Cast], view: VoteView) -> Cast | None:
    """The same vote; of several the one of the same instant, since a retry keeps the first."""
    same = [
        cast
        for cast in left
        if (cast.approver, cast.on_behalf_of, cast.vote.value, cast.step)
        == (view.approver, view.on_behalf_of, view.vote, view.step)
    ]
    timely = [cast for cast in same if cast.said.at == view.at]
    return next(iter([*timely, *same]), None)


def _compare_state(place: Place, cast: Cast, view: VoteView) -> None:
    if view.state == "standing":
        if cast.ended:
            text = f"{cast.approver}'s {cast.vote} counts, and was {cast.ended} before"
            place.differ(cast.said, text, cast.approver)
    elif view.state != cast.ended and view.state not in cast.maybe:
        how = f"it was {cast.ended}" if cast.ended else "nothing in the record ended it"
        text = f"{cast.approver}'s {cast.vote} is {view.state} in the decision, and {how}"
        place.differ(cast.said, text, cast.approver)


def _compare_words(place: Place, cast: Cast, view: VoteView) -> None:
    data = cast.said.data
    if view.state != "standing" or cast.said.erased:
        return
    for name, shown in (
        ("comment", view.comment),
        ("revision", view.revision),
        ("scores", view.scores),
        ("assurance", view.assurance),
    ):
        if name in data and data[name] != shown:
            text = f"the {name} of {cast.approver}'s vote is another in the decision"
            place.differ(cast.said, text, cast.approver)
    promised = data.get("conditions")
    if isinstance(promised, list):
        texts = [p.get("text") for p in promised if isinstance(p, dict)]
        if texts != view.conditions:
            text = f"the conditions of {cast.approver}'s vote are others in the decision"
            place.differ(cast.said, text, cast.approver)


def standing(counted: Sequence[VoteView]) -> list[VoteView]:
    """Those that decide."""
    return [view for view in counted if view.state == "standing" and view.step != ADVICE]


def _for(view: VoteView) -> str:
    return f" for {view.on_behalf_of}" if view.on_behalf_of else ""
