"""Mail servers as there are: with STARTTLS, with TLS from the first byte, with a login."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult, LoginPassword
from mailserver import mail_server

from activities import post
from activities.channels import Answer, Refused, Taken
from integrations.document import Mail
from integrations.secret import SecretMissing


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A certificate that this process trusts, as a company's own authority would be."""
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    names = ("-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost")
    made = ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")
    files = ("-nodes", "-keyout", str(key), "-out", str(cert), "-days", "2")
    subprocess.run([*made, *files, *names], check=True, capture_output=True)
    monkeypatch.setenv("SSL_CERT_FILE", str(cert))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context


def check(server: Any, session: Any, envelope: Any, mechanism: str, given: Any) -> AuthResult:
    assert isinstance(given, LoginPassword)
    return AuthResult(success=(given.login, given.password) == (b"gates", b"open sesame"))


async def sent(port: int, **more: object) -> Answer:
    mail = Mail.model_validate(
        {"host": "127.0.0.1", "port": port, "sender": "gates@acme.example", **more}
    )
    id = post.message_id(mail.sender, "ana", ["e1"])
    return await post.post(mail, post.blank(mail, ["ana@acme.example"], "Launch", "Vote.", id))


async def test_starttls_with_a_login(
    certificate: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMTP_KEY", "open sesame")
    options = {"tls_context": certificate, "require_starttls": True, "authenticator": check}
    with mail_server(auth_required=True, **options) as server:
        login = {"user": "gates", "password": {"env": "SMTP_KEY"}}
        assert await sent(server.port, **login) == Taken()
        assert [mail["Subject"] for mail in server.mails] == ["Launch"]
        monkeypatch.setenv("SMTP_KEY", "wrong")
        monkeypatch.setattr(post, "SECONDS", 2.0)  # this server never answers the second mechanism
        refused = await sent(server.port, **login)
        assert isinstance(refused, Refused)
        assert not refused.for_good  # somebody can mend it
        assert "wrong" not in refused.why
        monkeypatch.delenv("SMTP_KEY")
        with pytest.raises(SecretMissing):
            await sent(server.port, **login)


async def test_tls_from_the_first_byte(certificate: ssl.SSLContext) -> None:
    with mail_server(ssl_context=certificate) as server:
        assert await sent(server.port, tls="tls") == Taken()


async def test_a_server_that_cannot_prove_who_it_is_gets_no_mail(
    certificate: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with mail_server(tls_context=certificate) as server:
        refused = await sent(server.port)
        assert isinstance(refused, Refused)
        assert not refused.for_good
        assert server.mails == []


async def test_starttls_is_not_left_out_where_the_server_does_not_know_it() -> None:
    with mail_server() as server:
        refused = await sent(server.port)
        assert isinstance(refused, Refused)
        assert server.mails == []


async def test_nobody_there_is_no_reason_to_give_up() -> None:
    refused = await sent(1, tls="none")
    assert isinstance(refused, Refused)
    assert not refused.for_good
    assert "127.0.0.1:1" in refused.why


@pytest.mark.parametrize(
    ("answer", "final"), [("552 too large", True), ("451 later", False), ("421 bye", False)]
)
async def test_a_text_that_is_refused_for_good_is_not_tried_again(answer: str, final: bool) -> None:
    with mail_server() as server:
        server.answer = lambda to, message: answer
        refused = await sent(server.port, tls="none")
        assert isinstance(refused, Refused)
        assert refused.for_good is final


@pytest.mark.parametrize(
    ("answer", "final"), [("450 greylisted", False), ("550 no such user", True)]
)
async def test_one_of_two_that_is_refused_is_not_sent(answer: str, final: bool) -> None:
    with mail_server() as server:
        server.recipient = lambda to: answer if to.startswith("bo") else "250 OK"
        mail = Mail.model_validate(
            {"host": "127.0.0.1", "port": server.port, "tls": "none", "sender": "g@acme.example"}
        )
        both = ["ana@acme.example", "bo@acme.example"]
        refused = await post.post(mail, post.blank(mail, both, "Week", "All is well.", "<1@x>"))
        assert refused == Refused(f"bo@acme.example: {answer}", for_good=final)


def test_the_message_id_is_that_of_the_events_in_any_order() -> None:
    one = post.message_id("gates@acme.example", "ana", ["a", "b"])
    assert one == post.message_id("gates@acme.example", "ana", ["b", "a"])
    assert len({one, post.message_id("gates@acme.example", "bo", ["a", "b"])}) == 2
    assert one.endswith("@acme.example>")
