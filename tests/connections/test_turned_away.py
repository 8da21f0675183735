"""What does not lead to the server: said in three lines, and with no secret in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from certificates import Authority
from temporalio.envconfig import ClientConnectConfig
from temporalio.service import TLSConfig
from tls_proxy import Door, opened

from client.connection_failures import explained
from client.temporal_target import Target
from tests.cli.shell import Result, Shell

GIVEN = "sekrit-4711"
"""What stands wherever a secret would."""

CA = "TEMPORAL_TLS_SERVER_CA_CERT_PATH"
CERTIFICATE, KEY = "TEMPORAL_TLS_CLIENT_CERT_PATH", "TEMPORAL_TLS_CLIENT_KEY_PATH"
ENDED = timedelta(days=-1)


@dataclass(frozen=True)
class Doors:
    """Addresses of one server, each with another door before it."""

    plain: str
    tls: str
    ended: str
    elsewhere: str
    clients: str
    keys: str


@pytest.fixture(scope="module")
def doors(plain: Shell, ours: Authority) -> Iterator[Doors]:
    upstream = plain.environment["TEMPORAL_ADDRESS"]
    mine = ours.issue("server")
    with (
        opened(Door(upstream, mine)) as tls,
        opened(Door(upstream, ours.issue("server", lasts=ENDED))) as ended,
        opened(Door(upstream, ours.issue("server", hosts=("temporal.example",)))) as elsewhere,
        opened(Door(upstream, mine, clients=ours.file)) as clients,
        opened(Door(upstream, mine, keys=("another",))) as keys,
    ):
        yield Doors(upstream, tls, ended, elsewhere, clients, keys)


def refused(plain: Shell, address: str, **settings: str | Path) -> Result:
    """A command that fails; what it says, to people and machines, has nothing secret in it."""
    env = {"TEMPORAL_ADDRESS": address, **{k: str(v) for k, v in settings.items()}}
    result = plain("product", "list", "-o", "json", **env)
    assert result.code == 1, result.out
    assert set(result.error) >= {"error", "reason", "hint"}
    traced = plain("product", "list", "--debug", **env)
    assert traced.code == 1
    for said in (result.out, result.err, traced.out, traced.err):
        assert GIVEN not in said
        assert "PRIVATE KEY" not in said
    return result


def test_a_server_that_is_not_trusted(plain: Shell, doors: Doors, ours: Authority) -> None:
    strangers = refused(plain, doors.tls, TEMPORAL_TLS="true").error
    assert strangers["error"] == f"cannot connect to Temporal at {doors.tls}"
    assert strangers["reason"] == "its certificate was signed by nobody that is trusted here"
    assert strangers["hint"].startswith(f"export {CA}=")
    ended = refused(plain, doors.ended, **{CA: ours.file}).error
    assert ended["reason"].startswith("its certificate has ended on 20")
    assert doors.ended in ended["hint"]
    other = refused(plain, doors.elsewhere, **{CA: ours.file}).error
    assert other["reason"] == "its certificate is for temporal.example, not for 127.0.0.1"
    assert other["hint"].startswith("export TEMPORAL_TLS_SERVER_NAME=temporal.example")


def test_the_hint_for_another_name_leads_there(plain: Shell, doors: Doors, ours: Authority) -> None:
    env = {"TEMPORAL_ADDRESS": doors.elsewhere, CA: str(ours.file)}
    assert plain("product", "list", TEMPORAL_TLS_SERVER_NAME="temporal.example", **env).code == 0


def test_another_authority(plain: Shell, doors: Doors, theirs: Authority, ours: Authority) -> None:
    said = refused(plain, doors.tls, **{CA: theirs.file}).error
    assert said["reason"] == "its certificate was signed by nobody that is trusted here"
    # The SDK knows no way to look away, whatever the variable of other SDKs says.
    blind = {CA: theirs.file, "TEMPORAL_TLS_DISABLE_HOST_VERIFICATION": "true"}
    assert refused(plain, doors.tls, **blind).error == said


def test_tls_on_one_side_only(plain: Shell, doors: Doors) -> None:
    said = refused(plain, doors.tls).error
    assert said["reason"] == "it ends the connection; it may speak TLS only"
    assert said["hint"] == "export TEMPORAL_TLS=true"
    said = refused(plain, doors.plain, TEMPORAL_API_KEY=GIVEN).error  # which switches TLS on
    assert said["reason"] == "it does not speak TLS, and the settings ask for it"


def test_a_client_certificate_that_is_missing_or_wrong(
    plain: Shell, doors: Doors, ours: Authority, theirs: Authority
) -> None:
    missing = refused(plain, doors.clients, **{CA: ours.file}).error
    assert "ask" in missing["reason"]
    assert "client certificate" in missing["reason"]
    assert CERTIFICATE in missing["hint"]
    for certificate, key in (theirs.issue("worker"), ours.issue("worker", lasts=ENDED)):
        pair = {CERTIFICATE: certificate, KEY: key}
        wrong = refused(plain, doors.clients, **{CA: ours.file}, **pair).error
        assert "our client certificate" in wrong["reason"]
        assert wrong["hint"].startswith("openssl x509")


HUNG_UP = 'transport error: Io, Custom { kind: BrokenPipe, error: "stream closed" }'
"""What is left of an alert where the server closed before it was read."""


def test_a_server_that_ends_the_connection_without_a_word(ours: Authority) -> None:
    def said(**tls: bytes) -> str:
        config = ClientConnectConfig(tls=TLSConfig(**tls) if tls else False)
        return explained(Target("temporal.example:7233", config), RuntimeError(HUNG_UP)).why

    def pair(lasts: timedelta) -> dict[str, bytes]:
        certificate, key = ours.issue("worker", lasts=lasts)
        return {"client_cert": certificate.read_bytes(), "client_private_key": key.read_bytes()}

    assert said() == "it ends the connection; it may speak TLS only"
    trusted = {"server_root_ca_cert": ours.file.read_bytes()}
    assert said(**trusted) == "it ends the connection; it may ask for a client certificate"
    assert (
        said(**pair(-ENDED)) == "it ends the connection; it may not accept our client certificate"
    )
    assert said(**pair(ENDED)).startswith("our client certificate has ended on 20")


def test_a_pair_that_is_none(plain: Shell, doors: Doors, ours: Authority) -> None:
    certificate, _ = ours.issue("worker")
    _, another = ours.issue("worker")
    given = {CA: ours.file, CERTIFICATE: certificate}
    said = refused(plain, doors.clients, **given, **{KEY: another}).error["reason"]
    assert said == "the client certificate and the client key do not belong together"
    data = {"TEMPORAL_TLS_CLIENT_KEY_DATA": GIVEN}
    said = refused(plain, doors.clients, **given, **data).error["reason"]
    assert said == "what is given as the client key is no private key in PEM form"
    said = refused(plain, doors.clients, **given).error
    assert said["reason"] == "there is a client certificate, but not the key that belongs to it"
    assert said["hint"].startswith(f"export {KEY}=")
    said = refused(plain, doors.clients, **given, **{KEY: "/nowhere/client.key"}).error
    assert said["reason"] == "/nowhere/client.key: No such file or directory"
    assert said["hint"] == "ls -l /nowhere/client.key"
    both = refused(plain, doors.clients, **given, **data, **{KEY: another}).error["reason"]
    assert "Cannot specify both" in both
    said = refused(plain, doors.tls, TEMPORAL_TLS_SERVER_CA_CERT_DATA=GIVEN).error["reason"]
    assert said == "what is given as the CA of the server is no certificate in PEM form"


def test_a_key_file_that_may_not_be_read(plain: Shell, doors: Doors, ours: Authority) -> None:
    certificate, key = ours.issue("worker")
    (key.parent / "folder.key").mkdir(exist_ok=True)  # not even root reads a folder
    given = {CA: ours.file, CERTIFICATE: certificate, KEY: key.parent / "folder.key"}
    said = refused(plain, doors.clients, **given).error
    assert said["error"] == "the Temporal settings cannot be read"
    assert said["reason"].endswith("folder.key: Is a directory")


def test_an_api_key_that_is_missing_or_wrong(plain: Shell, doors: Doors, ours: Authority) -> None:
    missing = refused(plain, doors.keys, **{CA: ours.file}).error
    assert missing["reason"] == "it asks for an API key or another credential"
    wrong = refused(plain, doors.keys, **{CA: ours.file}, TEMPORAL_API_KEY=GIVEN).error
    assert wrong["reason"] == "it does not accept the API key"
    assert "TEMPORAL_API_KEY" in wrong["hint"]


def test_a_worker_that_is_not_let_in(plain: Shell, doors: Doors, ours: Authority) -> None:
    env = {"TEMPORAL_ADDRESS": doors.keys, CA: str(ours.file), "TEMPORAL_API_KEY": GIVEN}
    result = plain("worker", "run", **env)
    assert result.code == 1
    assert result.err.splitlines()[-2] == "why: it does not accept the API key"
    assert GIVEN not in result.out + result.err
    doctor = plain("doctor", "-o", "json", **env)
    (server,) = [check for check in doctor.json["checks"] if check["check"] == "server"]
    assert (doctor.code, server["state"]) == (1, "fail")
    assert "it does not accept the API key" in server["what"]


@pytest.mark.parametrize(
    "line",
    [f'api_key = "{GIVEN}', f'api_key = ["{GIVEN}"]', f'tls = "{GIVEN}"', f"api_key = {GIVEN}"],
)
def test_a_config_file_is_not_quoted(line: str, plain: Shell, doors: Doors, tmp_path: Path) -> None:
    file = tmp_path / "temporal.toml"
    file.write_text(f"[profile.default]\n{line}\n")
    said = refused(plain, doors.tls, TEMPORAL_CONFIG_FILE=file).error["reason"]
    assert said.startswith("the config file is not as Temporal reads it, at line 2, column ")


def test_a_profile_or_file_that_is_not_there(plain: Shell, doors: Doors, tmp_path: Path) -> None:
    file = tmp_path / "temporal.toml"
    said = refused(plain, doors.plain, TEMPORAL_CONFIG_FILE=file).error["reason"]
    assert said == f"TEMPORAL_CONFIG_FILE names {file}, and there is no such file"
    file.write_text("")
    named = {"TEMPORAL_CONFIG_FILE": file, "TEMPORAL_PROFILE": "cloud"}
    assert refused(plain, doors.plain, **named).error["reason"] == "Profile 'cloud' not found"
