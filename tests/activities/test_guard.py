"""What may be called, at the connection: where a name really leads, and nowhere else."""

from __future__ import annotations

import socket
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from acting import Acting, order_of
from receiver import SECRET, receiving

from activities import asking
from activities.channels import Refused
from activities.connecting import CannotTell
from activities.receivers import Receivers
from integrations.document import Integrations
from integrations.reaching import ReachUnreadable, reach_of
from ledger import Entry, Ledger
from phasegate.check import HttpCheck
from phasegate.events import Announcement

ALLOW = "PHASEGATE_ALLOW_ADDRESSES"


@pytest.fixture
def nothing_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ALLOW)


@pytest.fixture
def entry(ledger: Ledger) -> Entry:
    at = datetime(2026, 11, 25, 9, tzinfo=UTC)
    ledger.append(
        "lamp",
        [Announcement(id="a", type="product.started", product="lamp", source="s", at=at, text="t")],
    )
    return ledger.events("lamp")[-1]


def check(url: str = "", **more: str) -> HttpCheck:
    where = {"url": url} if url else more
    return HttpCheck.model_validate(
        {"kind": "http", "expression": "body.open == 0", "every": "15 minutes", **where}
    )


async def why_not(asked: HttpCheck) -> str:
    with pytest.raises(CannotTell) as error:
        await asking.asked(asked)
    return error.value.why


def open_at(web: Any, path: str = "/x") -> int:
    web.answer(path, body=b'{"open": 0}')
    return int(web.url.rpartition(":")[2])


@pytest.mark.usefixtures("nothing_allowed")
@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "127.1", "[::ffff:127.0.0.1]"],
)
async def test_loopback_in_any_notation_is_not_called(web: Any, host: str) -> None:
    why = await why_not(check(f"http://{host}:{open_at(web)}/x"))
    assert "is loopback: not called unless allow_addresses of the installation has it" in why
    assert not web.asked


@pytest.mark.usefixtures("nothing_allowed")
async def test_metadata_of_a_cloud_is_not_called() -> None:
    why = await why_not(check("http://169.254.169.254/latest/meta-data/"))
    assert "169.254.169.254 is a cloud's metadata service" in why


async def test_a_redirect_leads_nowhere_else(web: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ALLOW, "127.0.0.1")
    port = open_at(web)
    url = web.answer("/from", 302, Location=f"http://127.0.0.2:{port}/x")
    assert "127.0.0.2 is loopback" in await why_not(check(url))
    assert [asked.path for asked in web.asked] == ["/from"]


async def test_a_name_is_resolved_once(web: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that resolves to something else the second time (DNS rebinding)."""
    monkeypatch.setenv(ALLOW, "127.0.0.1")
    port, real, asked = open_at(web), socket.getaddrinfo, []

    def rebinding(host: Any, *rest: Any, **more: Any) -> Any:
        if host == "rebinding.example":
            asked.append(host)
            host = "127.0.0.1" if len(asked) == 1 else "127.0.0.2"
        return real(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    url = f"http://rebinding.example:{port}/x"
    assert (await asking.asked(check(url))).finding == "met"
    assert asked == ["rebinding.example"]
    assert "rebinding.example, at 127.0.0.2, is loopback" in await why_not(check(url))


async def test_of_several_addresses_only_permitted_ones_are_tried(
    web: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ALLOW, "127.0.0.1")
    port = open_at(web)
    both = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"127.0.0.{n}", port)) for n in (2, 1)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
    assert (await asking.asked(check(f"http://two.example:{port}/x"))).finding == "met"
    assert web.asked[0].headers["Host"] == f"two.example:{port}"


@pytest.mark.usefixtures("nothing_allowed")
async def test_the_integrations_file_allows(
    web: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "integrations.yaml"
    monkeypatch.setenv("PHASEGATE_INTEGRATIONS", str(file))
    url = f"http://127.0.0.1:{open_at(web)}"
    side_car = f'{{url: "{url}", allow_addresses: [127.0.0.1]}}'
    inner = f'connections: {{ci: {{url: "{url}"}}, side: {side_car}}}'
    file.write_text(inner)
    assert "connection ci: " in await why_not(check(connection="ci", path="/x"))
    assert "is loopback" in await why_not(check(connection="ci", path="/x"))
    side = check(connection="side", path="/x")
    assert (await asking.asked(side)).finding == "met"
    assert "is loopback" in await why_not(check(f"{url}/x"))  # what is allowed to side is its own
    file.write_text(f"{inner}\nallow_addresses: [127.0.0.0/8]")
    assert (await asking.asked(check(f"{url}/x"))).finding == "met"


@pytest.mark.usefixtures("nothing_allowed")
async def test_a_call_of_a_sunset_is_not_made(web: Any, ledger: Ledger) -> None:
    error = await Acting(ledger).failed(order_of({"kind": "http", "url": web.answer("/off")}))
    assert error.type == "endpoint-refused"
    assert "is loopback: not called unless" in error.message
    assert "docs/integrations.md" in error.message
    assert not web.asked


@pytest.mark.usefixtures("nothing_allowed")
async def test_a_subscriber_is_not_told(
    ledger: Ledger, entry: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEY", SECRET)
    with receiving() as receiver:
        named = {"url": receiver.url, "secret": {"env": "KEY"}}
        found = Integrations.model_validate({"subscribers": {"erp": named}})
        channel = Receivers(ledger, found).channel("subscriber/erp")
        assert channel is not None
        answer = await channel.send(entry)
        assert isinstance(answer, Refused)
        assert "is loopback" in answer.why
        assert not receiver.requests


@pytest.mark.usefixtures("nothing_allowed")
async def test_a_proxy_is_not_asked_for_numbers_either(
    web: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proxy itself may be on loopback: it is the installation's setting."""
    open_at(web)
    monkeypatch.setenv("http_proxy", web.url)
    monkeypatch.setenv("no_proxy", "direct.example")
    for host in ("169.254.169.254", "0x7f.1", "127.0.0.1.", "localhost", "[::1]"):
        assert "not called unless" in await why_not(check(f"http://{host}/x"))
    assert not web.asked
    web.answers["http://ci.example/x"] = web.answers["/x"]
    assert (await asking.asked(check("http://ci.example/x"))).finding == "met"
    assert [asked.path for asked in web.asked] == ["http://ci.example/x"]


def test_a_malformed_setting_says_how() -> None:
    with pytest.raises(ReachUnreadable) as error:
        reach_of(Integrations(), env={ALLOW: "127.0.0.1, localhost"})
    assert "'localhost' is no address or network" in error.value.why
    assert "phasegate doctor" in error.value.hint
