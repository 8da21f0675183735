"""The codec for the Temporal UI: who is let in, what a browser may hand on, and what it answers."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from google.protobuf.json_format import MessageToDict, Parse
from served import INTEGRATIONS, Served, serving
from temporalio.api.common.v1 import Payload, Payloads

from client.codec import SealingCodec
from client.keyring import Keyring, write_keyring
from phasegate.errors import EngineError
from serving.codec import COOKIE
from serving.codec_beside import codec_beside
from serving.server import serve

UI, TOKEN = "https://temporal.acme.example", "a-token-that-is-long-enough"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
RING = Keyring.new("k1")
PAYLOAD = Payload(metadata={"encoding": b"json/plain"}, data=b'"canary"')
CODEC = f"""\
{INTEGRATIONS}codec: {{origin: "{UI}", token: {{env: CODEC_TOKEN}}}}
"""


@dataclass
class Ui:
    """A page of the Temporal UI in a browser."""

    http: httpx2.AsyncClient
    url: str

    async def asks(
        self, act: str, payloads: Payloads, headers: Mapping[str, str] | None = None
    ) -> httpx2.Response:
        sent = {"Origin": UI, "X-Namespace": "default", **(headers or {})}
        return await self.http.post(f"{self.url}/{act}", json=MessageToDict(payloads), headers=sent)


@pytest.fixture(scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    folder = tmp_path_factory.mktemp("codec")
    write_keyring(folder / "ring.json", RING, new=True)
    more = {"PHASEGATE_KEYS_FILE": str(folder / "ring.json"), "CODEC_TOKEN": TOKEN}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("served.INTEGRATIONS", CODEC)
        async with serving(folder, TEMPORAL_ADDRESS="127.0.0.1:1", **more) as process:
            yield process


@pytest.fixture
def ui(served: Served) -> Ui:
    return Ui(served.http, f"{served.url}/codec")


async def sealed() -> Payloads:
    return Payloads(payloads=await SealingCodec(RING).encode([PAYLOAD]))


async def test_it_decodes_and_encodes_for_who_has_the_token(ui: Ui) -> None:
    answer = await ui.asks("decode", await sealed(), BEARER)
    assert answer.status_code == 200
    assert Parse(answer.content, Payloads()) == Payloads(payloads=[PAYLOAD])
    assert answer.headers["access-control-allow-origin"] == UI
    assert answer.headers["cache-control"] == "no-store"
    answer = await ui.asks("encode", Payloads(payloads=[PAYLOAD]), BEARER)
    found = Parse(answer.content, Payloads())
    assert b"canary" not in found.SerializeToString()
    assert await SealingCodec(RING).decode(found.payloads) == [PAYLOAD]


async def test_what_it_has_no_key_for_stays_and_keeps_nothing_else_from_being_shown(ui: Ui) -> None:
    other = RING.with_key("k2").using("k2")
    unknown = (await SealingCodec(other).encode([PAYLOAD]))[0]
    asked = Payloads(payloads=[unknown, *(await sealed()).payloads, PAYLOAD])
    answer = await ui.asks("decode", asked, BEARER)
    assert list(Parse(answer.content, Payloads()).payloads) == [unknown, PAYLOAD, PAYLOAD]


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 401, "no-proof"),
        ({"Authorization": "Bearer wrong"}, 401, "no-proof"),
        ({"Authorization": f"Basic {TOKEN}"}, 401, "no-proof"),
        ({"Authorization": "Bearer"}, 401, "no-proof"),
        ({"Cookie": f"{COOKIE}=99999999999.00"}, 401, "no-proof"),
        ({"Cookie": f"{COOKIE}=x.{TOKEN}"}, 401, "no-proof"),
        ({**BEARER, "Origin": "https://evil.example"}, 403, "foreign-origin"),
        ({**BEARER, "Origin": "null"}, 403, "foreign-origin"),
    ],
)
async def test_nobody_else_is_let_in(
    ui: Ui, headers: dict[str, str], status: int, code: str
) -> None:
    answer = await ui.asks("decode", await sealed(), headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert b"canary" not in answer.content
    allowed = answer.headers.get("access-control-allow-origin")
    assert allowed == (UI if "Origin" not in headers else None)


async def test_a_browser_asks_before_and_is_told(ui: Ui) -> None:
    before = {
        "Origin": UI,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,x-namespace",
    }
    answer = await ui.http.options(f"{ui.url}/decode", headers=before)
    assert answer.status_code == 204
    allowed = answer.headers["access-control-allow-headers"].lower()
    assert all(name in allowed for name in ("authorization", "content-type", "x-namespace"))
    before["Origin"] = "https://evil.example"
    answer = await ui.http.options(f"{ui.url}/decode", headers=before)
    assert "access-control-allow-origin" not in answer.headers


async def test_a_login_is_a_cookie_that_no_script_and_no_other_site_can_use(ui: Ui) -> None:
    page = await ui.http.get(f"{ui.url}/login")
    assert "Token" in page.text
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    wrong = await ui.http.post(f"{ui.url}/login", data={"token": "wrong"})
    assert (wrong.status_code, wrong.headers.get("set-cookie")) == (401, None)
    given = await ui.http.post(f"{ui.url}/login", data={"token": TOKEN})
    cookie = given.headers["set-cookie"]
    assert all(word in cookie for word in ("HttpOnly", "Secure", "SameSite=strict", "Path=/codec"))
    assert TOKEN not in cookie
    session = {"Cookie": cookie.partition(";")[0]}
    answer = await ui.asks("decode", await sealed(), session)
    assert answer.status_code == 200
    late = session["Cookie"].replace("=1", "=0", 1)  # an end that has passed, unsigned
    assert (await ui.asks("decode", await sealed(), {"Cookie": late})).status_code == 401
    ui.http.cookies.clear()


@pytest.mark.parametrize("body", [b"{", b'{"payloads": 7}', b"\xff", b"[" * 50_000])
async def test_what_is_no_list_of_payloads_is_refused(ui: Ui, body: bytes) -> None:
    headers = {"Origin": UI, **BEARER}
    answer = await ui.http.post(f"{ui.url}/decode", content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")


async def test_too_much_is_not_read(ui: Ui) -> None:
    headers = {"Origin": UI, **BEARER}
    much = b" " * (8 * 1024 * 1024 + 1)
    answer = await ui.http.post(f"{ui.url}/decode", content=much, headers=headers)
    assert answer.status_code == 413
    assert (await ui.http.get(f"{ui.url}/decode", headers=headers)).status_code == 405


async def test_the_log_has_neither_token_nor_payload_nor_what_a_sender_wrote(
    served: Served, ui: Ui
) -> None:
    await ui.asks("decode", await sealed(), {"Authorization": "Bearer wrong-token"})
    event = {"specversion": "1.0", "id": "canary", "source": "/canary", "type": "canary.came"}
    headers = {"Authorization": "Bearer wrong", "Content-Type": "application/cloudevents+json"}
    await served.post("bus", headers, json.dumps(event).encode())
    await served.saying("event refused")
    text = "".join(served.raw)
    assert "payloads refused" in text
    assert not [word for word in ("canary", TOKEN, "wrong-token") if word in text]


async def test_it_is_not_served_where_the_mode_is_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "integrations.yaml").write_text(CODEC)
    monkeypatch.setenv("PHASEGATE_INTEGRATIONS", str(tmp_path / "integrations.yaml"))
    with pytest.raises(EngineError, match="confidential mode is off"):
        await serve("127.0.0.1", 0)


async def test_beside_dev_only_its_own_ui_is_answered() -> None:
    async with codec_beside(RING, 8233) as url, httpx2.AsyncClient(trust_env=False) as http:
        beside = Ui(http, url)
        for host in ("localhost", "127.0.0.1"):
            ours = {"Origin": f"http://{host}:8233"}
            assert (await beside.asks("decode", await sealed(), ours)).status_code == 200
        rebound = {"Origin": "http://localhost:8233", "Host": "evil.example:80"}
        for headers in ({"Origin": "http://localhost:9"}, rebound):
            assert (await beside.asks("decode", await sealed(), headers)).status_code == 403
        bare = await http.post(f"{url}/decode", json=MessageToDict(await sealed()))
        assert bare.status_code == 403
        assert (await http.get(f"{url}/login")).status_code == 404
