"""Acts by HTTP: recognisable by the key, and never taken for done, or for not done, too soon."""

from __future__ import annotations

import json
import socket
import threading
import time
from datetime import timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from acting import KEY, Acting, order_of
from temporalio.exceptions import ApplicationError

from activities import act_http
from ledger import Ledger
from phasegate.sunset_ports import ActOrder

MINUTES_15 = timedelta(minutes=15)


@pytest.fixture
def acting(ledger: Ledger) -> Acting:
    return Acting(ledger)


def http(url: str, effect: str = "reversible", told: bool = False, **act: Any) -> ActOrder:
    return order_of({"kind": "http", "url": url, **act}, effect=effect, told=told)


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)


async def test_done(web: Any, acting: Acting) -> None:
    web.answer("/products/a%2Fb%20%C3%BC/signups", 202, b"accepted")
    order = order_of(
        {
            "kind": "http",
            "url": web.url + "/products/{product}/signups",
            "method": "PUT",
            "body": {"name": "{product}!", "reason": "{why}"},
        },
        product="a/b ü",
        values={"why": "end of life\non {purpose}"},
    )
    proof = await acting.done(order)
    assert proof.digest == "sha256:" + sha256(b"accepted").hexdigest()
    assert proof.data == {"status": 202, "bytes": 8, "whole_body": True}
    assert "answered 202" in proof.text
    (asked,) = web.asked
    assert asked.method == "PUT"
    assert json.loads(asked.body) == {"name": "a/b ü!", "reason": "end of life\non {purpose}"}
    assert asked.headers["Idempotency-Key"] == KEY
    assert asked.headers["Content-Type"] == "application/json"
    assert asked.headers["User-Agent"].startswith("phasegate/")


async def test_no_body_is_sent_where_none_is_written(web: Any, acting: Acting) -> None:
    await acting.done(http(web.answer("/x", 204), method="DELETE"))
    assert web.asked[0].body == b""
    assert "Content-Type" not in web.asked[0].headers


async def test_a_connection_brings_its_address_and_its_secret(
    web: Any, acting: Acting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "integrations.yaml"
    file.write_text(
        f"connections: {{billing: {{url: '{web.url}/api', token: {{env: BILLING_TOKEN}}}}}}"
    )
    monkeypatch.setenv("PHASEGATE_INTEGRATIONS", str(file))
    act = {"kind": "http", "connection": "billing", "path": "/plans/{product}?end=1"}
    error = await acting.failed(order_of(act))
    assert "connection billing: the secret $BILLING_TOKEN cannot be read" in error.message
    assert web.asked == []
    monkeypatch.setenv("BILLING_TOKEN", "s3cr3t")
    web.answer("/api/plans/atlas")
    proof = await acting.done(order_of(act))
    assert web.asked[0].path == "/api/plans/atlas?end=1"
    assert web.asked[0].headers["Authorization"] == "Bearer s3cr3t"
    assert proof.text == f"connection billing: POST {web.url}/api/plans/atlas answered 200"
    out = await acting.failed(order_of(act, product="..", key="other"))
    assert "dot segment" in out.message
    assert len(web.asked) == 1


async def test_the_proof_has_the_facts_of_the_answer(web: Any, acting: Acting) -> None:
    digest = "sha256:" + "ab" * 32
    body = json.dumps({"rows": 12, "digest": digest, "log": "x" * 501, "who": {"name": "db"}})
    url = web.answer("/x", 200, body.encode())
    wanted = {"rows": "body.rows", "digest": "body.digest", "by": "body.who.name"}
    missing = {"log": "body.log", "gone": "body.gone", "odd": "body.rows +"}
    proof = await acting.done(http(url, proof=wanted | missing))
    assert proof.digest == digest
    assert proof.data == {
        "status": 200,
        "bytes": len(body),
        "whole_body": True,
        "rows": 12,
        "digest": digest,
        "by": "db",
    }
    assert proof.text.endswith("; its answer does not show log, gone, odd")


async def test_an_answer_that_is_no_json_leaves_it_done(web: Any, acting: Acting) -> None:
    proof = await acting.done(http(web.answer("/x", 200, b"<ok>"), proof={"rows": "body.rows"}))
    assert proof.text.endswith("answered 200; its answer does not show rows")


@pytest.mark.parametrize("status", [408, 429, 503])
async def test_what_may_pass_is_called_again_soon(web: Any, acting: Acting, status: int) -> None:
    error = await acting.failed(http(web.answer("/x", status)))
    assert error.type == "endpoint-unavailable"
    assert f"answered {status}" in error.message
    assert error.next_retry_delay is None


async def test_retry_after_is_honoured(web: Any, acting: Acting) -> None:
    error = await acting.failed(http(web.answer("/x", 503, Retry_After="120"), "deletion"))
    assert error.next_retry_delay == timedelta(minutes=2)


@pytest.mark.parametrize("status", [301, 304, 307, 400, 401, 403, 404, 409, 410, 422])
@pytest.mark.parametrize("effect", ["reversible", "deletion"])
async def test_what_a_person_must_mend_is_called_again_later(
    web: Any, acting: Acting, status: int, effect: str
) -> None:
    web.answer("/y")
    order = http(web.answer("/x", status, Location="/y"), effect)
    error = await acting.failed(order)
    assert error.type == "endpoint-refused"
    assert error.next_retry_delay == timedelta(minutes=1)
    assert "goes on by itself" in error.message
    assert len(web.asked) == 1
    assert (await acting.failed(order, attempt=9)).next_retry_delay == timedelta(seconds=256)
    assert (await acting.failed(order, attempt=99)).next_retry_delay == timedelta(hours=1)


async def test_nobody_there(acting: Acting) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/x"
        for effect in ("reversible", "deletion"):  # nothing was sent: it is certain in both
            error = await acting.failed(http(url, effect))
            assert error.type == "endpoint-unavailable"
            assert "same Idempotency-Key" in error.message
    assert "cannot be reached" in (await acting.failed(http("http://no.invalid/x"))).message
    assert (await acting.failed(http("http://["))).type == "endpoint-unavailable"


@pytest.mark.parametrize("status", [500, 501, 502, 504, 599])
async def test_other_errors_of_the_server_may_be_after_the_act(
    web: Any, acting: Acting, status: int
) -> None:
    url = web.answer("/x", status)
    error = await acting.failed(http(url))
    assert error.type == "endpoint-unavailable"
    assert "may have done it or not" in error.message
    result = await acting.carry_out(http(url, "irreversible"))
    assert result.state == "unknown"
    assert result.why.endswith(f"it answered {status}")
    assert len(web.asked) == 2


async def test_a_connection_cut_before_the_answer(web: Any, acting: Acting) -> None:
    web.answers["/x"] = hang_up
    assert (await acting.failed(http(web.url + "/x"))).type == "endpoint-unavailable"
    assert (await acting.carry_out(http(web.url + "/x", "deletion"))).state == "unknown"
    assert len(web.asked) == 2


async def test_a_slow_answer(web: Any, acting: Acting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(act_http, "SECONDS", 2)  # it has to be connected within them, too
    over = threading.Event()
    web.answers["/x"] = lambda handler: over.wait(60)
    error = await acting.failed(http(web.url + "/x"))
    assert "no answer in time" in error.message
    result = await acting.carry_out(http(web.url + "/x", "deletion"))
    over.set()
    assert result.state == "unknown"
    assert "no answer in time" in result.why


@pytest.mark.parametrize("ending", ["cut", "trickle", "flood"])
async def test_a_2xx_is_done_whatever_becomes_of_the_body(
    web: Any, acting: Acting, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    monkeypatch.setattr(act_http, "BODY_SECONDS", 0.4)

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
    proof = await acting.done(http(web.url + "/x", "deletion", proof={"rows": "body.rows"}))
    assert proof.data == {"status": 200, "bytes": proof.data["bytes"], "whole_body": False}
    assert proof.data["bytes"] <= 1024 * 1024
    assert "does not show rows" in proof.text
    assert len(web.asked) == 1


async def test_secrets_in_the_address_stay_out_of_the_texts(web: Any, acting: Acting) -> None:
    web.answer("/x", 403)
    url = web.url.replace("http://", "http://ann:secret-word@") + "/x?token=secret-word"
    assert "secret-word" not in (await acting.failed(http(url))).message
    web.answer("/x", 500)
    assert "secret-word" not in (await acting.carry_out(http(url, "deletion"))).why
    web.answer("/x")
    assert "secret-word" not in (await acting.done(http(url))).model_dump_json()


async def test_a_value_that_is_missing_or_unfit_is_said(web: Any, acting: Acting) -> None:
    error = await acting.failed(http(web.url + "/{tenant}"))
    assert "there is no value for {tenant}" in error.message
    order = order_of({"kind": "http", "url": web.url + "/{t}"}, values={"t": "a\nb"})
    assert "control character" in (await acting.failed(order)).message
    assert web.asked == []


async def test_people_are_told_once_that_it_is_stuck(web: Any, acting: Acting) -> None:
    url = web.answer("/x", 503)
    await acting.failed(http(url), after=MINUTES_15 - timedelta(seconds=1))
    for effect in ("reversible", "deletion"):
        result = await acting.carry_out(http(url, effect), after=MINUTES_15)
        assert result.state == "stuck"
        assert result.why.endswith("it answered 503")
        month = timedelta(days=30)
        await acting.failed(http(url, effect, told=True), after=month, attempt=700)
    web.answer("/x")
    assert (await acting.carry_out(http(url, "deletion", told=True))).state == "done"


async def test_acts_of_people_are_no_activity(acting: Acting) -> None:
    with pytest.raises(ApplicationError) as error:
        await acting.carry_out(order_of({"kind": "manual"}))
    assert error.value.non_retryable
    assert error.value.type == "act-unfit"
