"""Signing what is said at a gate, with the approver's own SSH key.

What is signed names the round, the policy and the evidence, so that the gate is looked at first.
Nothing is sent where it demands a signature and none is to be made.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from client.engine import Engine
from client.products import show as show_product
from client.seeing import look
from client.usage import UsageError
from integrations.ssh_keygen import NotSigned, agent_keys, sign
from phasegate.errors import EngineError
from phasegate.gate_requests import AttestRequest
from phasegate.requests import VoteRequest
from phasegate.signing import Action, Place, Signable, statement_of
from phasegate.ssh_keys import public_key, signature, usable

Said = TypeVar("Said", bound=Signable)


@dataclass(frozen=True)
class Signing:
    """Whether somebody signs, and with which key file: theirs by the directory if it is None."""

    wanted: bool = False
    key: str | None = None


UNSIGNED = Signing()

SIGN = "--sign  # signs it with your SSH key"
"""A hint that the command line puts after the command that it was called with."""


async def ready(
    engine: Engine, key: str, gate: str, action: Action, request: Said, signing: Signing
) -> Said:
    """The request as it is to be sent to the open round of a gate: signed, if that is wanted.

    Votes and attestations name the evidence as it is now, unless they name some. Where no round is
    open it is returned as it is, and whoever is asked says why. Raises EngineError, NotSigned, and
    UsageError where the gate demands a signature.
    """
    view = await look(engine, key, gate)
    if view is None:
        return request
    if _names_evidence(request):
        request = request.model_copy(update={"revision": view.revision})
    if view.status == "decided":
        return request  # what it comes to is for the gate to say: nobody is asked for a passphrase
    require_signing(view.assurance, key, gate, signing)
    if not signing.wanted:
        return request
    place = Place(product=key, gate=gate, round=view.round, policy=view.policy_digest)
    return await signed(engine, place, action, request, signing)


async def signed(
    engine: Engine, place: Place, action: Action, request: Said, signing: Signing
) -> Said:
    """The request with a signature. Raises EngineError, NotSigned, UsageError and KeygenError."""
    request = request.model_copy(update={"signed_at": datetime.now(UTC)})
    statement = statement_of(action, place, request)
    who = _who(request)
    name = (await show_product(engine, place.product)).directory
    theirs = _known_keys(engine, name, who)
    with TemporaryDirectory(prefix="phasegate-") as folder:
        made = await sign(statement, await _key(theirs, who, signing, Path(folder)))
    _require_own(made, theirs, who, name)
    return request.model_copy(update={"signature": made})


def require_signing(assurance: str, key: str, gate: str, signing: Signing) -> None:
    """Raise UsageError where a signature is demanded, and none is to be made."""
    if assurance == "signed" and not signing.wanted:
        raise UsageError(
            f"{gate} of {key} takes only what is signed",
            "its policy demands it; nothing was sent",
            SIGN,
        )


def _names_evidence(request: Signable) -> bool:
    """Whether it is said about evidence, and does not say which."""
    return isinstance(request, VoteRequest | AttestRequest) and request.revision is None


def _who(request: Signable) -> str:
    return str(request.model_dump()["approver" if isinstance(request, VoteRequest) else "actor"])


async def _key(theirs: Mapping[bytes, str], who: str, signing: Signing, folder: Path) -> Path:
    """The file that ssh-keygen is to sign with: the one that is named, or the first of this
    person's keys that is at hand."""
    if signing.key:
        return _named(signing.key)
    held = {_blob(line) for line in await agent_keys()}
    for blob, line in theirs.items():
        if blob in held:
            path = folder / "key.pub"
            path.write_text(line + "\n", "utf-8")
            return path  # ssh-keygen finds the private part with the agent
    if found := _at_home(theirs):
        return found
    raise EngineError(
        f"none of the keys of {who} is at hand",
        f"the directory has {len(theirs)} that are valid now, and neither the agent nor ~/.ssh "
        "holds the private part of one",
        "ssh-add FILE  # or name it: --key FILE",
    )


def _named(file: str) -> Path:
    path = Path(file).expanduser()
    if not path.is_file():
        hint = "ls ~/.ssh  # keys are there as a rule; without --key one of them is found"
        raise UsageError(f"{file} is no key file", "there is no such file", hint)
    return path


def _at_home(theirs: Container[bytes]) -> Path | None:
    """The first of these keys that is in ~/.ssh."""
    for path in sorted(Path("~/.ssh").expanduser().glob("id_*.pub")):
        if _blob(path.read_text("utf-8", errors="replace")) in theirs:
            private = path.with_suffix("")
            return private if private.is_file() else path
    return None


def _require_own(made: str, theirs: Mapping[bytes, str], who: str, directory: str) -> None:
    """Raise NotSigned for a signature that a key of somebody else has made: sent, it would stand in
    the record as refused, in the name of this person."""
    key = signature(made).key
    if key.blob in theirs:
        return
    known = ", ".join(public_key(line).fingerprint for line in theirs.values())
    raise NotSigned(
        f"key {key.fingerprint} is none of {who}",
        f"the directory {directory} has {known} of {who} that can be used now; nothing was sent",
        f"phasegate directory show {directory}  # without --key one of these is found",
    )


def _known_keys(engine: Engine, name: str, who: str) -> dict[bytes, str]:
    """The keys of this person that are valid now, in the directory's order."""
    documents = engine.ledger.documents
    current = documents.current("directory", name)
    known = documents.read_directory(current.digest).people.get(who) if current else None
    found = usable(known.keys, datetime.now(UTC)) if known else []
    if not found:
        raise EngineError(
            f"{who} has no key to sign with",
            f"the directory {name} has none of them that is valid now",
            f"phasegate directory show {name} -o json  # add keys: {{key: ssh-ed25519 …}} to them",
        )
    keys = [public_key(key.key) for key in found]
    return {key.blob: key.line for key in keys}


def _blob(line: str) -> bytes:
    """The bytes of a public key; none where it is no key of a kind that signs here."""
    try:
        return public_key(line).blob
    except ValueError:
        return b""
