"""Calling endpoints: at least once, recognisable by the key, and never taken for done too soon."""

from __future__ import annotations

import json
import socket
import time
from datetime import timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities import ActivitySettings, retirement
from phasegate.ports import EndpointOrder, TaskProof
from phasegate.sunset import HttpTask

KEY = "product/atlas/sunset#disable-sign-ups"


async def call(url: str, product: str = "atlas", **task: Any) -> TaskProof:
    order = EndpointOrder(
        product=product,
        key=KEY,
        task=HttpTask.model_validate({"id": "t", "title": "T", "kind": "http", "url": url} | task),
    )
    settings = ActivitySettings(archive_root=Path("/nowhere"), archives=Path("/nowhere"))
    activities = retirement.RetirementActivities(settings)
    proof: TaskProof = await ActivityEnvironment().run(activities.call_endpoint, order)
    return proof


async def refused(url: str, **task: Any) -> ApplicationError:
    with pytest.raises(ApplicationError) as error:
        await call(url, **task)
    assert not error.value.non_retryable
    return error.value


async def test_done(web: Any) -> None:
    web.answer("/products/a%2Fb%20%C3%BC/signups", 202, b"accepted")
    proof = await call(
        web.url + "/products/{product}/signups",
        product="a/b ü",
        method="PUT",
        body={"name": "{product}!", "reason": "sunset"},
    )
    assert proof.digest == "sha256:" + sha256(b"accepted").hexdigest()
    assert proof.data == {"status": 202, "bytes": 8, "whole_body": True}
    assert "answered 202" in proof.text
    (asked,) = web.asked
    assert asked.method == "PUT"
    assert json.loads(asked.body) == {"name": "a/b ü!", "reason": "sunset"}
    assert asked.headers["Idempotency-Key"] == KEY
    assert asked.headers["Content-Type"] == "application/json"
    assert asked.headers["User-Agent"].startswith("phasegate/")


async def test_no_body_is_sent_where_none_is_written(web: Any) -> None:
    await call(web.answer("/x", 204), method="DELETE")
    assert web.asked[0].body == b""
    assert "Content-Type" not in web.asked[0].headers


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 599])
async def test_what_may_pass_is_called_again_soon(web: Any, status: int) -> None:
    error = await refused(web.answer("/x", status))
    assert error.type == "endpoint-unavailable"
    assert f"answered {status}" in error.message
    assert error.next_retry_delay is None


async def test_retry_after_is_honoured(web: Any) -> None:
    error = await refused(web.answer("/x", 503, Retry_After="120"))
    assert error.next_retry_delay == timedelta(minutes=2)


@pytest.mark.parametrize("status", [301, 304, 307, 400, 401, 403, 404, 409, 410, 422])
async def test_what_a_person_must_mend_is_called_again_later(web: Any, status: int) -> None:
    web.answer("/y")
    error = await refused(web.answer("/x", status, Location="/y"))
    assert error.type == "endpoint-refused"
    assert error.next_retry_delay == timedelta(minutes=1)
    assert "goes on by itself" in error.message
    assert len(web.asked) == 1


async def test_nobody_there(web: Any) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        error = await refused(f"http://127.0.0.1:{free.getsockname()[1]}/x")
    assert error.type == "endpoint-unavailable"
    assert "same Idempotency-Key" in error.message
    assert (await refused("http://[")).type == "endpoint-unavailable"


async def test_a_connection_cut_before_the_answer_is_called_again(web: Any) -> None:
    def hang_up(handler: BaseHTTPRequestHandler) -> None:
        handler.connection.shutdown(socket.SHUT_RDWR)

    web.answers["/x"] = hang_up
    assert (await refused(web.url + "/x")).type == "endpoint-unavailable"


async def test_a_slow_answer_is_called_again(web: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retirement, "SECONDS", 0.3)
    web.answers["/x"] = lambda handler: time.sleep(1)
    error = await refused(web.url + "/x")
    assert error.type == "endpoint-unavailable"
    assert "no answer in time" in error.message


@pytest.mark.parametrize("ending", ["cut", "trickle", "flood"])
async def test_a_2xx_is_done_whatever_becomes_of_the_body(
    web: Any, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    monkeypatch.setattr(retirement, "BODY_SECONDS", 0.4)

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "99999999")
        handler.end_headers()
        handler.wfile.write(b"begun")
        if ending == "cut":
            handler.connection.shutdown(socket.SHUT_RDWR)
        for _ in range(20 if ending == "trickle" else 0):
            time.sleep(0.1)
            handler.wfile.write(b".")
        while ending == "flood":
            handler.wfile.write(b" " * 65536)

    web.answers["/x"] = answer
    proof = await call(web.url + "/x")
    assert proof.data["status"] == 200
    assert proof.data["whole_body"] is False


async def test_secrets_in_the_address_stay_out_of_the_texts(web: Any) -> None:
    web.answer("/x", 403)
    url = web.url.replace("http://", "http://ann:secret-word@") + "/x?token=secret-word"
    assert "secret-word" not in (await refused(url)).message
    web.answer("/x")
    assert "secret-word" not in (await call(url)).model_dump_json()
