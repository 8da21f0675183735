"""Requests that are not taken, as HTTP says it (RFC 9110, section 15)."""

from __future__ import annotations

from collections.abc import Mapping

from phasegate.errors import PhasegateError

SOON = 10
"""Seconds after which a sender may try again (Retry-After)."""


class Refused(PhasegateError):
    """A request is refused. `code` is stable; no text holds a secret or a piece of the body."""

    def __init__(
        self,
        status: int,
        code: str,
        what: str,
        why: str,
        hint: str,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(what, why, hint)
        self.status = status
        self.code = code
        self.headers = dict(headers or {})


def unavailable(why: str, hint: str, *, code: str = "unavailable", after: int = SOON) -> Refused:
    """Not taken for now: senders keep the event, and try again."""
    what = "the event cannot be taken now"
    return Refused(503, code, what, why, hint, headers={"Retry-After": str(after)})


def malformed(
    why: str, hint: str = "mend what is sent: docs/events.md says what is read"
) -> Refused:
    """Sent again it would fare no better."""
    return Refused(400, "malformed", "the event cannot be read", why, hint)


def unsupported(why: str, hint: str) -> Refused:
    """A format that is not understood (CloudEvents webhook specification 1.0.2, section 2.2)."""
    return Refused(415, "unsupported-type", "the event cannot be read", why, hint)
