"""People with SSH keys, and what they sign: real keys, made and used by ssh-keygen."""

from __future__ import annotations

import subprocess
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from stage import CHAIR, Stage

from client import directories
from client.asking import answered, new_request_id
from client.notifying import notify
from phasegate.base import Wire
from phasegate.gate_requests import LookAgainRequest
from phasegate.ids import gate_id
from phasegate.reading import read_directory
from phasegate.requests import Receipt, VoteRequest
from phasegate.signing import NAMESPACE, Action, Place, Signable, statement_of

POLICY = """
policy: signing
version: "1"
title: Signing
phases:
  - id: build
    title: Build
    gate:
      id: launch
      title: Launch
      opens: submit
      assurance: signed
      requires: [{group: product}, {group: eng, need: 2}]
      criteria:
        - {id: tested, text: Tested, attested_by: sec}
        - {id: fit, text: It fits, kind: should}
  - id: market
    title: Market
    in_market: true
    gate: {id: retire, title: Retire, opens: submit, requires: [{group: product}]}
sunset:
  tasks:
    - {id: note, title: Public notice, kind: notice}
"""

PEOPLE = ("olga", "ana", "bo", "cy", "dan", "pia", "max", "eve", "del")

GROUPS = """
groups:
  product: {members: [ana, olga]}
  eng: {members: [bo, cy, dan]}
  sec: {members: [pia]}
  heads: {members: [max], permissions: {override: [1, 2, 3], extend: [1, 2, 3]}}
"""

S = TypeVar("S", bound=Signable)


def make_key(folder: Path, name: str, *options: str) -> Path:
    """A new key pair without a passphrase; the private file."""
    path = folder / name
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(path)]
    subprocess.run([*command, *options], check=True, capture_output=True)
    return path


def public(key: Path) -> str:
    return Path(f"{key}.pub").read_text("utf-8").strip()


def directory(keys: Mapping[str, Sequence[str]], name: str = "default") -> str:
    """The directory, with lines of YAML for each person's keys."""
    people = "".join(
        f"  {who}:\n    manager: {'null' if who == 'max' else 'max'}\n"
        f"    keys: [{', '.join(keys.get(who, ()))}]\n"
        for who in PEOPLE
    )
    return f"directory: {name}\npeople:\n{people}{GROUPS}"


def entry(key: Path, **bounds: str) -> str:
    """A key as the directory lists it."""
    more = "".join(f", {name}: {day}" for name, day in bounds.items())
    return f'{{key: "{public(key)}"{more}}}'


def raw_sign(text: str, key: Path, namespace: str = NAMESPACE) -> str:
    """What ssh-keygen makes of a text."""
    command = ["ssh-keygen", "-q", "-Y", "sign", "-n", namespace, "-f", str(key)]
    done = subprocess.run(command, input=text.encode(), capture_output=True, check=True)
    return done.stdout.decode()


class Signer:
    """Signs for people at one gate of one product."""

    def __init__(self, stage: Stage, keys: Mapping[str, Path], gate: str = "launch") -> None:
        self.stage, self.keys, self.gate = stage, keys, gate

    async def place(self, **other: Any) -> Place:
        view = await self.stage.gate(self.gate)
        known = Place(
            product=self.stage.key, gate=self.gate, round=view.round, policy=view.policy_digest
        )
        return known.model_copy(update=other)

    def signed(
        self,
        action: Action,
        place: Place,
        request: S,
        key: Path,
        *,
        namespace: str = NAMESPACE,
        at: datetime | None = None,
    ) -> S:
        """The request, signed now."""
        request = request.model_copy(update={"signed_at": at or datetime.now(UTC)})
        statement = statement_of(action, place, request)
        return request.model_copy(update={"signature": raw_sign(statement, key, namespace)})

    async def vote(self, who: str, what: str = "go", **more: Any) -> VoteRequest:
        """A signed vote; `key`, `namespace`, `at` and parts of `place` may be another's."""
        how = {name: more.pop(name) for name in ("namespace", "at") if name in more}
        key, place = more.pop("key", self.keys[who]), await self.place(**more.pop("place", {}))
        more.setdefault("revision", (await self.stage.gate(self.gate)).revision)
        more.setdefault("request_id", new_request_id())
        request = VoteRequest(approver=who, vote=what, **more)
        return self.signed("vote", place, request, key, **how)

    async def send(self, update: str, request: Wire) -> Receipt:
        """As a foreign client may: the Update's id is not the request's, by which Temporal would
        answer a second one with the same id from the first."""
        handle = self.stage.engine.workflow(gate_id(self.stage.key, self.gate))
        sent = new_request_id()
        return await answered(
            handle,
            lambda: handle.execute_update(update, request, id=sent, result_type=Receipt),
        )

    async def votes(self, who: str, what: str = "go", **more: Any) -> Receipt:
        return await self.send("vote", await self.vote(who, what, **more))

    async def chair(self, update: Action, who: str, **fields: Any) -> Receipt:
        """Something asked beside voting, signed."""
        key = fields.pop("key", self.keys[who])
        request = CHAIR[update](actor=who, request_id=new_request_id(), **fields)
        assert isinstance(request, Signable)
        return await self.send(update, self.signed(update, await self.place(), request, key))


async def publish(signer: Signer, keys: Mapping[str, Sequence[str]], *, tell: bool = True) -> str:
    """A new publication of the product's directory, and its digest.

    Gates that are listed already hear of it, unless told otherwise, and then read it.
    """
    engine, name = signer.stage.engine, signer.stage.key
    known = {who: [entry(key)] for who, key in signer.keys.items()} | {**keys}
    done = directories.publish(engine.ledger, read_directory(directory(known, name), "d"), "max")
    if tell:
        await notify(engine, name, done.digest, "max")
    return done.digest


async def read_by_the_gate(signer: Signer, digest: str) -> None:
    """Wait until the gate has read this publication."""

    async def known() -> bool | None:
        request = LookAgainRequest(
            actor="max", directory_digest=digest, request_id=new_request_id()
        )
        answer = await signer.send("look_again", request)
        return True if "known already" in answer.text else None

    await signer.stage.until(known, "the gate has read the directory")


Opened = Callable[..., Awaitable[Signer]]
"""A fixture that starts a product and opens its gate."""
