"""Who may ask what of a sunset: members of its groups, by the directory as it is now."""

from __future__ import annotations

from collections.abc import Callable

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from phasegate import ports
    from phasegate.errors import Forbidden, Rejected
    from phasegate.requests import Receipt
    from phasegate.retirement import Retirement
    from phasegate.retirement_desk import groups_of
    from phasegate.retirement_tasks import Doing
    from workflows.authority import ask_briefly
    from workflows.calling import ask
    from workflows.desk import Desk, Request


class SunsetAuthority(Desk):
    """Serves what only members of a group may ask."""

    kind = "sunset"
    state: Retirement

    @property
    def served(self) -> Retirement:
        return self.state

    def stir(self) -> None:
        """Something has changed that tasks may wait for."""
        raise NotImplementedError

    def stop_orders(self, which: Callable[[str, Doing], bool]) -> None:
        """Stop what is being tried, of an effect and how far it is; what has happened counts."""
        raise NotImplementedError

    async def learn_members(self) -> None:
        """Who is in the groups of the plan, by the directory as it is now."""
        groups = groups_of(self.state)
        if groups:
            answer = await ask(
                ports.READ_MEMBERS,
                ports.MembersRequest(directory=self.state.product.directory, groups=groups),
                ports.Members,
                "who is in the groups of the sunset",
            )
            self.state.members = answer.members

    async def _ask_members(self) -> None:
        """The same for somebody who waits: a dead ledger refuses, and holds up no renewal."""
        state = self.state
        if groups := groups_of(state):
            request = ports.MembersRequest(directory=state.product.directory, groups=groups)
            answer = await ask_briefly(
                ports.READ_MEMBERS,
                request,
                ports.Members,
                "who is in the groups of the sunset",
                what=f"who may ask that of {state.product.key} cannot be found out",
                why=f"the directory {state.product.directory} cannot be read",
            )
            state.members = answer.members

    async def _judged(
        self,
        request: Request,
        check: Callable[[], object],
        may: Callable[[], None],
        do: Callable[[], str],
        *,
        asked: bool = False,
    ) -> Receipt:
        """Serve what members of a group may ask. Who they are is asked again before a refusal.

        `asked`: it is asked anyway. Who has left a group keeps nothing of what it may.
        """
        if asked:
            return await self.serve_asking(request, check, self._ask_members, lambda _: do())
        try:
            may()
        except Forbidden:
            return await self.serve_asking(request, check, self._ask_members, lambda _: do())
        except Rejected:
            pass  # it was taken a moment ago: `serve` says so
        return self.serve(request, do)
