"""Polling a real system: what it says, and above all what is never taken for "met"."""

from __future__ import annotations

import gzip
import json
import socket
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from pydantic import ValidationError
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory
from temporalio.testing import ActivityEnvironment

from activities import asking, milestones
from phasegate.check import HttpCheck
from phasegate.ports import Finding, MilestoneFinding, MilestoneQuery

DAY = timedelta(days=1)


async def poll(
    url: str,
    known: Finding = Finding.not_met,
    expression: str = "body.open == 0",
    every: str = "15 minutes",
) -> MilestoneFinding:
    check = HttpCheck.model_validate(
        {"kind": "http", "url": url, "expression": expression, "every": every}
    )
    query = MilestoneQuery(product="atlas", milestone="beta", check=check, known=known)
    finding: MilestoneFinding = await ActivityEnvironment().run(milestones.check_milestone, query)
    return finding


async def poll_unchanged(url: str, known: Finding, **more: Any) -> ApplicationError:
    with pytest.raises(ApplicationError) as error:
        await poll(url, known, **more)
    assert error.value.type == "unchanged"
    assert error.value.category is ApplicationErrorCategory.BENIGN
    assert not error.value.non_retryable
    return error.value


async def test_met(web: Any) -> None:
    before = datetime.now(UTC)
    found = await poll(web.answer("/x", body=b'{"open": 0}'))
    assert found.finding is Finding.met
    assert before <= found.at <= datetime.now(UTC)
    assert "body.open == 0 is true" in found.why
    (asked,) = web.asked
    assert asked.method == "GET"
    assert asked.headers["User-Agent"].startswith("phasegate/0.")
    assert asked.headers["Accept"] == "application/json"


async def test_unchanged_waits_for_the_next_poll(web: Any) -> None:
    error = await poll_unchanged(web.answer("/x", body=b'{"open": 3}'), Finding.not_met)
    assert error.next_retry_delay == timedelta(minutes=15)
    assert "milestone beta of atlas is still not-met" in error.message
    url = web.answer("/x", body=b'{"open": 0}')
    error = await poll_unchanged(url, Finding.met, every="0.2 seconds")
    assert error.next_retry_delay == timedelta(seconds=0.2)


async def test_a_system_that_answers_again(web: Any) -> None:
    found = await poll(web.answer("/x", body=b'{"open": 3}'), Finding.cannot_tell)
    assert found.finding is Finding.not_met
    assert (await poll(web.url + "/x", Finding.met)).finding is Finding.not_met


@pytest.mark.parametrize(
    ("status", "body", "expression", "why"),
    [
        (404, b'{"open": 0}', "body.open == 0", "answered 404"),
        (500, b'{"open": 0}', "true", "answered 500"),
        (304, b"", "true", "answered 304"),
        (200, b"<html>", "true", "did not answer JSON"),
        (200, b"", "true", "did not answer JSON"),
        (200, b'{"open": NaN}', "true", "did not answer JSON"),
        (200, b"[" * 100_000, "true", "did not answer JSON"),
        (200, b"9" * 10_000, "true", "did not answer JSON"),
        (200, b"\xff\xfe\xfa", "true", "did not answer JSON"),
        (200, b'{"shut": 0}', "body.open == 0", "cannot be evaluated"),
        (200, b'{"open": 1}', "body.open", "not true or false"),
        (200, b'{"open": "true"}', "body.open", "not true or false"),
        (200, b"null", "body", "not true or false"),
        (200, b'{"open": 0}', "body.open ==", "does not compile"),
        (200, b'{"open": ' + str(2**70).encode() + b"}", "body.open > 1", "out of range"),
        (200, json.dumps("x" * 1024 * 1024).encode(), "true", "more than 1048576 bytes"),
    ],
)
async def test_anything_else_cannot_tell(
    web: Any, status: int, body: bytes, expression: str, why: str
) -> None:
    url = web.answer("/x", status, body)
    found = await poll(url, expression=expression)
    assert found.finding is Finding.cannot_tell
    assert why in found.why
    assert len(found.why) < 400
    error = await poll_unchanged(url, Finding.cannot_tell, expression=expression)
    assert why in error.message
    assert error.next_retry_delay == timedelta(minutes=15)


async def test_a_body_at_the_limit_is_read(web: Any) -> None:
    body = json.dumps("x" * (1024 * 1024 - 2)).encode()
    found = await poll(web.answer("/x", body=body), expression="body.size() == 1048574")
    assert found.finding is Finding.met


async def test_an_endless_body_is_not_read_to_its_end(web: Any) -> None:
    sent = 0

    def flood(handler: BaseHTTPRequestHandler) -> None:
        nonlocal sent
        handler.send_response(200)
        handler.end_headers()
        while True:
            sent += handler.wfile.write(b" " * 65536)

    web.answers["/x"] = flood
    found = await poll(web.url + "/x")
    assert "more than" in found.why
    assert sent < 32 * 1024 * 1024


async def test_an_endless_redirect_body_is_not_read_either(web: Any) -> None:
    def flood(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(302)
        handler.send_header("Location", "/y")
        handler.end_headers()
        while True:
            handler.wfile.write(b" " * 65536)

    web.answers["/x"] = flood
    web.answer("/y", body=b'{"open": 0}')
    assert (await poll(web.url + "/x")).finding is Finding.met


async def test_a_compressed_answer_is_not_unpacked(web: Any) -> None:
    body = gzip.compress(b'{"open": 0}')
    found = await poll(web.answer("/x", body=body, Content_Encoding="gzip"))
    assert found.finding is Finding.cannot_tell
    assert "compressed" in found.why
    assert web.asked[0].headers["Accept-Encoding"] == "identity"


async def test_a_trickle_ends_in_time(web: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every byte comes in time; all of them together would take a minute."""
    monkeypatch.setattr(asking, "SECONDS", 0.5)

    def trickle(handler: BaseHTTPRequestHandler) -> None:
        for _ in range(600):
            handler.wfile.write(b"H")
            time.sleep(0.1)

    web.answers["/x"] = trickle
    started = time.monotonic()
    found = await poll(web.url + "/x")
    assert time.monotonic() - started < 30
    assert found.finding is Finding.cannot_tell
    assert "no answer in time" in found.why


async def test_nobody_there() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/x"
        found = await poll(url)
    assert found.finding is Finding.cannot_tell
    assert "cannot be asked" in found.why


@pytest.mark.parametrize(
    "url",
    [
        "http://",
        "http://[",
        "http://no-such-host.invalid/",
        "http://a:b:c/",
        "http://x:99999/",
        "http://" + "a" * 300 + "/",
        "http:///x",
        "http://\u2028/",
    ],
)
async def test_unusable_addresses_cannot_tell(url: str) -> None:
    try:
        found = await poll(url)
    except ValidationError:
        return  # the check itself refuses it
    assert found.finding is Finding.cannot_tell


async def test_three_redirects_are_followed_and_four_are_not(web: Any) -> None:
    for n in range(4):
        web.answer(f"/{n}", 302, Location=f"/{n + 1}")
    web.answer("/4", body=b'{"open": 0}')
    assert (await poll(web.url + "/1")).finding is Finding.met
    found = await poll(web.url + "/0")
    assert found.finding is Finding.cannot_tell
    assert "more than 3 redirects" in found.why
    for location in ("file:///etc/passwd", "http://[", "gopher://x/"):
        found = await poll(web.answer("/away", 302, Location=location))
        assert found.finding is Finding.cannot_tell


@pytest.mark.parametrize("status", [429, 503])
async def test_retry_after_is_honoured_when_it_is_longer(web: Any, status: int) -> None:
    async def wait(value: str) -> timedelta:
        url = web.answer("/x", status, Retry_After=value)
        error = await poll_unchanged(url, Finding.cannot_tell)
        assert error.next_retry_delay
        return error.next_retry_delay

    every = timedelta(minutes=15)
    assert await wait("3600") == timedelta(hours=1)
    assert await wait("60") == every
    assert await wait("99999999999999999999999") == DAY
    for nonsense in ("soon", "-5", "", "1.5", "12h"):
        assert await wait(nonsense) == every
    later = datetime.now(UTC) + timedelta(hours=2)
    near = await wait(format_datetime(later, usegmt=True))
    assert timedelta(minutes=119) < near <= timedelta(hours=2)
    assert await wait(format_datetime(later + 9 * DAY, usegmt=True)) == DAY
    assert await wait(format_datetime(later - DAY, usegmt=True)) == every


async def test_retry_after_of_other_answers_is_ignored(web: Any) -> None:
    url = web.answer("/x", 404, Retry_After="3600")
    error = await poll_unchanged(url, Finding.cannot_tell)
    assert error.next_retry_delay == timedelta(minutes=15)


async def test_secrets_in_the_address_stay_out_of_the_texts(web: Any) -> None:
    web.answer("/x", 500)
    url = web.url.replace("http://", "http://ann:secret-word@") + "/x?token=secret-word"
    found = await poll(url)
    assert "secret-word" not in found.why
    assert "/x answered 500" in found.why
    assert web.asked[0].path == "/x?token=secret-word"
    assert web.asked[0].headers["Authorization"].startswith("Basic ")
