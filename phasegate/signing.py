"""What somebody signs who decides at a gate, and what the record keeps of it.

A signature is that of `ssh-keygen -Y sign` (PROTOCOL.sshsig of OpenSSH) over the bytes of a
statement. The engine makes the statement itself, from the request and from what it knows of the
round, so that a signature says nothing at another gate, in another round, under another policy or
on other evidence, and a word that was signed once cannot be said again: the request's id is in it.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from phasegate.base import Instant, Wire, canonical

NAMESPACE = "vote@phasegate"
"""What the signature is for: one made for git, or for anything else, is none here."""

LONGEST_SIGNATURE = 8_000
"""Characters. One of a 16,384-bit RSA key, the longest that OpenSSH knows, has fewer."""

Assurance = Literal["claimed", "signed"]
"""How it is known who spoke: by the name that was given, or by a key of that person's."""

Action = Literal[
    "vote", "withdraw", "delegate", "reassign", "attest", "needs_work", "extend", "override"
]
"""What is decided at a gate: the name of the Update."""


class Signable(Wire):
    """The part of a request that a signature adds. `signed_at` is signed, too."""

    signed_at: Instant | None = None
    signature: str | None = Field(
        None, max_length=LONGEST_SIGNATURE, description="armored, as ssh-keygen -Y sign writes it"
    )


class Place(Wire):
    """Where it is said: the round, and the policy that it sits under."""

    product: str
    gate: str
    round: int
    policy: str = Field(description="the digest of the policy")


class Signed(Wire):
    """What the record keeps of a signature that was found good. The key is its fingerprint."""

    statement: str
    signature: str
    key: str
    directory: str = Field(description="the digest of the directory that had the key")
    at: Instant = Field(description="the instant for which the key was judged")


def statement_of(action: Action, place: Place, request: BaseModel) -> str:
    """The text that is signed: canonical JSON of the action, the place and the request.

    Of the request it has what was set: fields that a later release adds change no statement.
    """
    said = request.model_dump(mode="json", exclude={"signature"}, exclude_defaults=True)
    return canonical(
        {
            "statement": "phasegate/1",
            "action": action,
            **place.model_dump(mode="json"),
            "request": said,
        }
    ).decode()
