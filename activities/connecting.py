"""From a check's question to the system that answers it: address, secret, and what stays inside."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

import httpx2

from integrations.document import Connection, Integrations
from integrations.hiding import remember
from integrations.loading import VARIABLE, DocumentError, IntegrationsUnreadable, load_integrations
from integrations.reaching import ReachUnreadable, reach_of
from integrations.secret import SecretMissing
from phasegate.placeholders import climbs
from phasegate.reach import Reach
from phasegate.trackers import Ask, Kind

GITLAB_API = "/api/v4"
_HEADERS: Mapping[str, Mapping[str, str]] = {
    "github": {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"},
}
_CARRIED = re.compile(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?")
"""What a header can carry (RFC 9110, 5.5), blanks at its ends left out."""


class CannotTell(Exception):
    """Why a system says nothing of a milestone, and how long it asks to be left alone."""

    def __init__(self, why: str, wait: timedelta | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.wait = wait


@dataclass(frozen=True)
class Target:
    """Whom to ask. `base` is None for a check with a URL of its own, which carries no secret."""

    url: httpx2.URL
    kind: Kind = "http"
    name: str = ""
    base: httpx2.URL | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    reach: Reach = field(default_factory=Reach)

    def allows(self, url: httpx2.URL) -> bool:
        """Whether a redirect or a next page may be asked, and with the secret.

        Below the connection's address only; without a connection, anywhere.
        """
        if self.base is None:
            return True
        return origin(url) == origin(self.base) and _below(url.raw_path, self.base.raw_path)

    def beside(self, path: str) -> Target:
        """The same system at another path."""
        assert self.base is not None
        return replace(self, url=_joined(self.base, path))

    def said(self, what: str) -> str:
        """A reason, with the connection it is about."""
        return f"connection {self.name}: {what}" if self.name else what


def target_of(ask: Ask) -> Target:
    """Where a question goes. Reads the integrations file and the secret, as they are now.

    Raises CannotTell, which names the connection and where its secret should be, never a value.
    """
    if ask.connection is None:
        try:
            return Target(httpx2.URL(ask.address), reach=_reach(_integrations()))
        except (httpx2.InvalidURL, ValueError) as error:
            raise CannotTell("its url cannot be read") from error
    name = ask.connection
    installation = _integrations()
    found = installation.connections.get(name)
    if found is None:
        raise CannotTell(
            f"there is no connection {name} in the integrations file ({VARIABLE}); add it there"
        )
    if ask.own and not found.products:
        raise CannotTell(
            f"connection {name} may be asked by policies only; its operator can allow products "
            "(products: true)"
        )
    if ask.kind not in ("http", found.kind):
        raise CannotTell(f"connection {name} is of kind {found.kind}, and {ask.kind} is needed")
    try:
        base = httpx2.URL(_base(found))
        url = _joined(base, ask.address)
    except (httpx2.InvalidURL, ValueError) as error:
        raise CannotTell(f"connection {name}: its url cannot be read") from error
    if not base.host:
        raise CannotTell(f"connection {name}: its url has no host")
    reach = _reach(installation, found)
    target = Target(url, found.kind, name, base, _headers(name, found), reach)
    if not target.allows(url):
        raise CannotTell(f"connection {name}: the path leads out of its address")
    return target


def _integrations() -> Integrations:
    try:
        return load_integrations()
    except IntegrationsUnreadable as error:
        raise CannotTell(f"{error.what}: {error.why}") from error
    except DocumentError as error:
        # Where, but not what: a message may quote a secret that was written into the file.
        first = error.problems[0]
        place = f"{first.source}:{first.line}:{first.column}"
        raise CannotTell(f"{place} is wrong; phasegate doctor says how") from None


def _reach(installation: Integrations, connection: Connection | None = None) -> Reach:
    try:
        return reach_of(installation, connection)
    except ReachUnreadable as error:
        raise CannotTell(str(error)) from error


def _base(connection: Connection) -> str:
    base = connection.url.rstrip("/")
    if connection.kind == "gitlab" and not base.endswith(GITLAB_API):
        base += GITLAB_API
    return base


def _joined(base: httpx2.URL, path: str) -> httpx2.URL:
    """A path below a base. Added as text: joining as RFC 3986 has it would replace the path."""
    return httpx2.URL(f"{str(base).rstrip('/')}{path}")


def _headers(name: str, connection: Connection) -> Mapping[str, str]:
    """What carries the secret (RFC 7617 for Basic, RFC 6750 for Bearer)."""
    known = _HEADERS.get(connection.kind, {})
    if connection.token is None:
        return known
    try:
        token = connection.token.reveal()
    except SecretMissing as error:
        raise CannotTell(f"connection {name}: {error.what}, {error.why}") from error
    if not _CARRIED.fullmatch(token):
        # The client's own error would quote it.
        raise CannotTell(f"connection {name}: {connection.token} has what no header can carry")
    if connection.user:
        pair = b64encode(f"{connection.user}:{token}".encode()).decode()
        remember(pair)
        return {**known, "Authorization": f"Basic {pair}"}
    if connection.header:
        return {**known, connection.header: token}
    if connection.kind == "gitlab":
        return {**known, "PRIVATE-TOKEN": token}
    return {**known, "Authorization": f"Bearer {token}"}


def origin(url: httpx2.URL) -> tuple[str, str, int | None]:
    """Scheme, host and port (RFC 6454)."""
    port = url.port or {"https": 443, "http": 80}.get(url.scheme)
    return url.scheme, url.host, port


def _below(path: bytes, base: bytes) -> bool:
    """Whether a path is the base or below it, and stays there when its dots are followed."""
    root = base.partition(b"?")[0].rstrip(b"/")
    plain = path.partition(b"?")[0]
    return (plain == root or plain.startswith(root + b"/")) and not climbs(plain.decode())
