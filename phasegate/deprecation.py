"""Response headers that say that an API goes away: Deprecation (RFC 9745) and Sunset (RFC 8594)."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import quote, urlsplit, urlunsplit

from phasegate.errors import Rejected
from phasegate.public_sunset import PublicSunset

Header = tuple[str, str]

_IN_A_URL = "%/?#[]@!&'()*+,;=:~-._"
"""What RFC 3986 lets stand in a URL, but for `$`, which nginx would take for a variable."""


def headers_of(facts: PublicSunset) -> list[Header]:
    """Names and values, in the order to send; none once the sunset is withdrawn.

    Deprecated from the public notice on (a structured field date, RFC 9745 section 2.1), gone at
    the end of life (an HTTP date, RFC 8594 section 3). Raises Rejected where the Sunset would be
    earlier than the Deprecation, which RFC 9745 (section 4) forbids.
    """
    if facts.standing == "withdrawn":
        return []
    headers = [("Deprecation", f"@{int(facts.notice_at.timestamp())}")]
    if life := facts.end_of_life:
        if life < facts.notice_at:
            notice = facts.notice_at
            raise Rejected(
                "sunset-before-deprecation",
                f"{facts.product} has no headers that clients could read",
                f"its end of life, {life:%Y-%m-%d}, is before its notice, {notice:%Y-%m-%d}",
                f"phasegate sunset show {facts.product}",
            )
        headers.append(("Sunset", http_date(life)))
    return headers + [("Link", value) for value in _links(facts)]


def _links(facts: PublicSunset) -> list[str]:
    """RFC 8288 links: what explains it (RFC 9745, 8594), and what to use instead (RFC 5829)."""
    successor = facts.successor.link if facts.successor else ""
    pages = (
        (facts.named("notice", "migration"), "deprecation", '; type="text/html"'),
        (facts.named("sunset", "notice") if facts.end_of_life else "", "sunset", ""),
        (successor, "successor-version", ""),
    )
    return [f'<{address(url)}>; rel="{relation}"{more}' for url, relation, more in pages if url]


def http_date(at: datetime) -> str:
    """`Fri, 31 Dec 2027 23:59:59 GMT` (RFC 9110, section 5.6.7)."""
    return format_datetime(at.astimezone(UTC), usegmt=True)


def address(url: str) -> str:
    """A URL that is only ASCII, and in which nothing ends a header, a quote or a link."""
    with suppress(ValueError):  # no host in it that could be one
        parts = urlsplit(url)
        if not parts.netloc.isascii():
            url = urlunsplit(parts._replace(netloc=parts.netloc.encode("idna").decode("ascii")))
    return re.sub(r"%(?![0-9A-Fa-f]{2})", "%25", quote(url, safe=_IN_A_URL))


def as_http(headers: list[Header]) -> str:
    """Ready to paste, a line each."""
    return "".join(f"{name}: {value}\n" for name, value in headers)


def as_nginx(headers: list[Header]) -> str:
    """For a `server` or `location`; `always` means also with errors (ngx_http_headers_module)."""
    quoted = ((name, value.replace("\\", "\\\\").replace('"', '\\"')) for name, value in headers)
    return "".join(f'add_header {name} "{value}" always;\n' for name, value in quoted)


def as_caddy(headers: list[Header]) -> str:
    """A `header` directive of a Caddyfile; values in backquotes, which none of them has."""
    if not headers:
        return ""
    lines = (f"\t{'+' if name == 'Link' else ''}{name} `{value}`\n" for name, value in headers)
    return "header {\n" + "".join(lines) + "}\n"
