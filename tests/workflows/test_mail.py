"""Mail to the people whom events concern: real SMTP, real Temporal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from icalendar import Calendar
from mailserver import MailServer, body, dates, mail_server
from stage import Stage
from temporalio.client import WorkflowExecutionStatus
from temporalio.service import RPCError

from client.deliveries_health import examine_deliveries
from client.directories import publish
from client.engine import Engine
from client.settings import Settings
from integrations.document import Integrations
from ledger import Delivery, Ledger
from phasegate.delivery import mailbox
from phasegate.reading import read_directory
from worker import build_worker

DIRECTORY = """
directory: default
people:
  olga: {email: olga@acme.example}
  ana: {email: ana@acme.example}
  bo: {email: bo@acme.example}
  cy: {email: cy@acme.example, quiet: true}
  dan: {}
  lea: {email: lea@acme.example}
groups:
  product: {members: [ana, olga]}
  eng: {members: [bo, cy, dan]}
  legal: {members: [lea]}
"""
PEOPLE = ("olga", "ana", "bo", "cy", "dan", "lea")

House = Callable[..., AbstractAsyncContextManager[Stage]]


@pytest.fixture
def post() -> Iterator[MailServer]:
    with mail_server() as running:
        yield running


def mailing(post: MailServer, **more: object) -> Integrations:
    mail = {
        "host": "127.0.0.1",
        "port": post.port,
        "tls": "none",
        "sender": "gates@phasegate.example",
        "gather": "1 second",
        **more,
    }
    return Integrations.model_validate({"mail": mail})


@pytest.fixture
def house(engine: Engine, tmp_path: Path, request: pytest.FixtureRequest) -> House:
    name = request.node.name.removeprefix("test_").replace("_", "-")[:40]

    @asynccontextmanager
    async def opened(integrations: Integrations) -> AsyncIterator[Stage]:
        settings = Settings(tmp_path, f"sqlite:///{tmp_path}/ledger.db", name, "http://x")
        own = Engine(engine.client, Ledger(settings.ledger_url), settings)
        async with build_worker(own.client, settings, integrations=integrations):
            yield Stage(own, name)
        for person in PEOPLE:  # the next test has a worker of its own, and the same people
            with suppress(RPCError):
                await own.workflow(mailbox(person)).terminate()
        own.ledger.close()

    return opened


async def settled(stage: Stage, person: str) -> None:
    """Wait until this person's mail courier has nothing left."""
    handle = stage.engine.workflow(mailbox(person))

    async def done() -> bool | None:
        with suppress(RPCError):  # it has not begun yet
            status = (await handle.describe()).status
            return True if status == WorkflowExecutionStatus.COMPLETED else None
        return None

    await stage.until(done, f"the mail to {person} is sent")


async def mails(stage: Stage, post: MailServer, to: str, n: int = 1) -> list[EmailMessage]:
    async def there() -> list[EmailMessage] | None:
        found = post.to(f"{to}@acme.example")
        return found if len(found) >= n else None

    return await stage.until(there, f"{n} mails to {to}")


async def given_up(stage: Stage, person: str) -> Delivery:
    """Wait for the one dead letter to somebody."""

    async def there() -> list[Delivery] | None:
        return stage.engine.ledger.dead_letters.of(stage.key, mailbox(person)) or None

    (dead,) = await stage.until(there, f"the mail to {person} is given up")
    return dead


async def open_gate(stage: Stage) -> None:
    await stage.start(directory=DIRECTORY)
    await stage.becomes(phase="build")
    await stage.report("done")
    await stage.gate_opens("launch")


async def test_whoever_is_asked_gets_a_mail_with_the_command_and_the_date(
    house: House, post: MailServer
) -> None:
    async with house(mailing(post)) as stage:
        await open_gate(stage)
        (mail,) = await mails(stage, post, "ana")
        view = await stage.gate("launch")
        due = next(p.respond_due for p in view.pending if p.approver == "ana")
        assert mail["From"] == "gates@phasegate.example"
        assert mail["Subject"] == f"The {stage.key}: please vote on launch by {due:%Y-%m-%d}"
        assert mail["Auto-Submitted"] == "auto-generated"
        assert f"    phasegate gate vote {stage.key}/launch go --as ana\n" in body(mail)
        ((method, text),) = dates(mail)
        assert method == "PUBLISH"
        (event,) = Calendar.from_ical(text).events
        assert Calendar.from_ical(text)["method"] == "PUBLISH"
        assert event.end == due.replace(microsecond=0)
        await mails(stage, post, "bo")
        await mails(stage, post, "olga")
        await settled(stage, "olga")
        await settled(stage, "bo")
        assert post.to("cy@acme.example") == []  # wants none
        assert {m["To"] for m in post.mails} == {f"{p}@acme.example" for p in ("ana", "bo", "olga")}


async def test_a_moved_date_updates_the_calendar_and_a_decision_takes_it_away(
    house: House, post: MailServer
) -> None:
    async with house(mailing(post, gather="PT0.2S")) as stage:
        await open_gate(stage)
        (first,) = await mails(stage, post, "ana")
        await stage.evidence("Load tests")
        await stage.holds("launch")
        await stage.owner("resume")
        await stage.written()
        ledger = stage.engine.ledger
        moved = {(stage.key, e.seq) for e in ledger.events(stage.key, types=("gate.dates",))}

        async def brought() -> bool | None:  # else the decision goes into the same mail
            return True if ledger.deliveries.sent(mailbox("ana"), moved) == moved else None

        await stage.until(brought, "what has moved is sent, if it is another day")
        await stage.votes("launch", "go", "ana", "bo", "cy")
        await stage.becomes(phase="market")

        async def told() -> bool | None:
            methods = [m for mail in post.to("ana@acme.example") for m, _ in dates(mail)]
            return True if "CANCEL" in methods else None

        await stage.until(told, "the date is taken back")
        texts = [t for mail in post.to("ana@acme.example") for _, t in dates(mail)]
        events = [event for text in texts for event in Calendar.from_ical(text).events]
        assert len({str(event["uid"]) for event in events}) == 1
        numbers = [int(event["sequence"]) for event in events]
        assert numbers == sorted(set(numbers))
        assert str(events[-1]["status"]) == "CANCELLED"
        assert "go" in post.to("ana@acme.example")[-1]["Subject"]
        assert first in post.to("ana@acme.example")


async def test_twenty_gates_are_one_mail_with_the_urgent_ones_first(
    house: House, post: MailServer
) -> None:
    async with house(mailing(post, gather="30 seconds")) as stage:
        ledger = stage.engine.ledger
        lives = [Stage(stage.engine, f"{stage.key}-{n:02}") for n in range(20)]
        for life in lives:
            await life.start(directory=DIRECTORY)
        await asyncio.gather(*(life.becomes(phase="build") for life in lives))
        await asyncio.gather(*(life.submit() for life in lives))  # all while mail is gathered
        (mail, *_) = await mails(stage, post, "bo")
        await settled(stage, "bo")
        assert len(post.to("bo@acme.example")) == 1
        assert mail["Subject"] == "20 events: 20 wait for you"
        for life in lives:
            assert f"phasegate gate vote {life.key}/launch go --as bo" in body(mail)
        assert "phasegate inbox --as bo" in body(mail)
        ((_, text),) = dates(mail)
        assert len(Calendar.from_ical(text).events) == 20
        sent = {(life.key, e.seq) for life in lives for e in ledger.events(life.key)}
        assert len(ledger.deliveries.sent(mailbox("bo"), sent)) == 20


async def test_a_mail_that_has_to_be_sent_again_carries_the_same_message_id(
    house: House, post: MailServer
) -> None:
    """The post takes it and the connection breaks: nobody knows whether it arrived."""
    seen: list[str] = []

    def breaks(to: str, message: EmailMessage) -> str:
        seen.append(message["Message-ID"])
        return "421 closing" if len(seen) < 3 else "250 taken"

    post.recipient = lambda to: "250 OK" if to.startswith("bo") else "550 not here"
    post.answer = breaks
    async with house(mailing(post)) as stage:
        await open_gate(stage)
        await mails(stage, post, "bo")
        assert len(seen) == 3
        assert len(set(seen)) == 1
        assert seen[0].endswith("@phasegate.example>")


async def test_a_refused_recipient_is_a_dead_letter_at_once_and_others_get_theirs(
    house: House, post: MailServer
) -> None:
    post.recipient = lambda to: "550 no such user" if to.startswith("bo") else "250 OK"
    async with house(mailing(post)) as stage:
        await open_gate(stage)
        await mails(stage, post, "ana")
        dead = await given_up(stage, "bo")
        assert (dead.receiver, dead.state) == ("mail/bo", "dead")
        assert "550 no such user" in dead.why


async def test_a_server_that_is_down_for_longer_than_the_patience_is_given_up(
    house: House, post: MailServer
) -> None:
    post.recipient = lambda to: "451 try later"
    async with house(mailing(post, give_up="2 seconds")) as stage:
        await open_gate(stage)
        dead = await given_up(stage, "bo")
        assert dead.state == "dead"
        assert "451" in dead.why
        assert datetime.now(UTC) - dead.at < timedelta(minutes=1)


async def test_an_address_that_is_none_is_a_dead_letter_at_once_and_others_get_theirs(
    house: House, post: MailServer
) -> None:
    """As in a directory that was published before addresses were checked."""
    async with house(mailing(post)) as stage:
        await stage.start(directory=DIRECTORY.replace("bo@acme.example", '"bo@\\nx"'))
        await stage.becomes(phase="build")
        await stage.report("done")
        dead = await given_up(stage, "bo")
        assert "is no mail address" in dead.why
        await mails(stage, post, "ana")


async def test_mail_that_is_not_taken_for_long_is_seen_and_is_over_when_it_is_taken(
    house: House, post: MailServer
) -> None:
    post.recipient = lambda to: "451 try later" if to.startswith("bo") else "250 OK"
    async with house(mailing(post)) as stage:
        await open_gate(stage)

        async def late() -> str | None:
            found = {late.receiver: late.why for late in stage.engine.ledger.dead_letters.late(key)}
            return found.get("mail/bo")

        key = stage.key
        assert "451 try later" in await stage.until(late, "bo's mail is known to be late")
        said = examine_deliveries(stage.engine.settings)
        assert (said.state, "mail/bo takes nothing since" in said.what) == ("warn", True)
        post.recipient = lambda to: "250 OK"
        await mails(stage, post, "bo")
        await settled(stage, "bo")
        assert await late() is None


async def test_mail_that_nobody_wants_any_more_is_not_late(house: House, post: MailServer) -> None:
    post.recipient = lambda to: "451 try later" if to.startswith("bo") else "250 OK"
    async with house(mailing(post)) as stage:
        await open_gate(stage)
        ledger = stage.engine.ledger

        async def late() -> bool | None:
            return True if "mail/bo" in ledger.dead_letters.silent() else None

        await stage.until(late, "bo's mail is known to be late")
        quiet = DIRECTORY.replace("bo@acme.example", "bo@acme.example, quiet: true")
        publish(ledger, read_directory(quiet, "directory"), "olga")
        await settled(stage, "bo")
        assert await late() is None


async def test_mail_without_its_password_is_seen_and_given_up(
    house: House, post: MailServer
) -> None:
    login = {"user": "gates", "password": {"env": "PHASEGATE_TEST_NO_SUCH_SECRET"}}
    async with house(mailing(post, give_up="3 seconds", **login)) as stage:
        await open_gate(stage)
        dead = await given_up(stage, "bo")
        assert "$PHASEGATE_TEST_NO_SUCH_SECRET cannot be read" in dead.why
