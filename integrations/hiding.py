"""Texts without secrets: those that this process has read, and what looks like one.

The last line of defence, for what nobody thought of: an error of a library that quotes a header,
an extension that logs its address. Our own texts never hold a secret to begin with.
"""

from __future__ import annotations

import json
import re
import threading
from base64 import b64encode
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

HIDDEN = "***"
SHORTEST = 8
"""Characters: a shorter value would hide words that merely look like it."""

KNOWN = 1000
"""Values that are remembered; rotation adds to them, and the oldest are forgotten."""

DEEPEST = 8

FOLDERS = ("PWD", "OLDPWD")
"""What shells say where they are in; elsewhere a pwd is a password."""

_NAMES = (
    r"pass(?:word|wd|phrase)|secret|token|api[-_]?keys?|access[-_]?key|credentials?|cookie"
    r"|authorization|private[-_]?key|signing[-_]?key"
)
_PLACES = "file|path|url|uri|dir|endpoint"
_SECRET_NAME = re.compile(
    rf"(?:^|[-_.])(?:{_NAMES})(?:[-_](?!{_PLACES})[a-z]+){{0,2}}$|^(?:pg|mysql_)?(?:password|pwd)$",
    re.IGNORECASE,
)

_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    # Private keys: PEM (RFC 7468) and OpenSSH's, also cut off, also with their lines escaped.
    (
        re.compile(
            r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----"
            r".*?(?:-----END [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----|\Z)",
            re.DOTALL,
        ),
        f"{HIDDEN} (a private key)",
    ),
    # A user and password in a URL (RFC 3986, 3.2.1).
    (re.compile(r"(\b[a-z][a-z0-9+.-]{0,30}://)[^\s/?#@\"']+@", re.IGNORECASE), rf"\1{HIDDEN}@"),
    # RFC 9110, 11.6.2, as a header, a dict of headers, or alone.
    (
        re.compile(
            r"(\bauthorization\\?[\"']?\s?[:=]\s?(?:b(?=\\?[\"']))?\\?[\"']?)(?:[a-z-]+\s+)?[^\s\"'\\,;]+",
            re.IGNORECASE,
        ),
        rf"\1{HIDDEN}",
    ),
    (
        re.compile(r"\b(Bearer|Basic|Token)\s+(?=\S*\d)[A-Za-z0-9._~+/=-]{8,}", re.IGNORECASE),
        rf"\1 {HIDDEN}",
    ),
    # name=value and name: value, as in queries, forms, headers, JSON and Python's own words.
    (
        re.compile(
            rf"\b((?:[a-z0-9]{{1,30}}[-_]){{0,5}}(?:{_NAMES})(?:[-_](?:id|key))?"
            r"|pgpassword|pwd|sig|signature|x-amz-[a-z-]+)"
            r"(\\?[\"']?\s?(?:=|:\s?)\s?(?:b(?=\\?[\"']))?\\?[\"']?)"
            r"(?!\*\*\*)[^\s\"'\\,;&<>(){}\[\]]{4,}",
            re.IGNORECASE,
        ),
        rf"\1\2{HIDDEN}",
    ),
    # Tokens that say by their form what they are: GitHub, GitLab, Slack, AWS, Stripe, Standard
    # Webhooks, JWT (RFC 7519).
    (
        re.compile(
            r"\b(?:gh[pousr]_\w{16,}|github_pat_\w{20,}|glpat-[\w-]{16,}|xox[a-z]-[\w-]{10,}"
            r"|(?:AKIA|ASIA)[A-Z0-9]{16}|[sr]k_live_\w{16,}|whsec_[A-Za-z0-9+/=]{16,}"
            r"|eyJ[\w-]{8,2000}\.eyJ[\w-]{8,}\.[\w-]*)"
        ),
        HIDDEN,
    ),
)

_known: dict[str, None] = {}
_lock = threading.Lock()


def remember(secret: str) -> None:
    """Hide this value, each of its lines, and the forms it goes out in, from now on."""
    lines = [secret, *(line.strip() for line in secret.splitlines())]
    bare = [line.partition("_")[2] for line in lines if line.startswith("whsec_")]
    values = [value for value in (*lines, *bare) if len(value) >= SHORTEST]
    forms = [form for value in values for form in _forms(value)]
    with _lock:
        if _known.keys() >= set(forms):
            return
        for form in forms:
            _known[form] = None
        while len(_known) > KNOWN:
            del _known[next(iter(_known))]


def remember_environment(env: Mapping[str, str]) -> None:
    """Hide what variables with the name of a secret hold, and passwords of addresses."""
    for name, value in env.items():
        if (names_secret(name) and name not in FOLDERS) or name == "PHASEGATE_KEYS":
            remember(value)
        if "://" in value:
            try:
                remember(urlsplit(value).password or "")
            except ValueError:
                continue


def hidden(text: str) -> str:
    """The text without secrets."""
    with _lock:
        known = list(_known)
    # The longest first: a shorter one may be a part of it.
    for value in sorted((v for v in known if v in text), key=len, reverse=True):
        text = text.replace(value, HIDDEN)
    for pattern, instead in _PATTERNS:
        text = pattern.sub(instead, text)
    return text


def hidden_value(value: Any, depth: int = DEEPEST) -> Any:
    """Data without secrets, by their names as well; what is no plain data, as its text."""
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return hidden(value)
        case bytes():
            return hidden(value.decode(errors="replace"))
        case Mapping() if depth:
            return {
                key: HIDDEN if part and names_secret(str(key)) else hidden_value(part, depth - 1)
                for key, part in value.items()
            }
        case list() | tuple() | set() | frozenset() if depth:
            return [hidden_value(part, depth - 1) for part in value]
    return hidden(repr(value))


def names_secret(name: str) -> bool:
    """Whether what has this name is a secret."""
    return _SECRET_NAME.search(name) is not None


def _forms(value: str) -> list[str]:
    """As it is, and as URLs, JSON, Python and Basic authentication (with no user) write it."""
    found = [
        value,
        quote(value, safe=""),
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        repr(value)[1:-1],
        b64encode(value.encode()).decode(),
    ]
    return [form for form in dict.fromkeys(found) if len(form) >= SHORTEST]
