"""No secret in a text that is kept: neither one that was read, nor what looks like one."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import time
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from temporalio.exceptions import ApplicationError

from client.logs import configure_logs, hidden_error
from integrations import hiding
from integrations.hiding import hidden
from integrations.secret import Secret

CANARY = 'c4nary "s3cret"\\ü&/value'


@pytest.fixture(autouse=True)
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hiding, "_known", {})


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What is logged, at DEBUG."""
    root, config = logging.getLogger(), structlog.get_config()
    before, level = list(root.handlers), root.level
    written = io.StringIO()
    configure_logs(json=True, level="DEBUG", to=written)
    yield written
    root.handlers[:] = before
    root.setLevel(level)
    structlog.configure(**config)


def test_a_secret_that_was_read_is_known_in_every_form() -> None:
    assert Secret(env="S").reveal({"S": CANARY}) == CANARY
    quoted = "c4nary%20%22s3cret%22%5C%C3%BC%26%2Fvalue"
    for form in (CANARY, quoted, b64encode(CANARY.encode()).decode(), repr(CANARY)[1:-1]):
        assert hidden(f"before {form} after") == "before *** after"


def test_each_line_of_a_secret_is_one(tmp_path: Path) -> None:
    (file := tmp_path / "secret").write_text("first line\nab\nthird line\n")
    Secret(file=str(file)).reveal()
    assert hidden("first line; ab; third line") == "***; ab; ***"


def test_a_short_value_hides_no_words() -> None:
    Secret(env="S").reveal({"S": "gate"})
    assert hidden("the gate is open") == "the gate is open"


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("Authorization: Bearer abcdefgh1", "Authorization: ***"),
        ("{'Authorization': 'Basic dXNlcjpwdw=='}", "{'Authorization': '***'}"),
        ("[(b'authorization', b'Bearer abcdefgh1')]", "[(b'authorization', b'Bearer ***')]"),
        ("{b'authorization': b'abc'}", "{b'authorization': b'***'}"),
        ("sent Bearer abc123.def_456 to it", "sent Bearer *** to it"),
        ("https://ana:open-sesame@example.com/x", "https://***@example.com/x"),
        ("https://ghp_token@example.com/x?a=1", "https://***@example.com/x?a=1"),
        ("postgresql+psycopg://gates:pw@db/ledger", "postgresql+psycopg://***@db/ledger"),
        ("GET /x?access_token=abcd&page=2", "GET /x?access_token=***&page=2"),
        ("/x?X-Amz-Signature=0f0f0f&sig=abcd", "/x?X-Amz-Signature=***&sig=***"),
        ('{"client_secret": "abcdef", "n": 1}', '{"client_secret": "***", "n": 1}'),
        ("password='hunter22' failed", "password='***' failed"),
        ("password=a*b-c-d failed", "password=*** failed"),
        ("PGPASSWORD=abcd1234 psql", "PGPASSWORD=*** psql"),
        ("PRIVATE-TOKEN: glpat-abcdefghijklmnop", "PRIVATE-TOKEN: ***"),
        ("it was ghp_0123456789abcdefghij.", "it was ***."),
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "***"),
        ("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ0ZXN0In0.abc-_1", "jwt ***"),
        # What must stay as it is.
        ("the token is not the source's secret", "the token is not the source's secret"),
        ("the secret $GITHUB_TOKEN cannot be read", "the secret $GITHUB_TOKEN cannot be read"),
        ("Basic authentication is refused", "Basic authentication is refused"),
        ("mailto:ana@example.com, 3 tokens", "mailto:ana@example.com, 3 tokens"),
        ("https://example.com/a@b", "https://example.com/a@b"),
    ],
)
def test_what_looks_like_a_secret(text: str, clean: str) -> None:
    assert hidden(text) == clean
    assert hidden(clean) == clean


def test_private_keys(tmp_path: Path) -> None:
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "ssh")]
    subprocess.run(command, check=True)
    subprocess.run(
        ["openssl", "genpkey", "-algorithm", "ed25519", "-out", str(tmp_path / "tls")],
        check=True,
        capture_output=True,
    )
    for name in ("ssh", "tls"):
        key = (tmp_path / name).read_text()
        assert hidden(f"a {key}b") == "a *** (a private key)\nb"
        assert hidden(json.dumps(key)).count("\\n") == 1
        assert hidden(key[:80]) == "*** (a private key)"  # cut off
    assert "ssh-ed25519 AAAA" in hidden((tmp_path / "ssh.pub").read_text())


def test_long_texts_take_no_time() -> None:
    started = time.monotonic()
    for part in ("a.", "a-", "eyJ-", "://", "token", "-----BEGIN PRIVATE KEY-----", "x" * 99):
        hidden(part * (200_000 // len(part)))
    assert time.monotonic() - started < 60


def test_every_line_of_the_log(lines: io.StringIO) -> None:
    Secret(env="S").reveal({"S": CANARY})
    log = structlog.get_logger("worker")
    log.debug("asked", url=f"https://x/?q={CANARY}", headers={"x-key": ("a", [CANARY])})
    log.info("set up", password="short", token_url="https://example.com", nothing=None, n=1)
    log.info("an object", what=ValueError(CANARY))
    logging.getLogger("some.package").warning("it said %s", CANARY, extra={"more": CANARY})
    try:
        raise ValueError(f"header {CANARY}")
    except ValueError:
        logging.getLogger("some.package").exception("it failed")
        log.exception("it failed", exc_info=True)
    written = lines.getvalue()
    assert "c4nary" not in written
    found = [json.loads(line) for line in written.splitlines()]
    assert len(found) == 6
    assert found[1]["password"] == "***"
    assert (found[1]["token_url"], found[1]["nothing"], found[1]["n"]) == (
        "https://example.com",
        None,
        1,
    )
    assert "ValueError: header ***" in found[5]["exception"]


@pytest.mark.usefixtures("lines")
def test_the_environment_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_API_KEY", "abcdefgh12")
    monkeypatch.setenv("PHASEGATE_LEDGER", "postgresql://gates:hunter2hunter2@db/x")
    configure_logs(json=True, to=io.StringIO())
    assert hidden("abcdefgh12 hunter2hunter2 db") == "*** *** db"


def test_an_error_that_a_history_keeps() -> None:
    Secret(env="S").reveal({"S": CANARY})
    plain = ApplicationError("it is not there", type="missing")
    assert hidden_error(plain) is plain
    try:
        try:
            raise ValueError(CANARY)
        except ValueError as cause:
            raise ApplicationError("it failed", "detail", type="failed") from cause
    except ApplicationError as error:
        clean = hidden_error(error)
    assert isinstance(clean, ApplicationError)
    assert (clean.message, clean.details, clean.type) == ("it failed", ("detail",), "failed")
    assert clean.__cause__ is None
    unexpected = hidden_error(KeyError(CANARY))
    assert isinstance(unexpected, ApplicationError)
    assert unexpected.type == "KeyError"
    assert "c4nary" not in unexpected.message


@pytest.mark.parametrize("name", ["PGPASSWORD", "MYSQL_PWD"])
def test_a_password_of_a_database_is_known(name: str) -> None:
    hiding.remember_environment({name: "correct horse"})
    assert hidden("it said: correct horse") == "it said: ***"
