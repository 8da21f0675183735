"""Mail to customers: each once, over one connection, whoever dies; none is left out silently."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from acting import KEY, Acting, order_of
from mailserver import MailServer, body, mail_server

from activities import act_mail, beating
from client.dev_server import free_port
from integrations.document import Mail
from ledger import Ledger
from phasegate.customers import Row
from phasegate.sunset_ports import ActOrder

ROOT = Path(__file__).parents[2]
NOW = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as started:
        yield started


def customers(ledger: Ledger, *rows: Row) -> None:
    ledger.customers.put("atlas", 1, rows, NOW, "olga")


def people(count: int) -> list[Row]:
    return [Row(f"c{n:04}", email=f"c{n:04}@example.org") for n in range(count)]


def settings_of(port: int, **more: Any) -> Mail:
    known = {"host": "127.0.0.1", "port": port, "tls": "none", "sender": "atlas@acme.example"}
    return Mail.model_validate(known | more)


def worker(ledger: Ledger, server: MailServer, **more: Any) -> Acting:
    return Acting(ledger, mail=settings_of(server.port, **more))


def mail(**act: Any) -> ActOrder:
    known = {
        "kind": "mail",
        "subject": "{name} ends on {end_of_life}",
        "text": "Dear {customer},\n\n{name} ends.\n\nAcme",
    }
    values = {"name": "Atlas", "end_of_life": "2028-03-01"}
    return order_of(known | act, values=values)


async def test_each_customer_has_a_mail_of_their_own(ledger: Ledger, server: MailServer) -> None:
    customers(
        ledger,
        Row("a", name="Ana Ünal", email="ana@example.org"),
        Row("b", email="b@example.org"),
        Row("mute", name="No address"),
        Row("away", email="away@example.org", migrated=NOW),
    )
    proof = await worker(ledger, server).done(mail())
    assert [m["To"] for m in server.mails] == ["ana@example.org", "b@example.org"]
    first = server.mails[0]
    assert first["Subject"] == "Atlas ends on 2028-03-01"
    assert first["From"] == "atlas@acme.example"
    assert first["Auto-Submitted"] == "auto-generated"
    assert body(first) == "Dear Ana Ünal,\n\nAtlas ends.\n\nAcme\n"
    assert body(server.mails[1]).startswith("Dear b,")
    assert len({m["Message-ID"] for m in server.mails}) == 2
    assert proof.text == "2 customers are written to; 1 customer is without an address"
    assert proof.data == {"sent": 2, "refused": 0, "no_address": 1}
    assert proof.digest.startswith("sha256:")
    assert await worker(ledger, server).done(mail()) == proof  # ordered again: nobody is left
    assert len(server.mails) == 2


async def test_all_are_written_to_also_those_who_are_settled(
    ledger: Ledger, server: MailServer
) -> None:
    customers(ledger, Row("away", email="away@example.org", migrated=NOW))
    assert (await worker(ledger, server).done(mail())).text == "0 customers are written to"
    await worker(ledger, server).done(mail(to="all"))
    assert [m["To"] for m in server.mails] == ["away@example.org"]


async def test_a_notice_makes_them_notified(ledger: Ledger, server: MailServer) -> None:
    customers(ledger, *people(2))
    await worker(ledger, server).done(mail())
    assert ledger.customers.summary("atlas", 1).notified == 0
    order = mail(notifies=True).model_copy(update={"key": KEY + "/notice"})
    await worker(ledger, server).done(order)
    assert ledger.customers.summary("atlas", 1).notified == 2
    assert len(server.mails) == 4


async def test_pages_and_one_connection(
    ledger: Ledger, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(act_mail, "PAGE", 7)
    customers(ledger, *people(30))
    sessions = set()

    def seen(to: str, session: Any) -> str:
        sessions.add(session.peer)
        return "250 OK"

    count(server, seen)
    await worker(ledger, server).done(mail())
    assert len(server.mails) == 30
    assert len(sessions) == 1


def count(server: MailServer, seen: Any) -> None:
    """Have the server tell of each recipient, with the session it came in."""

    async def handle(smtp: Any, session: Any, envelope: Any, to: str, options: Any) -> str:
        answer: str = seen(to, session)
        if answer.startswith("250"):
            envelope.rcpt_tos.append(to)
        return answer

    server.handle_RCPT = handle  # type: ignore[method-assign]


async def test_an_address_that_is_refused_holds_up_nobody(
    ledger: Ledger, server: MailServer
) -> None:
    customers(
        ledger,
        Row("a", email="a@example.org"),
        Row("b", email="no address"),
        Row("c", email="gone@example.org"),
        Row("d", email="d@example.org"),
    )
    server.recipient = lambda to: (
        "550 5.1.1 <Gone@example.org> unknown here" if "gone" in to else "250 OK"
    )
    proof = await worker(ledger, server).done(mail(notifies=True))
    assert [m["To"] for m in server.mails] == ["a@example.org", "d@example.org"]
    assert proof.data["sent"] == 2
    assert proof.data["refused"] == 2
    assert "2 refused by their address: b (" in proof.text
    assert "c (550 5.1.1 <…> unknown here)" in proof.data["refusals"]
    assert "gone@" not in proof.model_dump_json().lower()  # the record cannot forget an address
    assert ledger.customers.summary("atlas", 1).notified == 2


async def test_who_is_put_off_is_written_to_later(ledger: Ledger, server: MailServer) -> None:
    customers(ledger, *people(3))
    server.recipient = lambda to: "450 4.2.0 greylisted" if to.startswith("c0001") else "250 OK"
    acting = worker(ledger, server, give_up="3 days")
    error = await acting.failed(mail())
    assert error.type == "mail-unavailable"
    assert "the server puts 1 off; the first: c0001: 450 4.2.0 greylisted" in error.message
    assert len(server.mails) == 2
    proof = await acting.done(mail(), after=timedelta(days=3))
    assert "c0001 (given up after 3 days: 450 4.2.0 greylisted)" in proof.text
    assert len(server.mails) == 2


async def test_a_server_that_refuses_everybody_is_not_their_fault(
    ledger: Ledger, server: MailServer
) -> None:
    customers(ledger, *people(30))
    server.recipient = lambda to: "550 relaying denied"
    acting = worker(ledger, server)
    error = await acting.failed(mail())
    assert "the mail server refused 10 in a row; the last: 550 relaying denied" in error.message
    assert (await acting.carry_out(mail(), after=timedelta(minutes=15))).state == "stuck"
    server.recipient = lambda to: "250 OK"
    assert (await acting.done(mail())).data == {"sent": 30, "refused": 0, "no_address": 0}


async def test_a_server_that_ends_connections_after_some_mails(
    ledger: Ledger, server: MailServer
) -> None:
    customers(ledger, *people(25))
    taken: dict[Any, int] = {}

    def at_most_ten(to: str, session: Any) -> str:
        taken[session.peer] = taken.get(session.peer, 0) + 1
        return "421 too many" if taken[session.peer] > 10 else "250 OK"

    count(server, at_most_ten)
    await worker(ledger, server).done(mail())
    assert len(server.mails) == 25
    assert len({m["To"] for m in server.mails}) == 25


async def test_a_server_that_is_down_then_up(ledger: Ledger) -> None:
    customers(ledger, *people(3))
    port = free_port()
    acting = Acting(ledger, mail=settings_of(port))
    error = await acting.failed(mail())
    assert error.type == "mail-unavailable"
    assert f"127.0.0.1:{port}" in error.message
    with mail_server() as server:
        await worker(ledger, server).done(mail())
        assert len(server.mails) == 3


async def test_our_own_mistakes_are_told(
    ledger: Ledger, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    customers(ledger, *people(1))
    error = await worker(ledger, server).failed(mail(text="See {link}"))
    assert (error.type, "{link}" in error.message) == ("mail-unusable", True)
    secret = {"user": "atlas", "password": {"env": "NO_SUCH_PASSWORD"}}
    error = await worker(ledger, server, **secret).failed(mail())
    assert "the secret $NO_SUCH_PASSWORD cannot be read" in error.message
    assert server.mails == []


async def test_without_mail_it_says_whom_it_did_not_write_to(ledger: Ledger) -> None:
    customers(ledger, Row("mute", name="No address"), Row("x", email="x@x.org", waived=True))
    acting = Acting(ledger)
    proof = await acting.done(mail(notifies=True))  # nobody is owed it
    assert proof.text.startswith("no mail is configured; 0 customers are not written to")
    customers(ledger, *people(3))
    proof = await acting.done(mail())
    assert proof.data["not_written_to"] == 3
    error = await acting.failed(mail(notifies=True))
    assert "no mail is configured, and customers are owed this notice" in error.message
    customers(ledger, *(Row(person.id, notified=True) for person in people(3)))
    await acting.done(mail(notifies=True))  # they were told otherwise, as the hint says


async def test_an_irreversible_mail_goes_on_as_well(ledger: Ledger, server: MailServer) -> None:
    customers(ledger, *people(3))
    order = mail().model_copy(update={"effect": "irreversible"})
    server.answer = lambda to, message: "250 taken" if to < "c0001" else "451 busy"
    acting = worker(ledger, server)
    await acting.failed(order)
    server.answer = lambda to, message: "250 taken"
    assert (await acting.done(order)).data["sent"] == 3
    assert len(server.mails) == 3


async def test_a_killed_worker_writes_to_nobody_twice_but_the_one_in_flight(
    ledger: Ledger, server: MailServer
) -> None:
    customers(ledger, *people(40))
    arrived: list[str] = []
    some, dead = threading.Event(), threading.Event()

    def answer(to: str, message: Any) -> str:
        arrived.append(message["Message-ID"])
        if len(arrived) == 10:
            some.set()
            dead.wait(60)  # else the rest may be sent before it is killed
        return "250 taken"

    server.answer = answer
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(ROOT / "tests" / "support" / "actor.py")),
        *(str(ledger.database), mail().model_dump_json(), str(server.port)),
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests' / 'support'}"},
        stdout=asyncio.subprocess.DEVNULL,
    )
    assert await asyncio.to_thread(some.wait, 60)
    process.kill()
    await process.wait()
    dead.set()
    assert len(arrived) == 10
    assert (await worker(ledger, server).done(mail())).data["sent"] == 40
    assert len(set(arrived)) == 40
    assert len(arrived) <= 41  # and that one has the Message-ID it had before


async def test_a_cancelled_one_stops_between_two_mails(
    ledger: Ledger, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    customers(ledger, *people(20))
    acting = worker(ledger, server)
    env = acting.environment()

    def answer(to: str, message: Any) -> str:
        if len(server.mails) == 4:
            loop.call_soon_threadsafe(env.cancel)
        return "250 taken"

    loop = asyncio.get_running_loop()
    server.answer = answer
    beats: list[Any] = []
    env.on_heartbeat = lambda *details: beats.append(details)
    monkeypatch.setattr(beating, "EVERY", 0.001)
    with pytest.raises(asyncio.CancelledError):
        await env.run(acting.acts.carry_out, mail())
    assert any("written to, up to customer c00" in str(beat) for beat in beats)
    assert 5 <= len(server.mails) < 20
    await acting.done(mail())
    assert len(server.mails) == 20
