"""The weekly letter, by its schedule: real SMTP, real Temporal."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from mailserver import MailServer, body, mail_server
from stage import WAIT, Stage
from temporalio.client import Client
from temporalio.service import RPCError

from client.deliveries_health import examine_deliveries
from client.engine import Engine
from client.inbox import inbox
from client.products import listing
from client.schedules import LETTER, keep_schedules
from client.settings import Settings
from integrations.document import Integrations
from ledger import Ledger
from phasegate.delivery import PORTFOLIO_DIGEST
from worker import build_worker

POLICY = """
policy: late
version: "1"
title: Late
phases:
  - id: build
    title: Build
    milestones: [{id: beta, title: Beta}]
    gate:
      id: launch
      title: Launch
      opens: submit
      requires: [{group: eng}]
      clocks: {respond: PT1S, resolve: PT2H, remind: []}
  - id: market
    title: Market
    gate: {id: next, title: Next, opens: submit, requires: [{group: product}]}
"""


@pytest.fixture
def post() -> Iterator[MailServer]:
    with mail_server() as running:
        yield running


def asked(post: MailServer, **more: object) -> Integrations:
    mail = {"host": "127.0.0.1", "port": post.port, "tls": "none", "sender": "gates@acme.example"}
    digest = {"to": ["head@acme.example"], "time_zone": "Europe/Berlin", **more}
    return Integrations.model_validate({"mail": mail, "digest": digest})


async def letters(client: Client, times: int) -> list[str]:
    """What every run of the schedule came to, once so many have ended."""
    ours = f"WorkflowType = '{PORTFOLIO_DIGEST}' AND WorkflowId STARTS_WITH 'portfolio-digest'"
    query = f"{ours} AND ExecutionStatus = 'Completed'"
    async with asyncio.timeout(WAIT):
        while (await client.count_workflows(query)).count < times:  # noqa: ASYNC110
            await asyncio.sleep(0.2)
    return [
        await client.get_workflow_handle(e.id).result() async for e in client.list_workflows(query)
    ]


async def test_the_letter_comes_by_schedule_and_once_a_week(
    engine: Engine, tmp_path: Path, post: MailServer
) -> None:
    settings = Settings(tmp_path, f"sqlite:///{tmp_path}/ledger.db", "weekly", "http://x")
    own = Engine(engine.client, Ledger(settings.ledger_url), settings)
    integrations = asked(post)
    late, done = Stage(own, "weekly-late"), Stage(own, "weekly-done")
    async with build_worker(own.client, settings, integrations=integrations):
        product = f"key: {late.key}\nname: Late Lamp\nowner: olga\ntier: 2\nmilestones:\n"
        await late.start(POLICY, product=product + "  - {id: beta, phase: build, due: 2020-01-31}")
        await done.start(POLICY)
        for stage in (late, done):
            await stage.becomes(phase="build")
            await stage.submit()
            await stage.gate_opens("launch")
        await done.vote("launch", "bo", "go")
        await done.becomes(phase="market")

        async def overdue() -> bool | None:
            return True if "gate.overdue" in late.story() else None

        await late.until(overdue, "its gate is overdue")
        await late.written()
        await done.written()

        async def listed() -> bool | None:
            rows = {row.key: row async for row in listing(own)}
            found = [rows[each.key].gate for each in (late, done) if each.key in rows]
            waits = [row for row in await inbox(own, "cy") if row.product == late.key]
            return True if found == ["launch", None] and waits else None

        await late.until(listed, "lists have what the letter is made of")
        await keep_schedules(own.client, settings.task_queue, integrations)
        schedule = own.client.get_schedule_handle(LETTER)
        spec = (await schedule.describe()).schedule.spec
        assert spec.time_zone_name == "Europe/Berlin"
        await schedule.trigger()
        (first,) = await letters(own.client, 1)

        async def over() -> bool | None:  # else it is skipped
            return True if not (await schedule.describe()).info.running_actions else None

        await late.until(over, "the schedule has seen it end")
        await schedule.trigger()
        said = await letters(own.client, 2)
    assert first.endswith("is sent")
    assert any(text.endswith("was sent already") for text in said)
    (mail,) = post.mails
    assert mail["To"] == "head@acme.example"
    text = body(mail)
    assert f"* {late.key}/launch, due" in text
    assert f"* Late Lamp ({late.key}): Beta is missed" in text
    assert f"({done.key}): Launch: go" in text
    assert mail["Message-ID"].endswith("@acme.example>")
    await keep_schedules(own.client, settings.task_queue, Integrations())
    with pytest.raises(RPCError, match="not found"):
        await schedule.describe()
    own.ledger.close()


async def test_each_address_has_its_own_letter_and_whoever_was_sent_it_gets_no_second(
    engine: Engine, tmp_path: Path, post: MailServer
) -> None:
    """One is greylisted at first, one is refused for good, and one takes it at once."""
    settings = Settings(tmp_path, f"sqlite:///{tmp_path}/ledger.db", "letters", "http://x")
    ledger = Ledger(settings.ledger_url)
    tried: list[str] = []

    def recipient(to: str) -> str:
        tried.append(to.partition("@")[0])
        if to.startswith("former"):
            return "550 no such user"
        return "450 greylisted" if tried.count("board") < 3 and to.startswith("board") else "250 OK"

    post.recipient = recipient
    names = ("head", "former", "board")
    integrations = asked(post, to=[f"{name}@acme.example" for name in names])
    async with build_worker(engine.client, settings, integrations=integrations):

        async def letter() -> str:
            id = f"letters-{len(tried)}"
            queue = settings.task_queue
            return str(
                await engine.client.execute_workflow(PORTFOLIO_DIGEST, id=id, task_queue=queue)
            )

        await letter()
        assert (tried.count("head"), tried.count("former"), tried.count("board")) == (1, 1, 3)
        sent = {str(mail["To"]): str(mail["Message-ID"]) for mail in post.mails}
        assert set(sent) == {"head@acme.example", "board@acme.example"}
        assert len(set(sent.values())) == 2
        (dead,) = ledger.dead_letters.letters()
        assert (dead.receiver, dead.state) == ("digest/former@acme.example", "dead")
        said = examine_deliveries(settings)
        assert "digest/former@acme.example did not get its weekly letter" in said.what
        assert "schedule trigger" in said.mend
        post.recipient = lambda to: "250 OK"
        await letter()  # asked for anew: who was given up is tried again, and nobody else
        assert [mail["To"] for mail in post.mails][2:] == ["former@acme.example"]
        assert examine_deliveries(settings).state == "ok"
    ledger.close()


async def test_a_changed_hour_changes_the_schedule(engine: Engine, post: MailServer) -> None:
    for weekday, hour in (("mon", 7), ("fri", 16)):
        integrations = asked(post, weekday=weekday, at=f"{hour:02}:30")
        await keep_schedules(engine.client, "weekly", integrations)
        spec = (await engine.client.get_schedule_handle(LETTER).describe()).schedule.spec
        (at,) = spec.calendars
        assert [r.start for r in at.day_of_week] == [{"mon": 1, "fri": 5}[weekday]]
        assert ([r.start for r in at.hour], [r.start for r in at.minute]) == ([hour], [30])
    await keep_schedules(engine.client, "weekly", Integrations())
