"""What a gate asks of a signature on what somebody says there, and what a good one leaves behind.

All of it is Forbidden, and so recorded: somebody spoke in a person's name and could not show that
they are that person. ssh-keygen's own finding comes from an activity (ports.VERIFY_SIGNATURE).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from phasegate.admission import Seat
from phasegate.errors import Forbidden, Rejected
from phasegate.ports import SignatureFinding, SignatureQuery
from phasegate.requests import VoteRequest
from phasegate.review import Round
from phasegate.signing import Action, Place, Signable, Signed, statement_of

AHEAD = timedelta(minutes=10)
"""How far the signer's clock may be ahead of ours, or behind where a round has just opened."""

BEHIND = timedelta(hours=24)
"""How long ago something may have been signed: what lies about unsent is not said any more."""

NOUNS: dict[Action, str] = {
    "vote": "vote",
    "withdraw": "withdrawal",
    "delegate": "delegation",
    "reassign": "reassignment",
    "attest": "attestation",
    "needs_work": "request for work",
    "extend": "extension",
    "override": "override",
}
"""What people call it."""

NAMING_EVIDENCE = ("vote", "attest")
"""Actions of which the request names the evidence that was seen."""


@dataclass(frozen=True)
class Demand:
    """What is known of the place where somebody speaks.

    `required` says that nothing counts there without a signature, `since` is when it opened,
    `newest` when this person last signed something there.
    """

    place: Place
    required: bool
    since: datetime | None
    newest: datetime | None = None
    directory_digest: str = ""
    directory: str = ""

    def same_directory(self, other: Demand) -> bool:
        """Whether a signature that was checked there is checked here, too."""
        return self.directory_digest == other.directory_digest

    @property
    def what(self) -> str:
        return f"{self.place.gate} of {self.place.product}"

    @property
    def show(self) -> str:
        return f"phasegate gate show {self.place.product}/{self.place.gate}"

    def again(self, request: Signable) -> str:
        """How it is said with a signature."""
        if not isinstance(request, VoteRequest):
            return f"{self.show}  # then say the same again, with --sign"
        seat = f" --for {request.on_behalf_of}" if request.on_behalf_of else ""
        place = f"{self.place.product}/{self.place.gate}"
        who = f"--as {request.approver}"
        return f"phasegate gate vote {place} {request.vote} {who}{seat} --sign"


def not_taken(demand: Demand, action: Action, actor: str) -> str:
    """What a refusal says first."""
    return f"{actor}'s {NOUNS[action]} on {demand.what} was not taken"


def demand_of(state: Round, actor: str) -> Demand:
    """What a round asks. Who signed something there goes on to: else anybody could take the
    signature away by saying the same, or something else, without one."""
    product, convened = state.product, state.convened
    return Demand(
        place=Place(
            product=product.key,
            gate=state.gate.id,
            round=state.round,
            policy=product.policy_digest,
        ),
        required=state.gate.assurance == "signed" or actor in state.signed_at,
        since=state.opened_at,
        newest=state.signed_at.get(actor),
        directory_digest=convened.directory_digest if convened else "",
        directory=product.directory,
    )


def require_named_seat(state: Round, request: VoteRequest, seat: Seat) -> None:
    """Raise Rejected where a signed vote fills a seat that it does not name: what is signed says
    for whom, and nobody else finds that out for the signer."""
    if request.signature is None or seat.holder == (request.on_behalf_of or request.approver):
        return
    raise Rejected(
        "for-whom",
        f"{request.approver}'s vote on {state.gate.id} of {state.product.key} was not taken",
        f"it would fill the seat of {seat.holder}, and was not signed for that",
        f"phasegate gate vote {state.product.key}/{state.gate.id} {request.vote} "
        f"--as {request.approver} --for {seat.holder} --sign",
    )


def asked_of(
    demand: Demand, action: Action, actor: str, request: Signable, channel: str, now: datetime
) -> SignatureQuery | None:
    """What to ask of a request's signature; None where it has none and needs none.

    Raises Forbidden, and Rejected for one that does not say what it was signed about.
    """
    if not demand.required and request.signature is None:
        return None
    said = not_taken(demand, action, actor)
    if channel != "update":
        why = "a signature has to be checked before anything counts, and a signal is not answered"
        raise Forbidden("signature-required", said, why, demand.again(request))
    if request.signature is None:
        why = f"nothing shows that {actor} says so: it has no signature, and needs one"
        raise Forbidden("unsigned", said, why, demand.again(request))
    check_time(demand, said, request, now)
    if action in NAMING_EVIDENCE and getattr(request, "revision", None) is None:
        why = "what is signed names the evidence that was seen"
        raise Rejected("no-revision", said, why, f"{demand.show}  # then sign with --revision")
    return SignatureQuery(
        directory_digest=demand.directory_digest,
        directory=demand.directory,
        person=actor,
        statement=statement_of(action, demand.place, request),
        signature=request.signature,
        at=now,
        signed_at=request.signed_at,
    )


def check_time(demand: Demand, said: str, request: Signable, now: datetime) -> None:
    """Raise Forbidden for what was signed at another time than that at which it is said.

    An older word than the last one is no word: who kept it could otherwise say it again once the
    round has forgotten that it was said.
    """
    at = request.signed_at
    if at is None:
        why = "what is signed says when it was signed"
        raise Forbidden("signed-at-another-time", said, why, demand.again(request))
    when = f"it was signed at {at:%Y-%m-%d %H:%M:%S} UTC"
    if at > now + AHEAD:
        why = f"{when}, which is yet to come; is the clock right where it was signed?"
        raise Forbidden("signed-at-another-time", said, why, demand.again(request))
    if at < now - BEHIND:
        why = f"{when}, more than {BEHIND // timedelta(hours=1)} hours ago"
        raise Forbidden("signed-at-another-time", said, why, demand.again(request))
    if demand.since and at < demand.since - AHEAD:
        why = f"{when}, before there was anything to say it to"
        raise Forbidden("signed-at-another-time", said, why, demand.again(request))
    if demand.newest and at <= demand.newest:
        why = f"{when}; what was signed after that, or then, was taken already"
        raise Forbidden("signed-earlier", said, why, demand.show)


def require_still(
    state: Round, actor: str, request: Signable, signed: Signed, now: datetime
) -> None:
    """Raise Forbidden where a signature has come to nothing while it was being checked: by a newer
    one of the same person, or since its key is revoked now. Raise Rejected where the round has read
    another directory since: it may say otherwise of the key."""
    demand = demand_of(state, actor)
    said = f"what {actor} signed on {demand.what} was not taken"
    check_time(demand, said, request, now)
    if state.convened and signed.key in state.convened.revoked:
        why = f"key {signed.key} was revoked while the signature was checked"
        hint = f"phasegate directory show {demand.directory}"
        raise Forbidden("revoked-key", said, why, hint)
    if state.convened and signed.directory != state.convened.directory_digest:
        why = "the gate has read another directory while the signature was checked"
        raise Rejected("changed-meanwhile", said, why, f"{demand.show}  # then say it again")


def require_same_place(demand: Demand, signed: Signed, request: Signable, now: datetime) -> None:
    """Raise Forbidden where what was signed is not about the place that is meant by now, or where a
    newer word was taken while the signature was checked."""
    what = f"what was signed on {demand.what} was not taken"
    check_time(demand, what, request, now)
    if statement_of("override", demand.place, request) != signed.statement:
        why = "it was signed about another round, or under another policy"
        raise Forbidden("bad-signature", what, why, demand.again(request))


def signed_by(
    demand: Demand,
    action: Action,
    request: Signable,
    query: SignatureQuery,
    finding: SignatureFinding,
) -> Signed:
    """What the record keeps of a good signature. Raises Forbidden for any other."""
    what, why = not_taken(demand, action, query.person), finding.problem
    keys = f"phasegate directory show {demand.directory}  # lists the keys of {query.person}"
    if finding.code == "unknown-key":
        raise Forbidden("unknown-key", what, why, keys)
    if finding.code == "expired-key":
        raise Forbidden("expired-key", what, why, keys)
    if finding.code == "revoked-key":
        raise Forbidden("revoked-key", what, why, keys)
    if finding.code or finding.problem or not finding.key:
        raise Forbidden(
            "bad-signature", what, why or "nothing is known of it", demand.again(request)
        )
    return Signed(
        statement=query.statement,
        signature=query.signature,
        key=finding.key,
        directory=finding.directory,
        at=query.at,
    )
