"""How long a system asks to be left alone, in the words of each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx2

from activities import web
from phasegate.trackers import Kind

SECONDARY = timedelta(minutes=1)
"""GitHub: the least to wait where it names no time (docs.github.com/en/rest, rate limits)."""

RESETS = {
    "github": "x-ratelimit-reset",
    "gitlab": "ratelimit-reset",
    "jira": "x-ratelimit-reset",
}
"""When there is more of what was spent: seconds since 1970, for Jira Cloud an ISO 8601 instant.

GitHub: docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api; GitLab:
docs.gitlab.com/administration/settings/user_and_ip_rate_limits; Jira Cloud:
developer.atlassian.com/cloud/jira/platform/rate-limiting.
"""


def wait_of(response: httpx2.Response, kind: Kind) -> timedelta | None:
    """How long to wait after this answer, a day at most; None where it does not say.

    Retry-After comes first (RFC 9110, 10.2.3), with 429 and 503, and for GitHub also with 403.
    Then the reset of the limit, if nothing is left of it.
    """
    limits = (403, 429) if kind == "github" else (429,)
    if asked := web.retry_after(response, (*limits, 503)):
        return asked
    if response.status_code not in limits:
        return None
    # GitHub's 403 may be no limit at all, so it must say that nothing is left.
    spent = kind != "github" or response.headers.get("x-ratelimit-remaining") == "0"
    if spent and (at := _instant(response.headers.get(RESETS.get(kind, ""), ""))):
        return min(max(at - datetime.now(UTC), timedelta(0)), web.LONGEST_WAIT)
    return SECONDARY if kind == "github" else None


def _instant(text: str) -> datetime | None:
    try:
        if text.isascii() and text.isdigit():
            return datetime.fromtimestamp(int(text), UTC)
        at = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        return None
    return at.replace(tzinfo=at.tzinfo or UTC)
