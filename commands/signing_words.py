"""The options of signing, in a command that is to be run again."""

from __future__ import annotations

from shlex import quote


def signing_words(sign: bool, key_file: str | None) -> str:
    """What follows the rest of the command; nothing where nothing is signed."""
    return (" --sign" if sign else "") + (f" --key {quote(key_file)}" if key_file else "")
