"""Reading what senders send: their formats, made into events of one form.

- CloudEvents 1.0.2: HTTP binding (binary, structured, batched), JSON format, batch format.
- Standard Webhooks: the body is a CloudEvent, or `{type, timestamp, data}`.
- GitHub: X-GitHub-Event, X-GitHub-Delivery ("Webhook events and payloads").
- GitLab: X-Gitlab-Event, Idempotency-Key ("Webhooks", "Webhook events").
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, NoReturn

from cloudevents.core.base import BaseCloudEvent
from cloudevents.core.bindings.http import HTTPMessage, from_binary
from cloudevents.core.exceptions import CloudEventValidationError
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from pydantic import ValidationError

from integrations.document import Source
from integrations.proof import Headers
from integrations.refused import Refused, malformed, unsupported
from phasegate.happenings import Happening

LARGEST_BATCH = 100
STRUCTURED = "application/cloudevents+json"
BATCHED = "application/cloudevents-batch+json"
REQUIRED = ("id", "source", "specversion", "type")


@dataclass(frozen=True)
class Incoming:
    """An event and what it says. `data` is JSON, or None where it is not."""

    event: Happening
    data: Any


def read(name: str, source: Source, headers: Headers, body: bytes) -> list[Incoming]:
    """The events in a request of this source; none where it only says that it is there.

    Raises Refused: 400 malformed, 413 too many, 415 not understood.
    """
    if headers.get("content-encoding", "identity") != "identity":
        raise unsupported("its body is compressed", "send it without Content-Encoding")
    media = headers.get("content-type", "").partition(";")[0].strip().lower()
    match source.kind:
        case "cloudevents":
            return _cloudevents(name, media, headers, body)
        case "standard-webhooks":
            return [_standard(name, media, headers, body)]
        case "github":
            return _github(name, media, headers, body)
        case _:
            return [_gitlab(name, media, headers, body)]


# -- CloudEvents ----------------------------------------------------------------------------------


def _cloudevents(name: str, media: str, headers: Headers, body: bytes) -> list[Incoming]:
    if media == BATCHED:
        found = _json(body)
        if not isinstance(found, list):
            raise malformed("a batch is a JSON array of CloudEvents")
        if len(found) > LARGEST_BATCH:
            raise Refused(
                413,
                "too-large",
                "the events are not taken",
                f"a batch holds {LARGEST_BATCH} at most",
                "send smaller batches",
            )
        return [_structured(name, each) for each in found]
    if media == STRUCTURED:
        return [_structured(name, _json(body))]
    if media.startswith("application/cloudevents") or "ce-specversion" not in headers:
        raise unsupported(
            f"its Content-Type is {_quoted(media)}, and no ce- headers say what it is",
            f"send {STRUCTURED}, {BATCHED}, or ce- headers",
        )
    is_json = media in ("", "application/json", "text/json") or media.endswith("+json")
    if body and is_json:
        _json(body)  # the library would take what is no JSON for text
    message = HTTPMessage({n: v for n, v in headers.items() if n != "content-length"}, body)
    try:
        return [_from(name, from_binary(message, JSONFormat(), _strictly))]
    except Refused:
        raise
    except Exception as error:  # the library raises what its parts raise
        raise _no_cloudevent(error) from error


def _structured(name: str, found: Any) -> Incoming:
    if not isinstance(found, dict):
        raise malformed("a CloudEvent is a JSON object")
    # Null is for attributes that are not set (JSON format, section 2.2).
    set_ = {key: value for key, value in found.items() if value is not None}
    try:
        return _from(name, JSONFormat().read(_strictly, json.dumps(set_)))
    except Refused:
        raise
    except Exception as error:  # the library raises what its parts raise
        raise _no_cloudevent(error) from error


def _strictly(attributes: dict[str, Any], data: Any) -> CloudEvent:
    """The library makes up an id where there is none, and no event would be known again."""
    if missing := [name for name in REQUIRED if name not in attributes]:
        raise malformed(f"a CloudEvent needs {', '.join(missing)}")
    return CloudEvent(attributes, data)


def _from(name: str, found: BaseCloudEvent) -> Incoming:
    data = found.get_data()
    event = _event(
        source=name,
        origin=found.get_source(),
        type=found.get_type(),
        subject=found.get_subject(),
        id=found.get_id(),
    )
    return Incoming(event, None if isinstance(data, bytes) else data)


def _no_cloudevent(error: Exception) -> Refused:
    """Names of attributes at most: their values are the sender's."""
    if isinstance(error, CloudEventValidationError):
        return malformed(f"a CloudEvent cannot have this {', '.join(sorted(error.errors))[:200]}")
    return malformed("it is no CloudEvent")


# -- webhooks -------------------------------------------------------------------------------------


def _standard(name: str, media: str, headers: Headers, body: bytes) -> Incoming:
    found = _object(media, body, STRUCTURED)
    if media == STRUCTURED or "specversion" in found:
        return _structured(name, found)
    if not isinstance(found.get("type"), str) or "data" not in found:
        raise malformed("it is neither a CloudEvent nor has it type, timestamp and data")
    event = _event(source=name, origin=name, type=found["type"], id=headers.get("webhook-id"))
    return Incoming(event, found["data"])


def _github(name: str, media: str, headers: Headers, body: bytes) -> list[Incoming]:
    if media == "application/x-www-form-urlencoded":
        raise unsupported("it is a form", "choose application/json in the webhook's settings")
    found = _object(media, body)
    kind = headers.get("x-github-event")
    if kind == "ping":
        return []
    repository = _part(found, "repository")
    event = _event(
        source=name,
        origin=repository.get("html_url") or name,
        type=_needed(kind, "X-GitHub-Event"),
        subject=repository.get("full_name"),
        id=_needed(headers.get("x-github-delivery"), "X-GitHub-Delivery"),
    )
    return [Incoming(event, found)]


def _gitlab(name: str, media: str, headers: Headers, body: bytes) -> Incoming:
    found = _object(media, body)
    project = _part(found, "project")
    event = _event(
        source=name,
        origin=project.get("web_url") or name,
        type=_needed(headers.get("x-gitlab-event"), "X-Gitlab-Event"),
        subject=project.get("path_with_namespace"),
        id=_gitlab_id(headers, body),
    )
    return Incoming(event, found)


def _gitlab_id(headers: Headers, body: bytes) -> str:
    """A delivery's own id: webhook-id has the same value as Idempotency-Key.

    Older releases send X-Gitlab-Event-UUID only, which events that bring about each other share;
    their bodies differ.
    """
    if key := headers.get("webhook-id") or headers.get("idempotency-key"):
        return key
    uuid = _needed(headers.get("x-gitlab-event-uuid"), "Idempotency-Key")
    return f"{uuid}/{sha256(body).hexdigest()[:16]}"


# -- pieces ---------------------------------------------------------------------------------------


def _event(**attributes: Any) -> Happening:
    try:
        return Happening.model_validate(attributes)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        raise malformed(f"{first['loc'][0]}: {first['msg']}") from None


def _needed(value: str | None, header: str) -> str:
    if not value:
        raise malformed(f"there is no {header} header")
    return value


def _object(media: str, body: bytes, *also: str) -> dict[str, Any]:
    if media not in ("application/json", *also):
        raise unsupported(f"its Content-Type is {_quoted(media)}", "send application/json")
    found = _json(body)
    if not isinstance(found, dict):
        raise malformed("it is no JSON object")
    return found


def _part(found: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = found.get(name)
    return part if isinstance(part, dict) else {}


def _json(body: bytes) -> Any:
    """JSON as RFC 8259 has it: UTF-8, and no NaN."""
    try:
        return json.loads(body.decode(), parse_constant=_no_number)
    except RecursionError:
        raise malformed("its JSON is nested too deep") from None
    except ValueError:
        raise malformed("it is no JSON") from None


def _no_number(word: str) -> NoReturn:
    raise ValueError(word)


def _quoted(media: str) -> str:
    return media[:60] or "not given"
