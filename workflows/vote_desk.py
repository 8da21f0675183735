"""What a round takes from voters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from temporalio import workflow
from temporalio.common import RawValue

with workflow.unsafe.imports_passed_through():
    from phasegate.admission import Seat, admit, check_vote, vote_of
    from phasegate.base import Wire
    from phasegate.casting import ADVICE
    from phasegate.errors import Forbidden, Refusal, Rejected
    from phasegate.events import Outbox
    from phasegate.requests import Receipt, VoteRequest
    from phasegate.requirement_view import open_step
    from phasegate.review import Round
    from phasegate.signed_words import demand_of, require_named_seat, require_still
    from phasegate.signing import Action, Signable, Signed
    from workflows.bookkeeping import Books
    from workflows.refusing import NO_INPUT, VOTE, as_failure, count_refusal, read_signal
    from workflows.round_measures import measure_vote
    from workflows.signature_desk import kept, signature_of


class ReviewStart(Wire):
    """What a round starts with, and what it carries across continue-as-new."""

    round: Round
    outbox: Outbox
    reports_to: str
    token: str
    opener_renewed: bool = False
    """The opener is in a later run than the one that started us: it does not see us complete."""


class VoteDesk:
    """Votes by Update and by signal, through one door; every refusal is recorded or counted."""

    id: str
    start: ReviewStart
    round: Round
    books: Books

    def settle(self) -> bool:
        raise NotImplementedError

    def publish(self) -> None:
        raise NotImplementedError

    @workflow.update(name="vote")
    async def vote(self, request: VoteRequest) -> Receipt:
        """Vote on the open round. The answer says whether the vote counts."""
        try:
            return await self._take(request, channel="update")
        except Refusal as refusal:
            if isinstance(refusal, Rejected):  # what is forbidden was recorded, and counted so
                count_refusal(refusal)
            raise as_failure(refusal) from None

    @vote.validator
    def _check_vote(self, request: VoteRequest) -> None:
        if request.key in self.round.handled:
            return  # a retry is answered again, not refused
        try:
            check_vote(self.round, request)
            if self.round.convened is not None:
                require_named_seat(self.round, request, admit(self.round, request, workflow.now()))
        except Forbidden:
            pass  # accepted, so that the attempt is recorded
        except Refusal as refusal:
            count_refusal(refusal)
            raise as_failure(refusal) from None

    @workflow.signal(name="vote", description="Vote: {approver, vote, comment}")
    async def vote_signal(self, raw: RawValue = NO_INPUT) -> None:
        """The same vote as a signal: for the Temporal UI and `temporal workflow signal`."""
        actor = "unknown"
        try:
            request = read_signal(raw, VoteRequest, hint=VOTE, request_id=str(workflow.uuid4()))
            actor = request.approver
            await self._take(request, channel="signal")
        except Forbidden:
            pass  # recorded where it was refused
        except Refusal as refusal:
            self.record(actor, refusal, channel="signal")

    @workflow.signal(dynamic=True)
    async def unknown_signal(self, name: str, args: Sequence[RawValue]) -> None:
        """A signal this workflow does not have: recorded, since Temporal took it without a word."""
        refusal = Rejected(
            "unknown-signal", f"a signal named {name[:80]}", "gates take: vote", VOTE
        )
        self.record("unknown", refusal, channel="signal")

    async def _take(self, request: VoteRequest, *, channel: str) -> Receipt:
        state = self.round
        await self.convened()
        if known := state.handled.get(request.key):
            return known
        try:
            seat = self._seat(request)
            signed = await self.signature("vote", request.approver, request, channel)
            if signed is not None:  # the world went on while it was checked
                if known := state.handled.get(request.key):
                    return known
                seat = self._seat(request)
                require_still(state, request.approver, request, signed, workflow.now())
                self.hear_signed(request.approver, request)
        except Forbidden as refusal:
            self.record(request.approver, refusal, channel=channel)
            raise
        now = workflow.now()
        vote = vote_of(state, request, seat, now, channel, signed)
        measure_vote(state, vote, seat, now)
        state.ballots.cast(vote)
        whose = f" for {vote.on_behalf_of}" if vote.on_behalf_of else ""
        kind = "advises" if seat.step == ADVICE else "votes"
        with self.books.answering(request.key):
            self.say(
                "gate.advice" if seat.step == ADVICE else "gate.vote",
                f"{vote.approver} {kind} {vote.vote}{whose} on {state.gate.id}",
                actor=vote.approver,
                on_behalf_of=vote.on_behalf_of,
                vote=vote.vote.value,
                comment=vote.comment,
                scores=vote.scores,
                revision=vote.revision,
                step=vote.step,
                channel=channel,
                directory=state.convened.directory_digest if state.convened else "",
                assurance=vote.assurance,
                conditions=[promise.model_dump(mode="json") for promise in vote.conditions],
                request_id=request.request_id,
                **kept(signed),
            )
            self.settle()
        counts = "is advice, and counts for nothing" if seat.step == ADVICE else "counts"
        return self.answer(request.key, f"{vote.approver}'s {vote.vote}{whose} {counts}")

    def _seat(self, request: VoteRequest) -> Seat:
        """Where it counts, as things are now. Raises Rejected, and Forbidden, which is recorded."""
        check_vote(self.round, request)
        seat = admit(self.round, request, workflow.now())
        require_named_seat(self.round, request, seat)
        return seat

    async def signature(
        self, action: Action, actor: str, request: Signable, channel: str = "update"
    ) -> Signed | None:
        """The signature on it; None where it has none and needs none. Whoever gets one checks again
        what they have asked for: the world went on while it was checked."""
        while True:
            demand = demand_of(self.round, actor)
            signed = await signature_of(demand, action, actor, request, channel)
            if signed is None or demand_of(self.round, actor).same_directory(demand):
                return signed

    def hear_signed(self, actor: str, request: Signable) -> None:
        """Somebody has signed something here that was taken."""
        assert request.signed_at is not None
        self.round.signed_at[actor] = request.signed_at

    async def convened(self) -> None:
        """Wait until the round knows who may vote."""
        state = self.round
        await workflow.wait_condition(lambda: state.convened is not None or state.closed)

    def answer(self, key: str, text: str) -> Receipt:
        """What the caller hears; kept for retries of the same command."""
        state = self.round
        text += f"; the gate decides {state.outcome}" if state.outcome else f"; {self._waiting()}"
        receipt = Receipt(
            workflow_id=self.id,
            text=text,
            status=state.status,
            outcome=state.outcome,
            round=state.round,
            revision=state.revision,
        )
        state.remember(key, receipt)
        return receipt

    def _waiting(self) -> str:
        state = self.round
        if state.work:
            return f"it waits for {state.product.owner} to submit it again"
        if state.convened is None:
            return "the round is being convened"
        return state.verdict(workflow.now()).why

    def record(self, actor: str, refusal: Refusal, *, channel: str) -> None:
        """Count a refusal, and keep it with the round."""
        count_refusal(refusal)
        if self.round.refuse(actor, refusal, now=workflow.now(), channel=channel):
            self.say(
                "gate.refused",
                f"{refusal.what}: {refusal.why}",
                actor=actor,
                code=refusal.code,
                hint=refusal.hint,
                channel=channel,
            )
        self.publish()

    def dates(self, people: Iterable[str] | None = None) -> dict[str, str]:
        """By when each of these has to answer, those whose day is known; everybody if None."""
        table = self.round.clocks.timetable
        due = table.respond if table else {}
        wanted = due if people is None else people
        return {person: due[person].isoformat() for person in wanted if person in due}

    def groups(self, people: Iterable[str]) -> dict[str, list[str]]:
        """In which groups these sit in the open step; who does not sit there is left out."""
        sit = open_step(self.round, self.round.verdict(workflow.now())).people
        return {person: sorted(sit[person]) for person in people if person in sit}

    def say(self, type: str, text: str, *, actor: str = "", **data: object) -> None:
        state = self.round
        place: dict[str, object] = {"gate": state.gate.id, "round": state.round}
        if state.gate.assurance == "signed":  # letters say how it is answered
            place["assurance"] = "signed"
        self.books.announce(type, text, actor=actor, **{**place, **data})
