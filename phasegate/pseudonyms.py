"""What people, groups and events are called where whoever runs the server can read it.

Search attributes and workflow ids are not encrypted. Where confidential mode is on, they hold keyed
pseudonyms instead: who has the key finds a person by theirs, and nobody else can guess it, as they
could a plain digest of a mail address.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from hashlib import sha256

MARK = "~"
"""What every pseudonym begins with, and no person's or group's name does."""

_DIGITS = 20


@dataclass(frozen=True)
class Names:
    """How names are written in the open: as they are, without a `key`."""

    key: bytes = field(default=b"", repr=False)

    @property
    def hidden(self) -> bool:
        return bool(self.key)

    def person(self, person: str) -> str:
        return self.of("person", person)

    def group(self, group: str) -> str:
        return self.of("group", group)

    def said(self, plain: str, generic: str) -> str:
        """What lists say of something: in a word that gives nothing away, where names are hidden.

        It is encrypted then, too, but a UI that may decrypt shows lists to whoever looks on.
        """
        return generic if self.key else plain

    def of(self, kind: str, name: str) -> str:
        """The pseudonym of a name: one of each kind, so that nobody is recognised elsewhere."""
        if not self.key:
            return name
        digest = hmac.digest(self.key, f"{kind}\n{name}".encode(), sha256).hex()
        return MARK + digest[:_DIGITS]


PLAIN = Names()

_in_use = [PLAIN]


def use(names: Names) -> None:
    """Write names so from now on. Called as a process connects, and once: a worker that changed
    its mind would no longer find what it has written."""
    _in_use[0] = names


def in_use() -> Names:
    """How this process writes names in the open."""
    return _in_use[0]
