"""Carrying out the acts of a sunset: what can be undone until it is done, the rest at most once."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.act_archive import ArchiveActs
from activities.act_command import CommandActs
from activities.act_custom import CustomActs
from activities.act_http import HttpActs
from activities.act_mail import MailActs
from activities.beating import beating
from activities.errors import ACT_FAILED, ACT_PROBED, ACT_UNFIT, failure, ledger_errors, postponed
from activities.lasting import noted, undeterred
from activities.measuring import count
from activities.outcomes import Carrier, Done, NotDone, Outcome, Unknown, Unreachable, slowly
from activities.settings import ActivitySettings
from integrations.document import Mail
from ledger import Ledger
from ledger.intents import Intent, State
from phasegate import sunset_ports
from phasegate.measures import ACTS
from phasegate.sunset_ports import ActOrder, ActResult, ActVerdict, TaskProof

SOON = timedelta(seconds=1)

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _Later:
    """Nobody can tell yet; it is asked again after `wait`."""

    why: str
    wait: timedelta


class ActActivities:
    """One activity for every kind of act, and one for what people find out of acts."""

    def __init__(self, ledger: Ledger, settings: ActivitySettings, mail: Mail | None) -> None:
        self._ledger, self._settings = ledger, settings
        self._carriers: dict[str, Carrier] = {
            "http": HttpActs(),
            "command": CommandActs(),
            "archive": ArchiveActs(settings),
            "mail": MailActs(ledger, mail),
            "custom": CustomActs(),
        }

    @activity.defn(name=sunset_ports.CARRY_OUT)
    async def carry_out(self, order: ActOrder) -> ActResult:
        """Carry out an act.

        One that can be undone is repeated until it is done, with the same key. One that cannot is
        done once its intent is written, and never again where that has no result: it is probed, or
        its state is `unknown`. While it is certain that nothing happened, either is tried again.

        `stuck` is returned once, when it has failed for `stuck_after` since it was ordered. Errors,
        all retried: those of the kinds of acts, act-probed (it is asked again whether it was done),
        ledger-unavailable. Not retried: act-unfit (a kind that no activity carries out).
        """
        carrier = self._carriers.get(order.act.kind)
        if carrier is None:
            raise ApplicationError(
                f"{order.task}: acts of kind {order.act.kind} are not carried out by activities",
                type=ACT_UNFIT,
                non_retryable=True,
            )
        once = order.effect != "reversible"
        strictly = once and not carrier.repeatable
        async with beating():
            if strictly:
                outcome = await undeterred(self._once(carrier, order))
            else:
                outcome = await (self._once if once else _tried)(carrier, order)
        if isinstance(outcome, Unknown) and strictly:
            count(ACTS, kind=order.act.kind, result="unknown")
            return ActResult(state="unknown", why=_said(outcome))
        return self._answer(order, outcome)

    @activity.defn(name=sunset_ports.SETTLE_ACT)
    def settle_act(self, verdict: ActVerdict) -> None:
        """Write what a person found out; ordered again, the act then has a result or is begun anew.

        That an act was done stands: no verdict takes it back. Errors: ledger-unavailable, retried.
        """
        proof = TaskProof(text=verdict.note, by=verdict.by, data=dict(verdict.proof))
        if isinstance(digest := verdict.proof.get("digest"), str):
            proof.digest = digest
        with ledger_errors():
            self._ledger.intents.settle(
                Intent(
                    key=verdict.key,
                    product=verdict.product,
                    sunset=verdict.sunset,
                    task=verdict.task,
                    begun_at=_now(),
                    attempt=0,
                    state="done" if verdict.done else "not-done",
                    result=proof.model_dump_json(),
                ),
                asked_at=activity.info().scheduled_time,
            )

    async def _once(self, carrier: Carrier, order: ActOrder) -> Outcome | _Later:
        """At most once: begin it, or find out what became of it."""
        with ledger_errors():
            intent, mine = await asyncio.to_thread(
                self._ledger.intents.begin,
                *(order.key, order.product, order.sunset, order.task, _now()),
            )
        if intent.state == "done":
            return _proven(intent)
        if not mine and not carrier.repeatable:
            return await self._find_out(carrier, order, intent)
        outcome = await _tried(carrier, order)
        ended = await self._end(intent, outcome)
        if ended.state == "done":
            return _proven(ended)
        if isinstance(outcome, Unknown) and not carrier.repeatable:
            return await self._find_out(carrier, order, ended)
        return outcome

    async def _find_out(
        self, carrier: Carrier, order: ActOrder, intent: Intent
    ) -> Outcome | _Later:
        """What became of an attempt that has no result. Nothing is done here."""
        said = await carrier.probe(order)
        if said is None:
            return Unknown(ACT_PROBED, order.task, _lost(intent))
        if isinstance(said, Done):
            await self._end(intent, said)
            return said
        # An answer that it was not done counts when the attempt cannot be under way any more.
        left = intent.begun_at + carrier.over - _now()
        if left > timedelta(0):
            return _Later(f"{_lost(intent)}; it may still be under way", left)
        if isinstance(said, Unreachable):
            if self._lasting():
                return Unknown(ACT_PROBED, order.task, f"{_lost(intent)}; {said.why}")
            return _Later(f"{_lost(intent)}; {said.why}", slowly(SOON))
        if isinstance(said, NotDone):
            await self._end(intent, said)
        return said

    async def _end(self, intent: Intent, outcome: Outcome) -> Intent:
        """Write an outcome. Where that fails the intent stays begun, which is the truth then."""
        state, result = _written(outcome)
        end = self._ledger.intents.end
        return await noted(end, intent.key, intent.attempt, state, _now(), result)

    def _answer(self, order: ActOrder, outcome: Outcome | _Later) -> ActResult:
        """Its proof, or that it is stuck; else the error that has it tried again."""
        if isinstance(outcome, Done):
            count(ACTS, kind=order.act.kind, result="done")
            return ActResult(state="done", proof=outcome.proof)
        if isinstance(outcome, _Later):
            text = f"{order.task}: {outcome.why}; it is asked again whether it was done"
            raise postponed(ACT_PROBED, text, outcome.wait)
        if not order.told and self._lasting():
            count(ACTS, kind=order.act.kind, result="stuck")
            return ActResult(state="stuck", why=_said(outcome))
        count(ACTS, kind=order.act.kind, result="failed")
        hint = (
            outcome.hint if isinstance(outcome, NotDone) else "it is tried again with the same key"
        )
        wait = outcome.wait if isinstance(outcome, NotDone) else None
        raise failure(outcome.type, outcome.what, outcome.why, hint, retry_after=wait)

    def _lasting(self) -> bool:
        """Whether it has been failing for so long that people should know."""
        return _now() - activity.info().scheduled_time >= self._settings.stuck_after


async def _tried(carrier: Carrier, order: ActOrder) -> Outcome:
    try:
        return await carrier.carry_out(order)
    except Exception as error:  # whatever it was, the act may have happened
        if isinstance(error, ApplicationError) and carrier.repeatable:
            raise  # the ledger's: a second attempt goes on where this one stopped
        log.warning("an act failed", key=order.key, kind=order.act.kind, exc_info=error)
        what = f"{order.task} failed"
        return Unknown(ACT_FAILED, what, f"{type(error).__name__}; the worker's log says more")


def _now() -> datetime:
    """By the server's clock, like all that it is compared with."""
    return activity.info().started_time


def _said(outcome: NotDone | Unknown) -> str:
    return f"{outcome.what}: {outcome.why}"


def _written(outcome: Outcome) -> tuple[State, str]:
    if isinstance(outcome, Done):
        return "done", outcome.proof.model_dump_json()
    state: State = "not-done" if isinstance(outcome, NotDone) else "unknown"
    return state, json.dumps({"why": _said(outcome)})


def _proven(intent: Intent) -> Done:
    return Done(TaskProof.model_validate_json(intent.result))


def _lost(intent: Intent) -> str:
    """Why nobody knows what became of it."""
    if intent.state == "unknown":
        return str(json.loads(intent.result)["why"])
    return "an earlier attempt was cut off"
