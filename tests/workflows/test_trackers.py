"""Milestones that a tracker knows of: dead, busy and back; and products that lack a value."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from stage import Stage
from temporalio.worker import Replayer

from client import changing
from client.asking import new_request_id
from client.dev_server import free_port
from client.plugin import phasegate_plugin
from phasegate.errors import PhasegateError
from phasegate.product import Product
from phasegate.requests import UpdateProductRequest

POLICY = """
policy: tracked
version: "1"
title: Tracked
phases:
  - id: build
    title: Build
    milestones:
      - id: shipped
        title: Shipped
        check: {kind: github, repo: "acme/{repo}", milestone: "3", every: 0.2 seconds}
    gate: {id: launch, title: Launch, requires: [{group: product}]}
"""
SECRET = "s3cr3t-T0ken"


@dataclass
class Github:
    """A system that can be down: nobody listens at its port then, and no connection is given it."""

    port: int = field(default_factory=free_port)
    state: str = "open"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    paths: list[str] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    server: ThreadingHTTPServer | None = None

    def up(self) -> None:
        system = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                known = self.headers.get("Authorization") == f"Bearer {SECRET}"
                system.paths.append(self.path)
                system.times.append(time.monotonic())
                text = json.dumps({"number": 3, "state": system.state}).encode()
                self.send_response(system.status if known else 401)
                for name, value in system.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def down(self) -> None:
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    async def asked(self, times: int) -> None:
        """Wait until it was asked so many more times."""
        wanted = len(self.paths) + times
        for _ in range(1200):
            if len(self.paths) >= wanted:
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"asked {len(self.paths)} times, not {wanted}")


@pytest.fixture
def github(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Github]:
    """A connection to it is in the integrations file, and its secret in a file of its own."""
    system = Github()
    system.up()
    connection = {
        "kind": "github",
        "url": f"http://127.0.0.1:{system.port}",
        "token": {"file": str(tmp_path / "token")},
    }
    (tmp_path / "token").write_text(SECRET)
    (tmp_path / "integrations.yaml").write_text(json.dumps({"connections": {"github": connection}}))
    monkeypatch.setenv("PHASEGATE_INTEGRATIONS", str(tmp_path / "integrations.yaml"))
    yield system
    system.down()


@pytest.fixture
async def stage(stage: Stage) -> AsyncIterator[Stage]:
    """A product that asks no more after its test: it would ask the system of the next one."""
    yield stage
    with suppress(PhasegateError):  # it has ended
        await stage.owner("cancel")
        await stage.becomes(status="cancelled")


async def why(stage: Stage, said: str) -> str:
    """Wait until the product says so of its milestone."""

    async def found() -> str | None:
        whys = [milestone.why for milestone in (await stage.product()).milestones]
        return next((text for text in whys if said in text), None)

    return await stage.until(found, f"the milestone says {said}")


def product_of(stage: Stage, **figures: Any) -> str:
    given = json.dumps(figures)
    return f"key: {stage.key}\nname: Kettle\nowner: olga\ntier: 2\nfigures: {given}\n"


async def size(stage: Stage) -> int:
    return len((await stage.history()).events)


async def test_a_tracker_that_dies_cannot_tell_and_is_believed_when_it_is_back(
    stage: Stage, github: Github, tmp_path: Path
) -> None:
    await stage.start(POLICY, product=product_of(stage, repo="kettle"))
    await stage.becomes(phase="build")
    await github.asked(3)
    assert set(github.paths) == {"/repos/acme/kettle/milestones/3"}
    quiet = await stage.at_rest()
    await github.asked(5)
    assert await size(stage) == quiet
    github.down()
    dead = await why(stage, "cannot tell since ")
    assert "connection github: http://127.0.0.1" in dead
    assert "cannot be asked" in dead
    (milestone,) = (await stage.product()).milestones
    assert milestone.state == "planned"
    await asyncio.sleep(1)  # told, and asked again
    quiet = await stage.at_rest()
    await asyncio.sleep(1)  # five times as long as it waits between two questions
    assert await size(stage) == quiet
    github.up()
    assert "has no closed milestone 3" in await why(stage, "acme/kettle has no")
    (tmp_path / "token").write_text("revoked")
    assert "answered 401: its secret is wrong" in await why(stage, "cannot tell since ")
    github.state = "closed"
    (tmp_path / "token").write_text(SECRET)
    await stage.gate_opens("launch")
    (milestone,) = (await stage.product()).milestones
    assert milestone.state == "met"
    assert milestone.why.startswith("milestone 3 of acme/kettle is closed (connection github: ")
    await stage.written()
    assert stage.story().count("milestone.cannot-tell") == 2
    told = b"".join(event.SerializeToString() for event in (await stage.history()).events)
    assert b"acme/kettle is closed" in told
    assert SECRET.encode() not in told


async def test_an_owners_own_milestone_asks_through_no_connection_unless_it_may(
    stage: Stage, github: Github, tmp_path: Path
) -> None:
    own = (
        "milestones:\n  - {id: mine, phase: build, check: {kind: http, connection: github, "
        "path: /x, expression: \"{'open': false}[body.state]\", every: 0.2 seconds, own: false}}\n"
    )
    await stage.start(POLICY, product=product_of(stage, repo="kettle") + own)
    assert await why(stage, "connection github may be asked by policies only")
    assert await why(stage, "acme/kettle has no closed milestone 3")
    assert "/x" not in github.paths
    assert "/repos/acme/kettle/milestones/3" in github.paths  # the policy's is asked
    file = tmp_path / "integrations.yaml"
    found = json.loads(file.read_text())
    found["connections"]["github"]["products"] = True
    file.write_text(json.dumps(found))
    assert await why(stage, "[body.state] is false of connection github: ")
    github.state = "hunter2-secret"
    assert await why(stage, "cannot be evaluated (connection github: ")
    told = b"".join(event.SerializeToString() for event in (await stage.history()).events)
    assert b"hunter2" not in told


async def test_what_is_not_met_yet_says_so_and_why(stage: Stage, github: Github) -> None:
    await stage.start(POLICY, product=product_of(stage, repo="kettle"))
    assert "acme/kettle has no closed milestone 3" in await why(stage, "milestone 3")
    await stage.written()
    assert stage.texts("milestone.not-met")
    github.state = "closed"
    await stage.gate_opens("launch")


async def test_a_limit_is_kept_also_by_the_question_after_the_news(
    stage: Stage, github: Github
) -> None:
    github.status = 403
    github.headers = {"Retry-After": "2"}
    await stage.start(POLICY, product=product_of(stage, repo="limited"))
    assert "answered 403, its rate limit" in await why(stage, "cannot tell since ")

    github.status, github.headers, github.state = 200, {}, "closed"
    await stage.gate_opens("launch")
    assert min(later - at for at, later in pairwise(github.times)) >= 2


async def test_a_product_that_lacks_a_value_is_asked_about_once_it_has_it(
    stage: Stage, github: Github
) -> None:
    github.state = "closed"
    await stage.start(POLICY, product=product_of(stage))
    said = await why(stage, "cannot tell since ")
    assert "repo asks for {repo}, and there is no figure repo; phasegate product update" in said
    assert github.paths == []
    data = (await changing.definition(stage.engine, stage.key)).model_dump(mode="json")

    async def update(**figures: Any) -> str:
        product = Product.model_validate({**data, "figures": figures})
        request = UpdateProductRequest(actor="olga", product=product, request_id=new_request_id())
        return (await changing.update(stage.engine, stage.key, request)).text

    assert "can be asked" not in await update(repo="../kettle")
    assert github.paths == []
    assert "milestone shipped can be asked now" in await update(repo="kettle")
    await stage.gate_opens("launch")
    assert set(github.paths) == {"/repos/acme/kettle/milestones/3"}
    # The first question was taken back, and another one asked.
    await Replayer(workflows=[], plugins=[phasegate_plugin()]).replay_workflow(
        await stage.history()
    )


async def test_an_owner_cannot_change_what_is_asked(stage: Stage, github: Github) -> None:
    await stage.start(POLICY, product=product_of(stage, repo="kettle"))
    await stage.becomes(phase="build")
    await github.asked(2)
    data = (await changing.definition(stage.engine, stage.key)).model_dump(mode="json")
    product = Product.model_validate({**data, "figures": {"repo": "empty"}})
    request = UpdateProductRequest(actor="olga", product=product, request_id=new_request_id())
    await changing.update(stage.engine, stage.key, request)
    await github.asked(3)
    assert set(github.paths) == {"/repos/acme/kettle/milestones/3"}
