"""A worker killed between "sent" and "recorded": the receiver still sees each event once."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from mailserver import mail_server
from processes import worker_process
from receiver import SECRET, Receiver, Request, receiving
from stage import Stage

from client.dev_server import dev_server, free_port
from client.engine import Engine
from client.settings import Settings


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def own(tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Settings:
    file = tmp_path / "integrations.yaml"
    file.write_text(f"subscribers: {{crm: {{url: {receiver.url}, secret: {{env: CRM_KEY}}}}}}\n")
    monkeypatch.setenv("PHASEGATE_INTEGRATIONS", str(file))
    monkeypatch.setenv("PHASEGATE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("CRM_KEY", SECRET)
    return Settings.load()


@pytest.mark.slow
async def test_what_was_sent_and_not_recorded_is_sent_again_and_seen_once(
    own: Settings, receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with dev_server(database=tmp_path / "t.db", port=free_port(), ui_port=None) as server:
        monkeypatch.setenv("TEMPORAL_ADDRESS", server.address)
        engine = await Engine.connect(own)
        stage = Stage(engine, "killed-courier")
        async with worker_process() as first:

            def deadly(request: Request) -> tuple[int, dict[str, str]]:
                """Takes the event, and kills the worker before it can hear that."""
                if request.event["type"] == "phasegate.milestone.met" and first.returncode is None:
                    os.kill(first.pid, signal.SIGKILL)
                    time.sleep(0.5)
                return 200, {}

            receiver.answer = deadly
            await stage.start()
            await stage.becomes(phase="build")
            # Its answer may die with the worker.
            reported = asyncio.create_task(stage.report("done"))
            await asyncio.wait_for(first.wait(), 90)
        assert first.returncode == -signal.SIGKILL
        receiver.answer = lambda request: (200, {})
        async with worker_process():
            await asyncio.wait({reported})
            await stage.gate_opens("launch")
            await stage.votes("launch", "go", "ana", "bo", "cy")
            await stage.becomes(phase="market")

            async def all_there() -> bool | None:
                told = [t.removeprefix("phasegate.") for t in receiver.types]
                return True if told == stage.story() else None

            await stage.until(all_there, "each event once, in order")
        met = [r for r in receiver.requests if r.event["type"] == "phasegate.milestone.met"]
        assert len(met) == 2  # it did go out twice
        assert met[0].id == met[1].id
        assert met[0].headers["webhook-id"] == met[1].headers["webhook-id"]
        others = [r.id for r in receiver.requests if r not in met]
        assert len(others) == len(set(others))  # what was recorded was not sent again
        engine.ledger.close()


MAIL = """
mail:
  host: 127.0.0.1
  port: PORT
  tls: none
  sender: gates@phasegate.example
  gather: PT1S
"""
DIRECTORY = """
directory: default
people: {olga: {}, ana: {email: ana@acme.example}, bo: {}, cy: {}, dan: {}, lea: {}}
groups: {product: {members: [ana, olga]}, eng: {members: [bo, cy, dan]}, legal: {members: [lea]}}
"""


@pytest.mark.slow
async def test_a_mail_that_was_sent_and_not_recorded_goes_out_with_the_same_message_id(
    own: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with dev_server(database=tmp_path / "t.db", port=free_port(), ui_port=None) as server:
        monkeypatch.setenv("TEMPORAL_ADDRESS", server.address)
        engine = await Engine.connect(own)
        stage = Stage(engine, "killed-mail")
        with mail_server() as post:
            (tmp_path / "integrations.yaml").write_text(MAIL.replace("PORT", str(post.port)))
            async with worker_process() as first:

                def deadly(to: str, message: EmailMessage) -> str:
                    if first.returncode is None:
                        os.kill(first.pid, signal.SIGKILL)
                    return "250 taken"

                post.answer = deadly
                await stage.start(directory=DIRECTORY)
                await stage.becomes(phase="build")
                await stage.report("done")
                await asyncio.wait_for(first.wait(), 90)

            async def taken() -> bool | None:  # by a thread, which kills first
                return bool(post.mails) or None

            await stage.until(taken, "the mail is taken")
            assert len(post.mails) == 1
            post.answer = lambda to, message: "250 taken"
            async with worker_process():

                async def again() -> bool | None:
                    return True if len(post.mails) == 2 else None

                await stage.until(again, "the mail goes out once more")
                await stage.engine.workflow("mail/ana").result()
            once, twice = post.mails
            assert once["Message-ID"] == twice["Message-ID"]
            assert once["Subject"] == twice["Subject"]
        engine.ledger.close()
