"""What doctor says of the integrations file: names of secrets, never their values."""

from __future__ import annotations

from pathlib import Path

import pytest

from client.checkup import Check
from client.integrations_health import examine_integrations

SECRET = "hunter2-s3cr3t"


async def examined(tmp_path: Path, text: str | None, **env: str) -> list[Check]:
    file = tmp_path / "integrations.yaml"
    if text is not None:
        file.write_text(text)
    env = {"PHASEGATE_INTEGRATIONS": str(file), **env}
    found = [check async for check in examine_integrations(env)]
    assert all(SECRET not in check.what + check.mend for check in found)
    return found


async def test_without_a_file_nothing_is_integrated() -> None:
    (found,) = [check async for check in examine_integrations({})]
    assert (found.state, "is not set" in found.what) == ("ok", True)


async def test_a_file_that_is_not_there_fails(tmp_path: Path) -> None:
    (found,) = await examined(tmp_path, None)
    assert (found.check, found.state) == ("integrations", "fail")
    assert "integrations.yaml cannot be read: No such file" in found.what


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            f"connections: {{ci: {{url: 'https://x', token: {SECRET}}}}}",
            ":1:45: connections.ci.token: needs env: NAME or file: PATH",
        ),
        (f"connections: {{ci: {{url: 'ftp://u:{SECRET}@x'}}}}", ":1:25: connections.ci.url: "),
        (f"connections: {{ci: {{url: 'https://u:{SECRET}@x'}}}}", "no user, no secret"),
        (f"connections: {{ci: {{url: 'https://x?key={SECRET}'}}}}", "no ? and no #"),
        ("connections: [", ":1:"),
        ("conections: {}", ":1:1: conections: unknown field, did you mean connections?"),
    ],
)
async def test_what_is_wrong_is_said_with_its_place_and_without_values(
    tmp_path: Path, text: str, said: str
) -> None:
    (found,) = await examined(tmp_path, text)
    assert found.state == "fail"
    assert said in found.what


async def test_every_secret_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    text = f"""
connections:
  ci: {{url: 'http://127.0.0.1:1', token: {{env: CI_TOKEN}}}}
  tracker: {{url: 'http://localhost', token: {{file: {tmp_path}/none}}}}
sources:
  hooks: {{kind: github, secret: {{env: HOOK}}}}
allow_addresses: [127.0.0.0/8, "::1"]
"""
    found, hosts = await examined(tmp_path, text, HOOK=SECRET)
    assert found.state == "fail"
    assert "connections.ci.token ($CI_TOKEN): the environment variable is not set" in found.what
    assert f"connections.tracker.token ({tmp_path}/none): No such file" in found.what
    assert "hooks" not in found.what
    assert (hosts.check, hosts.state) == ("connections", "ok")
    (tmp_path / "none").write_text(SECRET)
    found, _ = await examined(tmp_path, text, HOOK=SECRET, CI_TOKEN=SECRET)
    assert found.state == "ok"
    assert found.what.endswith(": 2 connections, 1 sources; 3 secrets can be read")


async def test_a_host_that_nobody_knows_is_a_warning(tmp_path: Path) -> None:
    text = "connections: {ci: {url: 'https://no-such-host.invalid/x'}, odd: {url: 'http://h:x'}}"
    _, found = await examined(tmp_path, text)
    assert found.state == "warn"
    assert "ci: https://no-such-host.invalid/x cannot be found: " in found.what
    assert "odd: http://h:x cannot be found: " in found.what


async def test_where_a_host_leads(tmp_path: Path) -> None:
    text = "connections: {ci: {url: 'http://127.0.0.1:1'}, api: {url: 'http://1.1.1.1'}}"
    found = await examined(tmp_path, text)
    assert found[-1].state == "warn"
    leads = "ci: http://127.0.0.1:1 leads to 127.0.0.1, which is loopback and not called"
    assert found[-1].what == leads
    assert "allow_addresses" in found[-1].mend
    (*_, allowed) = await examined(tmp_path, f"{text}\nallow_addresses: [127.0.0.1]")
    assert allowed.state == "ok"
    (*_, wrong) = await examined(tmp_path, text, PHASEGATE_ALLOW_ADDRESSES="here")
    assert (wrong.state, "PHASEGATE_ALLOW_ADDRESSES" in wrong.what) == ("fail", True)
