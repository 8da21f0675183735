"""Announcements as CloudEvents, signed as Standard Webhooks ask for."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from standardwebhooks import Webhook

from ledger import Entry
from phasegate.errors import PhasegateError

CONTENT_TYPE = "application/cloudevents+json"
PREFIX = "phasegate."
"""`gate.decided` is `phasegate.gate.decided` to the world."""

OURS = {"lifecycle"}
"""What a revived product is rebuilt from: an engine's state, and no receiver's business."""


class SigningKeyUnusable(PhasegateError):
    """A subscriber's secret is no key that Standard Webhooks can sign with."""


def cloud_event(entry: Entry) -> CloudEvent:
    """The event as CloudEvents 1.0 has it, with the extension `sequence`: its place in the record
    of its product, in digits that sort as text; and with `traceparent` where what brought it about
    was traced (the extension for distributed tracing).

    https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md
    """
    said = entry.announcement
    data: dict[str, Any] = {
        "product": said.product,
        "actor": said.actor,
        "text": said.text,
        "details": {name: value for name, value in said.data.items() if name not in OURS},
    }
    traced = {"traceparent": said.traceparent} if said.traceparent else {}
    return CloudEvent(
        {
            "id": said.id,
            "source": said.source,
            "type": PREFIX + said.type,
            "subject": said.product,
            "time": said.at,
            "datacontenttype": "application/json",
            "sequence": f"{entry.seq:010}",
            **traced,
        },
        data,
    )


def structured(entry: Entry) -> bytes:
    """The event in the structured mode of HTTP: one JSON document."""
    written = JSONFormat().write(cloud_event(entry))
    return written.encode() if isinstance(written, str) else written


def signed(secret: str, entry: Entry, body: bytes, at: datetime) -> dict[str, str]:
    """The headers of one attempt. Raises SigningKeyUnusable.

    `webhook-id` stays the same whenever the event is sent; `webhook-timestamp` is that of the
    attempt. https://github.com/standard-webhooks/standard-webhooks/blob/main/spec
    """
    id = entry.announcement.id
    try:
        signature = Webhook(secret).sign(id, at, body.decode())
    except Exception as error:  # its own errors and those of base64; none may quote the key
        raise SigningKeyUnusable(
            "the signing key of a subscriber cannot be used",
            f"it is not whsec_ and base64 ({type(error).__name__})",
            "write whsec_ and the base64 of 24 to 64 random bytes into the secret",
        ) from None
    return {
        "Content-Type": CONTENT_TYPE,
        "webhook-id": id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signature,
        "Idempotency-Key": id,
    }
