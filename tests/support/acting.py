"""Carrying out acts as a worker does, at an instant and attempt of the test's choice."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities import ActivitySettings
from activities.acts import ActActivities
from integrations.document import Mail
from ledger import Ledger
from phasegate.sunset_ports import ActOrder, ActResult, ActVerdict, TaskProof

ORDERED = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)
KEY = "product/atlas/sunset/1/delete-data"
NOWHERE = ActivitySettings(archive_root=Path("/nowhere"), archives=Path("/nowhere"))


def order_of(act: dict[str, Any], **more: Any) -> ActOrder:
    """An order of this act; it can be undone unless `effect` says otherwise."""
    known = {"product": "atlas", "task": "delete-data", "key": KEY, "act": act}
    return ActOrder.model_validate(known | more)


class Acting:
    """A worker's acts, with the ledger and the mail server that it has."""

    def __init__(
        self, ledger: Ledger, settings: ActivitySettings = NOWHERE, mail: Mail | None = None
    ) -> None:
        self.acts = ActActivities(ledger, settings, mail)

    def environment(self, after: timedelta = timedelta(0), attempt: int = 1) -> ActivityEnvironment:
        """Of an attempt that starts so long after the act was ordered."""
        env = ActivityEnvironment()
        env.info = replace(
            env.info, scheduled_time=ORDERED, started_time=ORDERED + after, attempt=attempt
        )
        return env

    async def carry_out(
        self, order: ActOrder, after: timedelta = timedelta(0), attempt: int = 1
    ) -> ActResult:
        result: ActResult = await self.environment(after, attempt).run(self.acts.carry_out, order)
        return result

    async def done(self, order: ActOrder, after: timedelta = timedelta(0)) -> TaskProof:
        result = await self.carry_out(order, after)
        assert result.state == "done", result.why
        assert result.proof
        return result.proof

    async def failed(
        self, order: ActOrder, after: timedelta = timedelta(0), attempt: int = 1
    ) -> ApplicationError:
        """The error that has it tried again."""
        with pytest.raises(ApplicationError) as error:
            await self.carry_out(order, after, attempt)
        assert not error.value.non_retryable
        return error.value

    def settle(self, done: bool, after: timedelta = timedelta(hours=1), **more: Any) -> None:
        """Somebody found out, and says so so long after."""
        known = {"key": KEY, "product": "atlas", "task": "delete-data", "by": "ada", "note": "seen"}
        env = ActivityEnvironment()
        at = ORDERED + after
        env.info = replace(env.info, scheduled_time=at, started_time=at)
        env.run(self.acts.settle_act, ActVerdict.model_validate(known | {"done": done} | more))
