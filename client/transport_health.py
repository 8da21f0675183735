"""Whether what is said to Temporal is secret on its way, and until when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from client.checkup import Check
from client.temporal_target import Target

SOON = timedelta(days=30)
"""A client certificate that ends within this is to be replaced."""


def examine_transport(target: Target) -> Check:
    """TLS or none, the client certificate's end, and what else is known of the way there."""
    where = f"to {target.address}"
    if not target.tls:
        if target.loopback:
            return _check("ok", f"without TLS {where}, on this machine")
        key = ", and the API key with it" if target.api_key else ""
        return _check(
            "warn",
            f"without TLS {where}: whoever is on the way reads and changes what is said{key}",
            "export TEMPORAL_TLS=true  # where the server speaks it; see docs/connections.md",
        )
    shown = ["TLS", *(["an API key"] if target.api_key else [])]
    if not target.client_certificate:
        return _check("ok", f"{' and '.join(shown)} {where}")
    shown.append("a client certificate")
    ends = target.certificate_ends
    if ends is None:
        return _check("ok", f"{' and '.join(shown)} {where}")
    day, left = f"{ends:%Y-%m-%d %H:%M} UTC", ends - datetime.now(UTC)
    if left > SOON:
        return _check("ok", f"{' and '.join(shown)} {where}; the certificate ends on {day}")
    said = f"ends on {day}, in {left.days} days" if left > timedelta(0) else f"ended on {day}"
    mend = "put its successor in its place, then start workers again: see docs/connections.md"
    return _check("warn", f"the client certificate for {target.address} {said}", mend)


def _check(state: str, what: str, mend: str = "") -> Check:
    return Check.model_validate({"check": "transport", "state": state, "what": what, "mend": mend})
