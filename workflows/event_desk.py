"""What a product hears from other systems, through `phasegate serve`."""

from __future__ import annotations

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from phasegate.happenings import (
        Awaiting,
        EventRequest,
        Happening,
        awaited,
        check_event,
        listened_for,
    )
    from phasegate.requests import Receipt
    from phasegate.search import waiting_on_events
    from workflows.bookkeeping import ATTRIBUTE_KEYS, Value
    from workflows.discretion import names
    from workflows.owner_desk import OwnerDesk


class EventDesk(OwnerDesk):
    """Events that meet milestones. What an expression says of their data is judged before."""

    @workflow.query(name="awaits")
    def awaits(self, event: Happening) -> Awaiting:
        """Which milestones an event may meet."""
        return awaited(self.state, event)

    @workflow.update(name="event")
    async def event(self, request: EventRequest) -> Receipt:
        """Meet a milestone, once for each event however often it is delivered."""

        def do() -> str:
            milestone = check_event(self.state, request)
            milestone.meet(workflow.now(), request.told())
            text = f"{milestone.title} is met"
            self.books.announce(
                "milestone.met",
                f"{text}: {request.told()}",
                actor=request.actor,
                milestone=milestone.id,
                due=milestone.due.isoformat() if milestone.due else None,
                event=request.shown(),
            )
            return text

        new = request.key not in self.state.handled
        receipt = self.serve(request, do)
        if new:
            await self.tell_milestone(self.state.milestone(request.milestone))
        return receipt

    @event.validator
    def _check_event(self, request: EventRequest) -> None:
        self.validate(request, lambda: check_event(self.state, request))

    def waiting_on(self) -> dict[str, Value]:
        """The search attribute by which events find the product.

        Left out where there is and was nothing to say: a product without such milestones has the
        history it always had.
        """
        keys = waiting_on_events(listened_for(self.state, names()))
        attribute = ATTRIBUTE_KEYS["PhasegateWaitingOn"]
        known = workflow.info().typed_search_attributes.get(attribute)
        return {attribute.name: keys} if keys or known else {}
