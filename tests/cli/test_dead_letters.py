"""What could not be delivered is seen and tried again from the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mailserver import mail_server
from receiver import SECRET, Receiver, receiving

from client.dev_server import free_port
from tests.cli.shell import DIRECTORY, Shell, first_line, running

INTEGRATIONS = """\
subscribers:
  crm: {url: URL, secret: {env: CRM_KEY}, events: [product.*], give_up: 1 second}
mail: {host: 127.0.0.1, port: PORT, tls: none, sender: gates@acme.example, gather: 1 second}
"""


@contextmanager
def told(folder: Path, receiver: Receiver, port: int) -> Iterator[Shell]:
    """A shell beside a `phasegate dev` that tells others."""
    file = folder / "integrations.yaml"
    file.write_text(INTEGRATIONS.replace("URL", receiver.url).replace("PORT", str(port)))
    outside = {"PHASEGATE_INTEGRATIONS": str(file), "CRM_KEY": SECRET}
    ports = ("--port", str(free_port()), "--ui-port", str(free_port()))
    options = ("dev", "--data-dir", str(folder), *ports, "-o", "json")
    with running(Shell(folder, outside).spawn(*options)) as process:
        yield Shell(folder, {**json.loads(first_line(process))["environment"], **outside})


def test_dead_letters_are_listed_and_tried_again(tmp_path: Path) -> None:
    with receiving() as receiver, mail_server() as post:
        receiver.answer = lambda request: (500, {})
        post.recipient = lambda to: "550 no such user"
        with told(tmp_path, receiver, post.port) as shell:
            people = DIRECTORY.replace("bo: {}", "bo: {email: bo@acme.example}")
            shell.write("tell.yaml", people.replace("people:", "directory: tell\npeople:"))
            shell.write("tiny.yaml", TINY)
            shell.write("kite.yaml", "key: kite\nname: Kite\nowner: olga\ntier: 2\n")
            options = ("--policy", "tiny.yaml", "--directory", "tell.yaml")
            started = shell("product", "start", "kite.yaml", *options)
            assert started.code == 0, started.err
            shell.until(lambda: shell("gate", "submit", "kite", "--as", "olga").code == 0)

            def dead() -> list[dict[str, object]]:
                listed = shell("events", "list", "kite", "--dead", "-o", "json")
                assert listed.code == 0, listed.err
                return list(listed.json)

            shell.until(lambda: {d["receiver"] for d in dead()} == {"subscriber/crm", "mail/bo"})
            table = shell("events", "list", "kite", "--dead")
            assert "answered 500" in table.out
            assert "550 no such user" in table.out
            row = next(d for d in dead() if d["receiver"] == "subscriber/crm")
            assert row.keys() == {
                *("schema_version", "receiver", "product", "seq", "event", "state", "at", "why")
            }

            found = shell("doctor", "-o", "json").json["checks"]
            (check,) = [c for c in found if c["check"] == "deliveries"]
            assert check["state"] == "warn"
            assert "dead letters, of kite" in check["what"]
            assert check["mend"] == "phasegate events list kite --dead"

            unknown = shell("events", "retry", "kite", "no-such-id")
            assert unknown.code == 1
            assert "--dead" in unknown.err

            receiver.answer = lambda request: (200, {})
            post.recipient = lambda to: "250 OK"
            again = shell("events", "retry", "kite", str(row["seq"]), "-o", "json")
            assert [d["event"] for d in again.json] == [row["event"]]
            shell.until(lambda: row["event"] in receiver.ids)
            rest = shell("events", "retry", "kite", "--receiver", "mail/bo")
            assert rest.code == 0, rest.err
            shell.until(lambda: len(post.to("bo@acme.example")) == 1)
            assert shell("events", "retry", "kite").code == 0
            shell.until(lambda: dead() == [])
            nothing = shell("events", "retry", "kite", "-o", "json")
            assert (nothing.code, nothing.json) == (0, [])
            assert "nothing of kite was given up" in nothing.err


TINY = """\
policy: tiny
version: "1"
title: Tiny
phases:
  - id: build
    title: Build
    gate: {id: launch, title: Launch, opens: submit, requires: [{group: eng}]}
"""
