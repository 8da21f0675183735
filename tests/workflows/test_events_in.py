"""Events of other systems, through a real `phasegate serve`, move milestones of real products."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import webhooks
from served import SECRET, SIGNING, Served, serving
from stage import Stage
from webhooks import as_body

from client.asking import ask
from client.dev_server import dev_server, free_port
from client.engine import Engine
from client.happenings import tell, waiting
from client.settings import Settings
from phasegate.happenings import EventRequest, Happening
from phasegate.ids import product_id
from worker import build_worker

CLOSED = as_body(webhooks.GITHUB_MILESTONE_CLOSED)
REPO = "Codertocat/Hello-World"


@pytest.fixture(scope="module")
async def serve(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    async with serving(tmp_path_factory.mktemp("serve")) as process:
        yield process


def policy(key: str, *milestones: str) -> str:
    listed = "".join(f"\n      - {milestone}" for milestone in milestones)
    return f"""
policy: {key}
version: "1"
title: Told by others
phases:
  - id: build
    title: Build
    milestones:{listed}
    gate: {{id: launch, title: Launch, requires: [{{group: product}}]}}
  - id: market
    title: Market
    milestones:
      - {{id: later, title: Later, check: {{kind: event, source: github, type: {key}-later}}}}
    gate: {{id: retire, title: Retire, opens: submit, requires: [{{group: product}}]}}
"""


def milestone(id: str, type: str, *, source: str = "github", **more: str) -> str:
    fields = {"kind": "event", "source": source, "type": type, **more}
    check = ", ".join(f"{name}: {value!r}" for name, value in fields.items())
    return f"{{id: {id}, title: {id.title()}, check: {{{check}}}}}"


async def begin(stage: Stage, *milestones: str) -> None:
    """Start it, and wait until the server lists it as waiting: that takes a moment."""
    await stage.start(policy(stage.key, *milestones))
    await stage.becomes(phase="build")
    query = f"WorkflowId = '{product_id(stage.key)}' AND PhasegateWaitingOn IS NOT NULL"

    async def listed() -> bool | None:
        return True if (await stage.engine.client.count_workflows(query)).count else None

    await stage.until(listed, "it is listed as waiting")


async def states(stage: Stage) -> dict[str, str]:
    return {m.id: m.state for m in (await stage.product()).milestones}


def of(answer: httpx2.Response, stage: Stage) -> list[tuple[str, str, str]]:
    """What the answer says of this product: others on this server hear the same events."""
    assert answer.status_code == 202, answer.text
    return [
        (found["milestone"], found["state"], found["why"])
        for found in answer.json()["milestones"]
        if found["product"] == stage.key
    ]


def closed(delivery: str, **changes: Any) -> tuple[str, dict[str, str], bytes]:
    body = as_body({**webhooks.GITHUB_MILESTONE_CLOSED, **changes})
    return "github", webhooks.github(SECRET, "milestone", body, delivery), body


async def test_a_recorded_github_webhook_moves_a_milestone_and_again_changes_nothing(
    stage: Stage, serve: Served
) -> None:
    when = "event.data.action == 'closed' && event.data.milestone.title == 'v1.0'"
    await begin(stage, milestone("shipped", "milestone", subject=REPO, when=when))
    answer = await serve.post(*closed("first"))
    assert of(answer, stage) == [("shipped", "moved", "")]
    await stage.gate_opens("launch")  # the phase's only milestone is met
    await stage.written()
    told = [e.announcement for e in stage.engine.ledger.events(stage.key, types=["milestone.met"])]
    assert [(a.actor, a.data["event"], a.text) for a in told] == [
        (
            "source:github",
            {
                "source": "github",
                "origin": f"https://github.com/{REPO}",
                "type": "milestone",
                "subject": REPO,
                "id": "first",
            },
            f"Shipped is met: github says milestone about {REPO} (first)",
        )
    ]
    length = await stage.at_rest()
    for _ in range(2):
        again = await serve.post(*closed("first"))
        assert of(again, stage) == [("shipped", "before", "")]
    assert of(await serve.post(*closed("second")), stage) == [("shipped", "settled", "")]
    assert await stage.added(length) == []
    await stage.written()
    assert stage.story().count("milestone.met") == 1
    lines = await serve.saying("event taken")
    assert {"source": "github", "type": "milestone", "id": "first"}.items() <= lines[0].items()


async def test_only_the_declared_events_move_it(stage: Stage, serve: Served) -> None:
    when = "event.data.action == 'closed' && product.tier == 2 && product.key == 'KEY'"
    when = when.replace("KEY", stage.key)
    await begin(
        stage,
        milestone("shipped", "milestone", subject=REPO, when=when),
        milestone("judged", "milestone", subject=REPO, when="event.data.milestone.dream == 'x'"),
        milestone("elsewhere", "milestone", subject="other/repo"),
        milestone("released", "release", subject=REPO),
        milestone("bus", "milestone", source="bus"),
    )
    opened = await serve.post(*closed("1", action="opened"))
    unsure = ("judged", "unmet", "cannot be evaluated: there is no dream")
    assert of(opened, stage) == [("shipped", "unmet", ""), unsure]
    assert of(await serve.post(*closed("2")), stage) == [("shipped", "moved", ""), unsure]
    assert await states(stage) == {
        "shipped": "met",
        "judged": "planned",
        "elsewhere": "planned",
        "released": "planned",
        "bus": "planned",
    }
    assert not any("dream" in line for line in serve.raw)  # data and reasons are not logged


async def test_every_kind_of_source(stage: Stage, serve: Served) -> None:
    """GitHub, GitLab, Standard Webhooks and CloudEvents, each by its own proof."""
    key = stage.key
    await begin(
        stage,
        milestone("release", "release", subject=REPO, when="event.data.release.tag_name=='0.0.1'"),
        milestone(
            "pipeline",
            "Pipeline Hook",
            source="gitlab",
            subject="gitlab-org/gitlab-test",
            when="event.data.object_attributes.status == 'success'",
        ),
        milestone(
            "tag", "Tag Push Hook", source="gitlab", when="event.subject == 'jsmith/example'"
        ),
        milestone("deployed", "deploy.done", source="hooks", when=f"event.data.key == '{key}'"),
        milestone("structured", f"{key}.a", source="bus", when="event.source == '/ci'"),
        milestone("binary", f"{key}.b", source="bus", subject=key),
        milestone("batched", f"{key}.c", source="bus"),
    )
    bearer = {"Authorization": f"Bearer {SECRET}"}
    cloud = {"specversion": "1.0", "source": "/ci", "subject": key}
    release = as_body(webhooks.GITHUB_RELEASE_PUBLISHED)
    deploy = as_body({"type": "deploy.done", "timestamp": "2026-11-23", "data": {"key": key}})
    sent = {
        "release": ("github", webhooks.github(SECRET, "release", release, key), release),
        "pipeline": (
            "gitlab",
            webhooks.gitlab(SECRET, "Pipeline Hook"),
            as_body(webhooks.GITLAB_PIPELINE),
        ),
        "tag": (
            "gitlab",
            webhooks.gitlab(SECRET, "Tag Push Hook"),
            as_body(webhooks.GITLAB_TAG_PUSH),
        ),
        "deployed": ("hooks", webhooks.standard(SIGNING, deploy, id=key), deploy),
        "structured": (
            "bus",
            {**bearer, "Content-Type": "application/cloudevents+json"},
            as_body({**cloud, "id": "1", "type": f"{key}.a"}),
        ),
        "binary": (
            "bus",
            {
                **bearer,
                "Content-Type": "text/plain",
                "ce-id": "1",  # of another type, and so of another event, by its own source
                "ce-source": "/other",
                "ce-type": f"{key}.b",
                "ce-specversion": "1.0",
                "ce-subject": key,
            },
            b"it works",
        ),
        "batched": (
            "bus",
            {**bearer, "Content-Type": "application/cloudevents-batch+json"},
            as_body([{**cloud, "id": n, "type": f"{key}.c"} for n in ("2", "3")]),
        ),
    }
    for name, request in sent.items():
        answer = await serve.post(*request)
        moved = [found[0] for found in of(answer, stage) if found[1] == "moved"]
        assert moved == [name], answer.text
    assert set((await states(stage)).values()) == {"met"}
    again = await serve.post(*sent["batched"])
    assert of(again, stage) == [("batched", "before", ""), ("batched", "settled", "")]


async def test_what_nobody_waits_for_is_taken_and_moves_nothing(serve: Served) -> None:
    headers = {
        "Authorization": f"Bearer {SECRET}",
        "Content-Type": "application/cloudevents+json",
    }
    body = as_body({"specversion": "1.0", "id": "1", "source": "/x", "type": "unheard-of"})
    answer = await serve.post("bus", headers, body)
    assert answer.status_code == 202
    assert (answer.json()["events"], answer.json()["moved"], answer.json()["milestones"]) == (
        1,
        0,
        [],
    )


async def test_a_wrong_signature_moves_nothing(stage: Stage, serve: Served) -> None:
    await begin(stage, milestone("shipped", "milestone"))
    source, headers, body = closed("forged")
    answer = await serve.post(source, headers, body.replace(b"v1.0", b"v2.0"))
    assert answer.status_code == 401
    assert await states(stage) == {"shipped": "planned"}


async def test_an_event_before_its_phase_is_not_kept(stage: Stage, serve: Served) -> None:
    await begin(stage, milestone("shipped", f"{stage.key}-now"))

    def happening(type: str) -> tuple[str, dict[str, str], bytes]:
        body = as_body({"repository": {"full_name": REPO}})
        return "github", webhooks.github(SECRET, f"{stage.key}-{type}", body, type), body

    assert of(await serve.post(*happening("later")), stage) == []
    assert of(await serve.post(*happening("now")), stage) == [("shipped", "moved", "")]
    await stage.gate_opens("launch")
    await stage.vote("launch", "ana", "go")
    await stage.becomes(phase="market")  # in another run of the workflow

    async def heard() -> bool | None:
        return True if of(await serve.post(*happening("later")), stage) else None

    await stage.until(heard, "the milestone of the new phase hears its event")
    assert (await states(stage))["later"] == "met"
    assert of(await serve.post(*happening("now")), stage) == []  # no longer listed, and not moved
    await stage.written()
    assert stage.story().count("milestone.met") == 2


async def test_the_workflow_itself_refuses_what_it_does_not_wait_for(stage: Stage) -> None:
    """Whoever can reach Temporal may send the Update; it looks itself, and keeps no trace."""
    await begin(stage, milestone("shipped", "milestone", subject=REPO), "{id: plain, title: Plain}")
    handle = stage.engine.workflow(product_id(stage.key))

    async def sent(milestone: str, **more: str) -> str:
        given = {
            "source": "github",
            "origin": "x",
            "type": "milestone",
            "subject": REPO,
            "id": "1",
        }
        event = Happening.model_validate({**given, **more})
        return await stage.refused_or(ask(handle, "event", EventRequest.of(event, milestone)))

    length = await stage.at_rest()
    assert await sent("shipped", subject="other/repo") == "event-not-awaited"
    assert await sent("shipped", type="release") == "event-not-awaited"
    assert await sent("plain") == "event-not-awaited"
    assert await sent("nothing") == "unknown-milestone"
    assert await stage.added(length) == []
    assert await sent("shipped") == ""
    assert await sent("shipped", id="2") == "milestone-settled"
    assert await sent("shipped") == ""  # the same again is answered the same
    assert await stage.refused(stage.report("shipped")) == "milestone-settled"


async def test_a_milestone_on_hold_hears_and_a_cancelled_product_does_not(
    stage: Stage, serve: Served
) -> None:
    await begin(stage, milestone("one", f"{stage.key}"), milestone("two", f"{stage.key}-2"))
    await stage.owner("hold")
    body = as_body({"repository": {"full_name": REPO}})
    first = ("github", webhooks.github(SECRET, stage.key, body, "h"), body)
    assert of(await serve.post(*first), stage) == [("one", "moved", "")]
    await stage.owner("cancel")
    await stage.becomes(status="cancelled")
    query = f"WorkflowId = '{product_id(stage.key)}' AND ExecutionStatus = 'Running'"

    async def gone() -> bool | None:
        return None if (await stage.engine.client.count_workflows(query)).count else True

    await stage.until(gone, "it is not listed as running any more")
    second = ("github", webhooks.github(SECRET, f"{stage.key}-2", body, "i"), body)
    assert of(await serve.post(*second), stage) == []


async def test_a_gate_of_the_sunset_may_wait_for_an_event(stage: Stage, serve: Served) -> None:
    await stage.start(f"""
policy: {stage.key}
version: "1"
title: Leaving
phases:
  - id: market
    title: Market
    in_market: true
    milestones:
      - {milestone("migrated", stage.key)}
    gate: {{id: retire, title: Retire, opens: submit, requires: [{{group: product}}]}}
sunset:
  tasks:
    - id: down
      title: Take it down
      kind: gate
      gate:
        id: down
        title: Take it down
        requires: [{{group: product}}]
        criteria: [{{id: all-gone, text: Everybody has migrated, milestone: migrated}}]
""")
    await stage.becomes(phase="market")
    await stage.submit()
    await stage.gate_opens("retire")
    await stage.vote("retire", "ana", "go")
    await stage.gate_opens("down")
    await stage.vote("down", "ana", "go")
    assert (await stage.gate("down")).status == "open"  # the must is not met
    body = as_body({"repository": {"full_name": REPO}})
    request = ("github", webhooks.github(SECRET, stage.key, body, stage.key), body)

    async def heard() -> bool | None:
        return True if of(await serve.post(*request), stage) else None

    await stage.until(heard, "the event is heard in the sunset")
    await stage.becomes(status="retired")


async def test_one_event_meets_milestones_of_many_products_at_once(
    another: Any, serve: Served
) -> None:
    lives = [another(str(n)) for n in range(12)]
    await asyncio.gather(*(begin(one, milestone("told", "shared-event")) for one in lives))
    body = as_body({"repository": {"full_name": REPO}})
    request = ("github", webhooks.github(SECRET, "shared-event", body, "many"), body)

    async def sent() -> httpx2.Response:
        """Once more where there was no time to tell everybody, as senders do."""
        for _ in range(3):
            answer = await serve.post(*request)
            if answer.status_code != 503:
                break
        return answer

    answers = await asyncio.gather(*(sent() for _ in range(3)))
    for stage in lives:
        assert (await states(stage))["told"] == "met"
        await stage.written()
        assert stage.story().count("milestone.met") == 1
    assert all(answer.status_code == 202 for answer in answers)


async def test_more_than_the_attribute_holds_is_still_heard(stage: Stage) -> None:
    many = [milestone(f"m{n:02}", f"{'x' * 60}-{n}", subject="s" * 90) for n in range(40)]
    await begin(stage, *many)
    found = (await stage.engine.workflow(product_id(stage.key)).describe()).search_attributes
    keys = found["PhasegateWaitingOn"]
    assert "event:*" in keys
    assert sum(len(str(key)) + 3 for key in keys) <= 1500
    event = Happening(
        source="github", origin="x", type=f"{'x' * 60}-39", subject="s" * 90, id=stage.key
    )
    assert product_id(stage.key) in await waiting(stage.engine.client, event)
    told = await tell(stage.engine.client, event, None)
    assert [(t.milestone, t.state) for t in told if t.product == stage.key] == [("m39", "moved")]


KILLED = """
import os, signal, sys
import client.happenings as happenings
asked = happenings.ask
async def ask_and_die(*given):
    await asked(*given)
    os.kill(os.getpid(), signal.SIGKILL)  # the product has answered, the sender has not been told
happenings.ask = ask_and_die
import serving.taking
serving.taking.ANSWER = 60  # on a slow machine it would say before that there was no time
import cli
sys.exit(cli.main())
"""


async def test_killed_between_the_update_and_the_answer_the_retry_moves_nothing_twice(
    stage: Stage, serve: Served, tmp_path: Path
) -> None:
    # Nobody else waits for it: it would kill the sender before we are told.
    await begin(stage, milestone("shipped", stage.key), "{id: plain, title: Plain}")
    body = as_body({"repository": {"full_name": REPO}})
    request = ("github", webhooks.github(SECRET, stage.key, body, "killed"), body)
    async with serving(tmp_path, command=(sys.executable, "-c", KILLED)) as dying:
        with pytest.raises(httpx2.TransportError):
            await dying.post(*request)
        assert await dying.ended() == -signal.SIGKILL
    answer = await serve.post(*request)
    assert of(answer, stage) == [("shipped", "before", "")]
    await stage.written()
    assert stage.story().count("milestone.met") == 1


@pytest.mark.slow
async def test_a_server_or_worker_that_is_away_is_503_and_the_retry_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port, database = free_port(), tmp_path / "t.db"
    address = f"127.0.0.1:{port}"
    monkeypatch.setenv("TEMPORAL_ADDRESS", address)
    settings = Settings(tmp_path, f"sqlite:///{tmp_path / 'l.db'}", "phasegate", "http://x")
    async with dev_server(database=database, port=port, ui_port=None) as server:
        engine = await Engine.connect(settings)
        stage = Stage(engine, "away")
        async with serving(tmp_path, TEMPORAL_ADDRESS=address) as process:
            async with build_worker(engine.client, settings):
                await begin(stage, milestone("shipped", "milestone"))
                assert (await process.http.get(f"{process.url}/readyz")).status_code == 200
            # Temporal is there, and nobody works.
            answer = await process.post(*closed("away"))
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
            server.process.kill()
            await server.process.wait()
            answer = await process.post(*closed("away"))
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
            assert (await process.http.get(f"{process.url}/readyz")).status_code == 503
            assert (await process.http.get(f"{process.url}/healthz")).status_code == 200
            async with (
                dev_server(database=database, port=port, ui_port=None),
                build_worker(engine.client, settings),
            ):

                async def taken() -> list[tuple[str, str, str]] | None:
                    again = await process.post(*closed("away"))
                    return (of(again, stage) or None) if again.status_code == 202 else None

                (found,) = await stage.until(taken, "the retry is taken")
                assert found[:2] in (("shipped", "moved"), ("shipped", "before"))
                assert await states(stage) == {"shipped": "met"}

                async def ready() -> bool | None:  # one look counts for a second
                    answer = await process.http.get(f"{process.url}/readyz")
                    return answer.status_code == 200 or None

                await stage.until(ready, "it is ready again")
                await stage.written()
                assert stage.story().count("milestone.met") == 1
        engine.ledger.close()
