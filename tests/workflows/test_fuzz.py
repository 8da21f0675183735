"""Committees that do as they please on a real server, at once, while workers come and go.

Several products at a time, several people at a time at each; runs are renewed every few events,
and in the middle of it the worker stops and another takes over. What people were told is compared
with what gates show and with what the ledger has: every vote that was taken is there, and counts
once. In the end every history replays.

PHASEGATE_FUZZ=17 plays another game than the one CI plays.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest
from replaying import replay
from stage import Stage
from temporalio.service import RPCError

from client.asking import new_request_id
from client.dev_server import dev_server, free_port
from client.engine import Engine
from client.settings import Settings
from phasegate.errors import EngineError, Refusal
from phasegate.events import Announcement
from phasegate.ids import gate_id
from phasegate.requests import Receipt
from phasegate.views import GateView
from worker import build_worker

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SEED = int(os.environ.get("PHASEGATE_FUZZ", "1"))
PRODUCTS, MOST_PRODUCTS, PLAYERS, ACTIONS = 3, 6, 3, 40

DIRECTORY = """
directory: %s
people:
  olga: {manager: max}
  ana: {manager: max, deputy: dan}
  bo: {}
  cy: {manager: max, absences: [{start: 2020-01-01, end: 2099-12-31, delegate: eva}]}
  dan: {}
  eva: {}
  lea: {}
  max: {}
  zoe: {}
groups:
  product: {members: [ana, olga]}
  eng: {members: [ana, bo, cy, dan]}
  legal: {members: [lea, bo]}
  board: {members: [zoe], permissions: {override: [1, 2], extend: [1, 2], reassign: [1, 2]}}
"""

GATE = """
      opens: submit
      requires:
        - {group: eng, need: 3}
        - {any_of: [product, legal], include: [legal], need: 2, step: 2, veto: true}
      reviewers: [board]
      criteria:
        - {id: safe, text: Safe, attested_by: legal}
        - {id: liked, text: Liked, kind: should}
      wait_for: all
"""

PHASES = "".join(
    f"  - id: phase-{n}\n    title: Phase {n}\n    gate:\n      id: g{n}\n      title: Gate{GATE}"
    for n in range(1, 6)
)

POLICY = "policy: %s\nversion: '1'\ntitle: Fuzz\nphases:\n" + PHASES

EVERYBODY = ("ana", "bo", "cy", "dan", "eva", "lea", "olga", "max", "zoe", "zed")
WORDS = ("go", "go", "go", "conditional-go", "recycle", "hold", "abstain")


class Game:
    """One product, and what its people were told."""

    def __init__(self, stage: Stage, number: int) -> None:
        self.stage = stage
        self.dice = Random(SEED * 1000 + number)  # noqa: S311 - a game
        self.taken: list[str] = []
        self.unheard: list[str] = []
        self.denied: dict[str, str] = {}
        self.refused: Counter[str] = Counter()
        self.done: Counter[str] = Counter()
        self.gate = "g1"

    async def open(self) -> None:
        await self.stage.start(POLICY % self.stage.key, DIRECTORY % self.stage.key)
        await self.stage.becomes(phase="phase-1")
        await self.stage.submit()
        await self.stage.gate_opens("g1")

    async def play(self, actions: int, middle: Callable[[], None]) -> None:
        for number in range(actions):
            if number == actions // 2:
                middle()
            name, move = self.dice.choice(self.moves())
            try:
                await move()
            except Refusal as refusal:
                self.refused[refusal.code if refusal.hint else f"without a hint: {refusal}"] += 1
            except EngineError:  # the gate is over and the next one not yet open
                with suppress(EngineError):
                    await self.go_on()
            else:
                self.done[name] += 1

    def moves(self) -> list[tuple[str, Callable[[], Awaitable[object]]]]:
        stage, dice, gate = self.stage, self.dice, self.gate
        who, other = dice.sample(EVERYBODY, 2)

        def chair(update: str, **fields: Any) -> Callable[[], Awaitable[object]]:
            return lambda: stage.chair(gate, update, who, **fields)

        lea = {"criterion": "safe", "note": "seen"}
        return [
            ("vote", self.somebody_pending),
            ("vote", self.somebody_pending),
            ("vote", self.somebody_pending),
            ("vote", lambda: self.vote(who)),
            ("vote for", lambda: self.vote(who, on_behalf_of=other)),
            ("vote for", lambda: self.vote("eva", on_behalf_of="cy")),
            ("vote twice", lambda: self.vote(who, times=2)),
            ("stale", lambda: self.vote(who, revision="r0")),
            ("withdraw", chair("withdraw")),
            ("delegate", chair("delegate", to=other)),
            ("reassign", lambda: stage.chair(gate, "reassign", "zoe", **given(who, other))),
            ("attest", lambda: stage.chair(gate, "attest", "lea", state="met", **lea)),
            ("attest", lambda: stage.chair(gate, "attest", "lea", state="met", **lea)),
            ("work", chair("needs_work", what="a plan")),
            ("submit", stage.submit),
            ("evidence", lambda: stage.evidence(new_request_id(), dice.choice(["olga", who]))),
            ("hold", lambda: stage.owner("hold")),
            ("resume", lambda: stage.owner("resume")),
            ("resume", lambda: stage.owner("resume")),
            ("garbage", self.garbage),
            ("look", self.look),
        ]

    async def vote(self, who: str, times: int = 1, **more: Any) -> None:
        """Vote with a mark of its own; a retry is answered the same, and counts once."""
        word, mark = self.dice.choice(WORDS), new_request_id()
        if word == "conditional-go":
            more["conditions"] = [{"text": "docs"}]
        asked = {"comment": mark, "request_id": mark, **more}
        answers = await asyncio.gather(
            *(self.stage.vote(self.gate, who, word, **asked) for _ in range(times)),
            return_exceptions=True,
        )
        if any(isinstance(answer, EngineError) for answer in answers):
            self.unheard.append(mark)  # nobody knows yet whether it was taken
        receipts = [answer for answer in answers if isinstance(answer, Receipt)]
        if receipts:  # a twin that was refused met the gate closed, before or after
            assert len({receipt.text for receipt in receipts}) == 1, "a retry is answered the same"
            self.taken.append(mark)
            return
        if refusals := [a for a in answers if isinstance(a, BaseException)]:
            self.denied[mark] = str(refusals[0])
            raise refusals[0]

    async def garbage(self) -> None:
        with suppress(RPCError):  # the gate is over
            await self.stage.signal(self.gate, "vote", {"approver": 7})

    async def somebody_pending(self) -> None:
        view = await self.stage.gate(self.gate)
        if view.pending:
            pending = self.dice.choice(view.pending)
            await self.vote(pending.approver, revision=view.revision)
        else:
            await self.go_on()

    async def go_on(self) -> None:
        """Whatever the product waits for: the owner does it."""
        view = await self.stage.product()
        if view.status == "on-hold":
            await self.stage.refused_or(self.stage.owner("resume"))
        for condition in view.conditions:
            if condition.state == "open":
                await self.stage.refused_or(self.stage.close(condition.id))
        if view.status == "active" and view.gate is None:
            await self.stage.refused_or(self.stage.submit())
        if view.phase:
            self.gate = view.phase.replace("phase-", "g")
        await asyncio.sleep(0.05)

    async def look(self) -> None:
        holds(await self.stage.gate(self.gate))


def given(approver: str, to: str) -> dict[str, str]:
    return {"approver": approver, "to": to, "reason": "she left"}


def holds(view: GateView) -> None:
    """Nobody counts twice; who has a hand in it is in nothing; a pass is earned."""
    standing = [v for v in view.votes if v.state == "standing" and not v.advice]
    for places in (
        [(v.approver, v.step) for v in standing],
        [(v.on_behalf_of or v.approver, v.step) for v in standing],
    ):
        assert len(set(places)) == len(places)
    barred = {"olga", *(piece["by"] for piece in view.evidence)}
    assert barred.isdisjoint({v.approver for v in standing})
    assert barred.isdisjoint({p.approver for p in view.pending})
    for vote in standing:
        if vote.vote in ("go", "conditional-go"):
            assert vote.revision == view.revision
    if view.outcome in ("go", "conditional-go") and view.override is None:
        assert {r.state for r in view.requirements} == {"met"}
        assert {c.state for c in view.criteria if c.kind == "must"} == {"met"}
        yes = [v for v in standing if v.step == 1 and v.vote in ("go", "conditional-go")]
        assert len({v.on_behalf_of or v.approver for v in yes}) >= 3


@pytest.fixture
async def stormy(tmp_path: Path) -> AsyncIterator[Engine]:
    """An engine without a worker, on a server that suggests continue-as-new after few events."""
    settings = Settings(tmp_path, f"sqlite:///{tmp_path / 'ledger.db'}", "phasegate", "http://x")
    eagerly = ("--dynamic-config-value", "limit.historyCount.suggestContinueAsNew=60")
    async with dev_server(database=None, port=free_port(), ui_port=None, options=eagerly) as server:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TEMPORAL_ADDRESS", server.address)
            patch.setenv("PHASEGATE_DATA_DIR", str(tmp_path))
            engine = await Engine.connect(settings)
            yield engine
            engine.ledger.close()


async def runs(engine: Engine, workflow_id: str) -> int:
    query = f"WorkflowId = '{workflow_id}'"
    return len([found.run_id async for found in engine.client.list_workflows(query)])


def said(engine: Engine, key: str, *types: str) -> list[Announcement]:
    return [entry.announcement for entry in engine.ledger.events(key, types=types)]


async def test_committees_that_do_as_they_please(stormy: Engine) -> None:
    games = [Game(Stage(stormy, f"storm-{n}"), n) for n in range(PRODUCTS)]
    middle = asyncio.Event()
    async with build_worker(stormy.client, stormy.settings):
        await asyncio.gather(*(game.open() for game in games))
        players = asyncio.gather(
            *(game.play(ACTIONS, middle.set) for game in games for _ in range(PLAYERS))
        )
        await asyncio.wait(
            [asyncio.ensure_future(middle.wait()), players], return_when="FIRST_COMPLETED"
        )
    async with build_worker(stormy.client, stormy.settings):
        await players
        while not everything_was_done(games) and len(games) < MOST_PRODUCTS:
            games.append(game := Game(Stage(stormy, f"storm-{len(games)}"), len(games)))
            await game.open()
            await asyncio.gather(*(game.play(ACTIONS, middle.set) for _ in range(PLAYERS)))
        for game in games:
            await agrees_with_the_ledger(game)
    await everything_replays(stormy)
    done, refused = counted(games)
    assert everything_was_done(games), (done, refused)
    assert sum(done.values()) + sum(refused.values()) > PRODUCTS * PLAYERS * ACTIONS / 2
    assert not [said for said in refused if said.startswith("without a hint")]
    renewed = [await runs(stormy, gate_id(game.stage.key, "g1")) for game in games]
    assert max(renewed) > 1, "a gate went on in another run"


def counted(games: list[Game]) -> tuple[Counter[str], Counter[str]]:
    """What was done, and why what was not done was refused."""
    done = sum((game.done for game in games), Counter[str]())
    return done, sum((game.refused for game in games), Counter[str]())


def everything_was_done(games: list[Game]) -> bool:
    """What a game is to show was there: chance, and who comes first, may leave something out."""
    done, refused = counted(games)
    moves = {"vote", "vote for", "vote twice", "attest", "evidence", "hold", "look"}
    return done.keys() >= moves and refused.keys() >= {
        "self-approval",
        "stale-revision",
        "stranger",
    }


async def everything_replays(engine: Engine) -> None:
    """Every run of every product and gate, wherever queries and refusals cut its tasks."""
    async for found in engine.client.list_workflows("WorkflowType != 'CourierSweep'"):
        await replay(engine.client.get_workflow_handle(found.id, run_id=found.run_id))


async def agrees_with_the_ledger(game: Game) -> None:
    stage, engine = game.stage, game.stage.engine

    async def all_there() -> bool | None:
        found = {e.data.get("comment") for e in said(engine, stage.key, "gate.vote", "gate.advice")}
        return True if set(game.taken) <= found else None

    await stage.until(all_there, "every vote that was taken is in the ledger")
    await stage.written()  # and what they came to
    votes = said(engine, stage.key, "gate.vote", "gate.advice")
    events = [entry.announcement.id for entry in engine.ledger.events(stage.key)]
    assert len(set(events)) == len(events)
    # The last word on a round counts: a task that the server took back may have left an earlier.
    last = {
        (event.data["gate"], event.data["round"]): GateView.model_validate(event.data["view"])
        for event in said(engine, stage.key, "gate.decided", "gate.abandoned")
    }
    view = await stage.product()
    if view.gate and view.round:
        now = await stage.gate(view.gate)  # the round before, where the next one is being started
        last[now.gate, now.round] = now
    for round_view in last.values():
        holds(round_view)
    shown = [vote.comment for round_view in last.values() for vote in round_view.votes]
    assert len(set(shown)) == len(shown), "each vote once"
    assert set(game.taken) <= set(shown), "all that were taken"
    assert set(shown) <= {*game.taken, *game.unheard}, "and none that was refused"
    for vote in votes:
        mark = vote.data["comment"]
        if mark not in shown:  # from such a task, and not asked again with success
            assert mark in game.denied, mark
    for mark in shown:
        same = {(v.actor, v.data["vote"]) for v in votes if v.data["comment"] == mark}
        assert len(same) == 1
