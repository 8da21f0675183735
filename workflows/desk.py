"""What products and sunsets share in taking requests from people and reports from rounds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar, Protocol, TypeVar

from temporalio import workflow
from temporalio.common import RawValue

with workflow.unsafe.imports_passed_through():
    from phasegate.errors import Forbidden, Refusal, Rejected
    from phasegate.requests import Receipt
    from phasegate.sittings import GateReport, Sittings
    from workflows.bookkeeping import Books
    from workflows.refusing import NO_INPUT, OURS, as_failure, count_refusal, read_signal

T = TypeVar("T")

REFUSALS_ANNOUNCED = 50
"""Refusals a workflow announces; those beyond are counted, so that nobody floods the ledger."""


def because(reason: str) -> str:
    """What follows a colon in an announcement; nothing where no reason was given."""
    return f": {reason}" if reason else ""


class Request(Protocol):
    """Who asks, and the key that a retry of the same command repeats."""

    @property
    def actor(self) -> str: ...
    @property
    def key(self) -> str: ...


class Served(Protocol):
    """The part of a state that a desk works with."""

    handled: dict[str, Receipt]
    refusals: int
    sittings: Sittings

    @property
    def word(self) -> str: ...
    def require_alive(self) -> None: ...
    def remember(self, key: str, receipt: Receipt) -> None: ...


class Desk:
    """Requests come as Updates and are answered at once: taken, or refused with the reason.

    Validators reject what is late or makes no sense (nothing enters history); what somebody may
    not do is accepted, recorded and refused.
    """

    kind: ClassVar[str]
    id: str
    books: Books

    def __init__(self) -> None:
        self._asking: list[str] = []

    @property
    def served(self) -> Served:
        raise NotImplementedError

    def publish(self) -> None:
        raise NotImplementedError

    def validate(self, request: Request, check: Callable[[], object]) -> None:
        """Raise what is late or malformed, before anything enters history. Rights come later."""
        if request.key in self.served.handled:
            return  # a retry is answered again, not refused
        try:
            self.served.require_alive()
            check()
        except Refusal as refusal:
            count_refusal(refusal)
            raise as_failure(refusal) from None

    def serve(
        self, request: Request, do: Callable[[], str], revision: Callable[[], str] | None = None
    ) -> Receipt:
        """Do it once, remember the answer; what somebody may not do is recorded."""
        if known := self.served.handled.get(request.key):
            return known
        try:
            with self.books.answering(request.key):
                text = do()
        except Forbidden as refusal:
            self.record_refusal(request.actor, refusal, channel="update")
            raise as_failure(refusal) from None
        except Refusal as refusal:
            count_refusal(refusal)
            raise as_failure(refusal) from None
        receipt = Receipt(
            workflow_id=self.id,
            text=text,
            status=self.served.word,
            revision=revision() if revision else None,
        )
        self.served.remember(request.key, receipt)
        self.publish()
        return receipt

    async def serve_asking(
        self,
        request: Request,
        check: Callable[[], object],
        ask: Callable[[], Awaitable[T]],
        do: Callable[[T], str],
        revision: Callable[[], str] | None = None,
    ) -> Receipt:
        """Like `serve`, for what somebody may do only if the directory says so.

        While it is asked the world goes on, so that everything is checked again afterwards. A
        retry that comes meanwhile waits for the answer of the first.
        """
        await workflow.wait_condition(lambda: request.key not in self._asking)
        if known := self.served.handled.get(request.key):
            return known
        self._asking.append(request.key)
        try:
            found = await ask()
            self.validate(request, check)
        except Rejected as refusal:
            count_refusal(refusal)
            raise as_failure(refusal) from None
        finally:
            self._asking.remove(request.key)
        return self.serve(request, lambda: do(found), revision)

    def record_refusal(self, actor: str, refusal: Refusal, *, channel: str) -> None:
        count_refusal(refusal)
        self.served.refusals += 1
        if self.served.refusals <= REFUSALS_ANNOUNCED:
            self.books.announce(
                f"{self.kind}.refused",
                f"{refusal.what}: {refusal.why}",
                actor=actor,
                code=refusal.code,
                hint=refusal.hint,
                channel=channel,
            )

    @workflow.signal(name="gate_decided")
    async def gate_decided(self, raw: RawValue = NO_INPUT) -> None:
        """A round reports. Anything but the one report of the open round is refused."""
        try:
            if not self.served.sittings.take(read_signal(raw, GateReport)):
                raise Rejected("unexpected-report", "a gate report", "no such round is open", OURS)
        except Refusal as refusal:
            self.record_refusal("unknown", refusal, channel="signal")

    @workflow.signal(dynamic=True)
    async def unknown_signal(self, name: str, args: Sequence[RawValue]) -> None:
        """A signal this workflow does not have: recorded, since Temporal took it without a word."""
        what, why = f"a signal named {name[:80]}", f"a {self.kind} takes none from people"
        self.record_refusal(
            "unknown", Rejected("unknown-signal", what, why, OURS), channel="signal"
        )
