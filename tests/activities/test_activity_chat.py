"""Chat: one line an event, to whatever Apprise knows; here its plain JSON over HTTP."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import subprocess
import sys
import threading
from datetime import UTC, datetime

import pytest

from activities import chat
from activities.channels import Refused, Taken
from activities.chat import Channel, ChatUnusable
from integrations.document import Chat
from integrations.secret import Secret
from ledger import Entry, Ledger
from phasegate.events import Announcement
from tests.activities.conftest import Web

# One of the services that Apprise loads.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


@pytest.fixture
def entry(ledger: Ledger) -> Entry:
    at = datetime(2026, 11, 25, 9, tzinfo=UTC)

    def said(id: str, type: str, text: str, **data: object) -> Announcement:
        return Announcement(
            id=id, type=type, product="lamp", source="s", at=at, actor="zoe", text=text, data=data
        )

    started = said("a", "product.started", "it starts", product={"name": "Lamp"})
    ledger.append("lamp", [started, said("b", "gate.decided", "Launch: go", gate="launch")])
    return ledger.events("lamp")[-1]


def channel(ledger: Ledger) -> Channel:
    return Channel(ledger, "launches", Chat(url=Secret(env="CHAT")))


async def test_a_line_says_what_happened_and_where_to_see_it(
    ledger: Ledger, entry: Entry, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    web.answer("/hook")
    monkeypatch.setenv("CHAT", web.url.replace("http://", "json://") + "/hook")
    assert await channel(ledger).send(entry) == Taken()
    (asked,) = web.asked
    assert json.loads(asked.body)["message"] == (
        "Lamp: Launch: go (zoe) – phasegate gate show lamp/launch [lamp 2]"
    )


async def test_a_channel_that_does_not_take_it_is_tried_again(
    ledger: Ledger, entry: Entry, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    web.answer("/hook", 500)
    monkeypatch.setenv("CHAT", web.url.replace("http://", "json://") + "/hook")
    answer = await channel(ledger).send(entry)
    assert isinstance(answer, Refused)
    assert "launches" in answer.why


async def test_an_address_that_nobody_knows_is_explained_without_it(
    ledger: Ledger, entry: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHAT", "carrier-pigeon://secret-word@loft")
    with pytest.raises(ChatUnusable) as error:
        await channel(ledger).send(entry)
    assert "$CHAT" in error.value.why
    assert "secret-word" not in f"{error.value} {error.value.hint}"


async def test_a_channel_that_hangs_holds_no_thread_of_others(
    ledger: Ledger, entry: Entry, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = threading.Event()
    web.answers["/hook"] = lambda handler: free.wait(90) and handler.send_response(200)  # type: ignore[assignment]
    web.answer("/other")
    # rto: by default Apprise gives up after four seconds, and its thread takes the next line.
    monkeypatch.setenv("CHAT", web.url.replace("http://", "json://") + "/hook?rto=120")
    monkeypatch.setenv("OTHER", web.url.replace("http://", "json://") + "/other")
    monkeypatch.setattr(chat, "SECONDS", 60.0)
    other = Channel(ledger, "other", Chat(url=Secret(env="OTHER")))
    assert await other.send(entry) == Taken()  # Apprise is loaded by now, which takes a while
    monkeypatch.setattr(chat, "SECONDS", 4.0)
    hanging = channel(ledger)
    sends = [asyncio.create_task(hanging.send(entry)) for _ in range(40)]
    try:
        async with asyncio.timeout(60):
            while web.asked[-1].path != "/hook":  # noqa: ASYNC110  # asked by another thread
                await asyncio.sleep(0.05)
        monkeypatch.setattr(chat, "SECONDS", 60.0)  # the others have their four already
        async with asyncio.timeout(60):
            assert (await asyncio.to_thread(ledger.events, "lamp"))[-1] == entry
            assert await other.send(entry) == Taken()
        answers = await asyncio.gather(*sends)
        assert all(isinstance(answer, Refused) for answer in answers)
        assert sum(asked.path == "/hook" for asked in web.asked) <= chat.THREADS
    finally:
        free.set()


MISTYPED = ("slack://hunter2", "discord://hunter2-token", "json://[hunter2", "hunter2://x")


@pytest.mark.parametrize("address", MISTYPED)
async def test_an_address_that_is_mistyped_is_not_logged(
    ledger: Ledger, entry: Entry, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("CHAT", address)
    heard = io.StringIO()
    handler = logging.StreamHandler(heard)
    logging.getLogger("apprise").setLevel(logging.NOTSET)
    logging.getLogger().addHandler(handler)
    try:
        with pytest.raises(ChatUnusable):
            await channel(ledger).send(entry)
    finally:
        logging.getLogger().removeHandler(handler)
    assert heard.getvalue() == ""


def test_no_log_of_a_worker_has_a_mistyped_address() -> None:
    code = (
        "import apprise; from client.logs import configure_logs; configure_logs(json=True);"
        f"[print(apprise.Apprise().add(a)) for a in {MISTYPED!r}]"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"] * len(MISTYPED)
    assert "hunter2" not in done.stderr


async def test_without_the_extra_it_says_how_to_install_it(
    ledger: Ledger, entry: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHAT", "json://localhost")
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(ChatUnusable, match="not installed") as error:
        await channel(ledger).send(entry)
    assert "phasegate[chat]" in error.value.hint
