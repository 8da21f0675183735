"""Confidential mode as an installation runs it: processes, a database file, logs, and a search for
what may not be in them."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from mailserver import MailServer, mail_server
from temporalio.client import Client
from tracker import serving as tracking

from client.dev_server import free_port
from tests.cli.shell import ROOT, Shell, first_line, running

CANARY = "zeisig-kanarienvögel"
PEOPLE = "petrel"
"""In the name of everybody, who may not be told from what the server has either."""

WORKER = """
import asyncio, worker
from client.logs import configure_logs
configure_logs(json=True, level="DEBUG")
asyncio.run(worker.run())
"""

POLICY = """\
policy: tiny
version: "1"
title: Tiny
phases:
  - id: build
    title: Build
    milestones:
      - {{id: done, title: Done}}
      - id: sold
        title: "Sold {canary}"
        check: {{kind: http, url: "{url}/zeisig", expression: 'body.zeisig > 3', every: 1 second}}
    gate:
      id: launch
      title: Launch
      opens: submit
      requires: [{{group: product, need: 1}}, {{group: eng, need: 2}}]
  - id: market
    title: Market
    in_market: true
    gate: {{id: retire, title: Retire, opens: submit, requires: [{{group: product}}]}}
sunset:
  tasks:
    - {{id: told, title: Notice, kind: notice}}
"""
DIRECTORY = """\
people:
  petrel-olga: {email: petrel-olga@acme.example, name: "Olga zeisig-kanarienvögel"}
  petrel-ana: {email: petrel-ana@acme.example}
  petrel-bo: {}
  petrel-cy: {}
groups:
  product: {members: [petrel-ana, petrel-olga]}
  eng: {members: [petrel-bo, petrel-cy]}
"""
PRODUCT = f"""\
key: heron
name: "The {CANARY}"
owner: petrel-olga
tier: 2
summary: "sings {CANARY}"
strategy: {{vision: "to {CANARY}"}}
goals: [{{goal: "{CANARY}"}}]
"""
INTEGRATIONS = """\
mail: {{host: 127.0.0.1, port: {port}, tls: none, sender: gates@acme.example, gather: 1 second}}
"""


@dataclass
class House:
    """A server that keeps its database in a file, and a worker that logs all there is."""

    shell: Shell
    ring: Path
    said: dict[str, str]
    log: Path
    post: MailServer

    def keyring(self, *words: str) -> None:
        done = self.shell("keyring", *words)
        assert done.code == 0, done.err


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("confidential")
    ring, log = folder / "ring.json", folder / "worker.err"
    bare = Shell(folder)
    assert bare("keyring", "new", str(ring), "--id", "k1").code == 0
    with mail_server() as post:
        (folder / "integrations.yaml").write_text(INTEGRATIONS.format(port=post.port))
        secret = {
            "PHASEGATE_KEYS_FILE": str(ring),
            "PHASEGATE_INTEGRATIONS": str(folder / "integrations.yaml"),
        }
        ports = ("--port", str(free_port()), "--ui-port", str(free_port()))
        dev = ("dev", "--data-dir", str(folder), *ports, "-o", "json", "--no-worker")
        with running(Shell(folder, secret).spawn(*dev)) as server:
            said = json.loads(first_line(server))
            shell = Shell(folder, {**secret, **said["environment"]})
            with log.open("wb") as err:
                worker = subprocess.Popen(
                    [sys.executable, "-c", WORKER],
                    cwd=folder,
                    env=shell.env(PYTHONPATH=str(ROOT)),
                    stdout=err,
                    stderr=err,
                )
                try:
                    # What is asked before may get no answer, and be done later.
                    shell.until(lambda: b"worker started" in log.read_bytes())
                    yield House(shell, ring, said, log, post)
                finally:
                    worker.terminate()
                    worker.wait(90)


def forms(word: str) -> Iterator[bytes]:
    """A word as it may stand in a file: in some encoding, escaped, or in the middle of base64."""
    for encoding in ("utf-8", "latin-1", "utf-16-le", "utf-16-be"):
        yield word.encode(encoding)
    yield json.dumps(word)[1:-1].encode()
    yield word.encode().hex().encode()
    for before in range(3):
        # Characters at both ends depend on what stands beside the word, too.
        text = b"x" * before + word.encode()
        yield base64.b64encode(text)[(before * 8 + 5) // 6 : len(text) * 8 // 6]


def found(raw: bytes, *words: str) -> list[bytes]:
    """Which forms of these words are somewhere in it."""
    low = raw.lower()
    return [form for word in words for form in forms(word) if form in raw or form.lower() in low]


def test_the_search_finds_what_it_looks_for() -> None:
    for n in range(6):
        text = "x" * n + f"The {CANARY} sings" + "y" * n
        assert found(base64.b64encode(text.encode()), CANARY)
    assert found(json.dumps({"name": CANARY}).encode(), CANARY)
    assert found(CANARY.encode("utf-16"), CANARY)
    assert not found(b"nothing of the kind", CANARY, PEOPLE)


@pytest.mark.slow
async def test_a_canary_is_found_nowhere_and_shown_to_who_has_the_key(house: House) -> None:
    shell, folder = house.shell, house.shell.folder
    with tracking() as tracker:
        tracker.body = {"zeisig": CANARY}
        shell.write("tiny.yaml", POLICY.format(url=tracker.url, canary=CANARY))
        shell.write("people.yaml", DIRECTORY)
        shell.write("heron.yaml", PRODUCT)
        started = shell(
            *("product", "start", "heron.yaml"),
            *("--policy", "tiny.yaml", "--directory", "people.yaml"),
        )
        assert started.code == 0, started.err
        olga, note = ("--as", "petrel-olga"), ("--note", f"{CANARY} note")
        shell.until(lambda: shell("milestone", "report", "heron", "done", *note, *olga).code == 0)
        figure = ("--title", f"{CANARY} title", "--figure", f"found={CANARY}")
        attached = shell("product", "evidence", "heron", *figure, *olga)
        assert attached.code == 0, attached.err
        # The check fails on the canary, and says so.
        shell.until(lambda: "cannot tell" in shell("milestone", "list", "heron", "-o", "json").out)
        assert shell("gate", "submit", "heron", *olga, "--reason", f"{CANARY} reason").code == 0
        shell.until(lambda: bool(shell.inbox("petrel-bo", "heron")))
        (row,) = shell.inbox("petrel-ana", "heron")
        assert row["group"] == "product"
        stranger = ("gate", "vote", "heron", "go", "--as", "petrel-eve", "--comment", CANARY)
        assert shell(*stranger).code == 4
        stale = ("--revision", f"r-{PEOPLE}", "--comment", CANARY)
        assert shell("gate", "vote", "heron", "go", "--as", "petrel-bo", *stale).code == 1
        promise = json.dumps({"text": f"{CANARY} promised", "due": "2031-03-01"})
        comment = ("--comment", f"{CANARY} comment")
        voted = shell(
            *("gate", "vote", "heron", "conditional-go", "--as", "petrel-bo", *comment),
            *("--condition", promise),
        )
        assert voted.code == 0, voted.err
        assert [r["owner"] for r in shell("product", "list", "-o", "json").json] == ["petrel-olga"]
        assert shell("gate", "vote", "heron", "go", "--as", "petrel-ana").code == 0
        last = ("gate", "vote", "heron", "go", "--as", "petrel-cy")
        decided = shell(*last, "--wait", "--timeout", "90")
        assert decided.code == 0, decided.err
        kept = ("condition", "list", "heron", "-o", "json")
        assert shell(*kept).json[0]["text"] == f"{CANARY} promised"
        shown = shell("gate", "show", "heron/launch", "-o", "json")
        assert shown.code == 0, shown.err
        view = shown.json
        assert view["votes"][0]["comment"] == f"{CANARY} comment"
        assert [r["actor"] for r in view["refused"]] == ["petrel-eve"]
        assert shell("product", "show", "heron", "-o", "json").json["name"] == f"The {CANARY}"
        shell.until(lambda: bool(house.post.to("petrel-ana@acme.example")))
        told = "confidential mode  it is on: k1 encrypts, k1 decrypt"
        assert told in shell("doctor").out

    listed = await raw_list(house.said["address"])
    assert any(b"mail/~" in raw for raw in listed)
    assert any(b"PhasegateOwner" in raw for raw in listed)
    for raw in listed:
        assert found(raw, CANARY, PEOPLE) == []
    for file in [*folder.glob("temporal.db*"), folder / "server.log", house.log]:
        assert found(file.read_bytes(), CANARY, PEOPLE) == [], file
    assert (folder / "temporal.db-wal").exists()
    ledger = b"".join(file.read_bytes() for file in folder.glob("ledger.db*"))
    assert found(ledger, CANARY)
    assert found(ledger, PEOPLE)
    assert b"announced" in house.log.read_bytes()
    assert b'"level": "debug"' in house.log.read_bytes()


async def raw_list(address: str) -> list[bytes]:
    """What whoever may list workflows gets, without a key."""
    client = await Client.connect(address)
    return [execution.raw_info.SerializeToString() async for execution in client.list_workflows("")]


@pytest.mark.slow
def test_who_has_no_key_hears_what_is_missing(house: House) -> None:
    blind = Shell(house.shell.folder, {**house.shell.environment, "PHASEGATE_KEYS_FILE": ""})
    shown = blind("product", "show", "heron")
    assert shown.code == 1
    assert "encrypted with key k1" in shown.err
    assert "PHASEGATE_KEYS_FILE" in shown.err
    assert "Traceback" not in shown.err
    doctor = blind("doctor").out
    assert "has a key ring, and this command has none" in doctor


@pytest.mark.slow
def test_who_has_no_key_or_another_starts_nothing_and_sees_that_something_is_hidden(
    house: House,
) -> None:
    shell = house.shell
    assert shell.environment["PHASEGATE_KEYS_FILE"] == str(house.ring)
    other = shell.folder / "other.json"
    house.keyring("new", str(other))
    for ring, why in (("", "this command has no key ring"), (str(other), "another key ring")):
        outside = Shell(shell.folder, {**shell.environment, "PHASEGATE_KEYS_FILE": ring})
        listed = outside("product", "list")
        assert "are pseudonyms" in listed.err
        assert "export PHASEGATE_KEYS_FILE" in listed.err
        for words in (("inbox", "--as", "petrel-ana"), ("roadmap", "--owner", "petrel-olga")):
            empty = outside(*words)
            assert empty.code == 1, words
            assert "may be hidden from this command" in empty.err
            assert why in empty.err
            assert "hint: export PHASEGATE_KEYS_FILE" in empty.err
        refused = outside.start("plover")
        assert refused.code == 1
        assert "key ring" in refused.err
        assert (
            outside("policy", "list", "-o", "json").json
            == shell("policy", "list", "-o", "json").json
        )
    assert shell("inbox", "--as", "petrel-eve").code == 0
    assert shell("product", "show", "plover").code == 1


def test_keys_are_not_called_the_same_on_one_day(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    made = [shell("keyring", "new", f"{n}.json", "-o", "json").json["current"] for n in (1, 2)]
    assert len(set(made)) == 2
    assert shell("keyring", "add", "1.json").code == 0
