"""The integrations file, and the secrets that it points at."""

from __future__ import annotations

from pathlib import Path

import pytest

from integrations.document import Integrations, matches
from integrations.loading import IntegrationsUnreadable, load_integrations
from integrations.secret import Secret, SecretMissing
from phasegate.problems import DocumentError

WHOLE = """\
connections:
  github: {kind: github, url: https://api.github.com, token: {env: GH_TOKEN}}
  tracker: {url: https://tracker.internal, token: {file: /run/secrets/tracker}, header: X-Api-Key}
sources:
  github: {kind: github, secret: {env: HOOK}, previous: {env: OLD_HOOK}}
subscribers:
  bus: {url: https://bus.internal/in, secret: {env: BUS}, events: [gate.*, product.retired]}
mail: {host: mail.internal, sender: gates@acme.example, user: gates, password: {env: MAIL}}
chat:
  launches: {url: {env: CHAT}}
digest: {to: [head@acme.example]}
"""


def loaded(tmp_path: Path, text: str) -> Integrations:
    (tmp_path / "integrations.yaml").write_text(text)
    return load_integrations({"PHASEGATE_INTEGRATIONS": str(tmp_path / "integrations.yaml")})


def test_nothing_is_integrated_without_a_file() -> None:
    assert load_integrations({}) == Integrations()


def test_a_whole_file_is_read_and_names_every_secret(tmp_path: Path) -> None:
    found = loaded(tmp_path, WHOLE)
    assert {where: str(secret) for where, secret in found.secrets()} == {
        "connections.github.token": "$GH_TOKEN",
        "connections.tracker.token": "/run/secrets/tracker",
        "sources.github.secret": "$HOOK",
        "sources.github.previous": "$OLD_HOOK",
        "subscribers.bus.secret": "$BUS",
        "chat.launches.url": "$CHAT",
        "mail.password": "$MAIL",
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("connections: {a: {url: 'ftp://x'}}", "connections.a.url"),
        ("connections: {a: {url: 'https://x', token: hunter2}}", "connections.a.token"),
        ("connections: {a: {url: 'https://x', token: {env: A, file: b}}}", "either env: NAME"),
        ("connections: {a: {url: 'https://x', user: u}}", "need a token"),
        (
            "connections: {a: {url: 'https://x', user: u, header: X, token: {env: A}}}",
            "user or header",
        ),
        ("subscribers: {a: {url: 'https://x', secret: {env: A}, events: [Gate]}}", "events"),
        ("subscribers: {a: {url: 'https://x', secret: {env: A}, give_up: -1 day}}", "ahead"),
        ("mail: {host: h, sender: a@b, user: u}", "both user and password"),
        ("digest: {to: [a@b]}", "digest needs mail"),
        ("unheard: 1", "unheard"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(DocumentError) as error:
        loaded(tmp_path, text)
    assert said in str(error.value)
    assert "integrations.yaml:1:" in str(error.value)


def test_a_file_that_is_not_there_is_said_so() -> None:
    with pytest.raises(IntegrationsUnreadable, match="cannot be read") as error:
        load_integrations({"PHASEGATE_INTEGRATIONS": "/nowhere/at-all.yaml"})
    assert "PHASEGATE_INTEGRATIONS" in error.value.hint


def test_secrets_are_read_when_they_are_used(tmp_path: Path) -> None:
    assert Secret(env="A").reveal({"A": " s3cret\n"}) == "s3cret"
    file = tmp_path / "token"
    secret = Secret(file=str(file))
    with pytest.raises(SecretMissing, match="No such file"):
        secret.reveal()
    file.write_text("one\n")
    assert secret.reveal() == "one"
    file.write_text("two")
    assert secret.reveal() == "two"
    file.write_text(" \n")
    with pytest.raises(SecretMissing, match="empty"):
        secret.reveal()
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(SecretMissing, match=r"no text|codec"):
        secret.reveal()
    with pytest.raises(SecretMissing, match="not set"):
        Secret(env="A").reveal({})


def test_patterns_of_event_types() -> None:
    assert matches(("*",), "gate.opened")
    assert matches(("gate.*",), "gate.opened")
    assert matches(("x.y", "gate.opened"), "gate.opened")
    assert not matches(("gate.*",), "gates.opened")
    assert not matches(("gate.opened",), "gate.decided")
    assert not matches((), "gate.decided")
