"""The options of signing: what they ask for, and how they are written in a command to run again."""

from __future__ import annotations

import os
from shlex import quote
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from client.signing import Signing


def signing_of(sign: bool, key_file: str | None) -> Signing:
    """What the options ask for. ssh-keygen may ask for a passphrase: nothing may spin over that."""
    from client.signing import Signing
    from commands.progress import hush

    if sign:
        hush()
    elif key_file and key_file != os.environ.get("PHASEGATE_SSH_KEY"):
        from client.signing import SIGN
        from client.usage import UsageError

        raise UsageError(
            f"nothing is signed with {key_file}",
            "--key names a key, and --sign, which signs, is missing; nothing was sent",
            SIGN,
        )
    return Signing(sign, key_file)


def signing_words(sign: bool, key_file: str | None) -> str:
    """What follows the rest of the command; nothing where nothing is signed."""
    return (" --sign" if sign else "") + (f" --key {quote(key_file)}" if key_file else "")
