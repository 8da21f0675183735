"""Heads of chains: where they stand, and those that somebody kept elsewhere."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from client.usage import UsageError
from integrations.files import read_bounded
from phasegate.events import Anchor

_HEAD = re.compile(
    r"(?:(?P<key>[a-z0-9][a-z0-9-]{0,62})\s+)?(?P<seq>[0-9]{1,12})[:\s]\s*(?P<hash>[0-9a-f]{64})"
)

_CUT = re.compile(r"(?P<seq>[0-9]+):\s*(?P<hash>[0-9a-zA-Z.…]*)")
"""SEQ:HASH with a hash that is none. Somebody means no file by that."""


@dataclass(frozen=True)
class Head:
    """Where a product's chain stands. `product` is empty where it was not said."""

    product: str
    anchor: Anchor


def read_heads(given: Sequence[str]) -> list[Head]:
    """Heads as they are given: SEQ:HASH, or a file of what `audit head` printed, or of lines
    `KEY SEQ HASH` among others, such as a mail. Raises UsageError."""
    found: list[Head] = []
    for one in given:
        if match := _HEAD.fullmatch(one.strip()):
            found.append(_head(match))
        elif match := _CUT.fullmatch(one.strip()):
            raise UsageError(
                f"the head {one} is not whole",
                f"a hash has 64 digits (0-9, a-f), and this has {len(match['hash'])} characters; "
                "a shorter one proves less",
                "phasegate audit head KEY",
            )
        else:
            found += _of_file(one)
    return found


def _of_file(name: str) -> list[Head]:
    hint = "phasegate audit head KEY > heads.txt"
    try:
        text = read_bounded(name).decode()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is neither SEQ:HASH nor a file of heads"
        raise UsageError(f"the head {name} cannot be read", why, hint) from error
    found = [_head(match) for line in text.splitlines() if (match := _HEAD.search(line))]
    try:
        data = json.loads(text)
        rows = data if isinstance(data, list) else [data]
        found += [
            Head(str(row["product"]), Anchor(seq=row["seq"], hash=row["hash"])) for row in rows
        ]
    except (ValueError, LookupError, TypeError, RecursionError):
        pass  # it is text
    if not found:
        raise UsageError(f"{name} has no head", "a head is SEQ:HASH, or a line KEY SEQ HASH", hint)
    return found


def _head(match: re.Match[str]) -> Head:
    return Head(match["key"] or "", Anchor(seq=int(match["seq"]), hash=match["hash"]))
