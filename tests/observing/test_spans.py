"""Spans name no person, and have no text of an error in them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
import webhooks
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode, Tracer
from temporalio.client import Client
from temporalio.service import RPCError

from client.tracing_calls import TraceCalls
from integrations import tracing
from integrations.document import Source
from serving.app import build_app

TRACE = f"00-{'ab' * 16}-{'cd' * 8}-01"
SOURCE = {"kind": "github", "secret": {"env": "HOOK_SECRET"}}


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    found, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(found))
    monkeypatch.setattr(tracing, "_tracers", [provider.get_tracer("test")])
    yield found
    provider.shutdown()


def tracer() -> Tracer:
    return tracing._tracers[0]


def said(spans: InMemorySpanExporter) -> list[ReadableSpan]:
    return list(spans.get_finished_spans())


def test_what_fails_says_its_type_only(spans: InMemorySpanExporter) -> None:
    with (
        pytest.raises(ValueError, match="ana"),
        tracing.span("deliver gate.vote", TRACE, receiver="subscriber/crm"),
    ):
        raise ValueError("no mail to ana@example.org")
    (span,) = said(spans)
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "ValueError")
    assert not span.events
    assert span.attributes == {"receiver": "subscriber/crm"}


async def test_who_gets_mail_is_not_named(spans: InMemorySpanExporter) -> None:
    away = await Client.connect("127.0.0.1:1", lazy=True, interceptors=[TraceCalls(tracer())])
    with tracing.span("deliver gate.vote", TRACE, receiver="mail"):
        for ask in (
            away.start_workflow("MailCourier", id="mail/ana", task_queue="q"),
            away.get_workflow_handle("mail/ana").signal("add"),
        ):
            with pytest.raises((RPCError, RuntimeError, TimeoutError)):
                await asyncio.wait_for(ask, 0.2)
    TraceCalls(tracer()).handled("add", TRACE, 1, {"temporalWorkflowID": "mail/ana"}, "")
    assert [span.name for span in said(spans)] == [
        *("start MailCourier", "signal add", "deliver gate.vote", "handle add"),
    ]
    assert "ana" not in " ".join(span.to_json() for span in said(spans))


async def test_a_stranger_begins_no_span_and_chooses_no_trace(
    spans: InMemorySpanExporter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_SECRET", "ours")
    monkeypatch.setenv("PHASEGATE_LEDGER", f"sqlite:///{tmp_path / 'l.db'}")
    app = build_app({"github": Source.model_validate(SOURCE)}, {})
    body = webhooks.as_body(webhooks.GITHUB_PING)
    statuses = []
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://x") as http:
        for path, secret in (
            *(("/events/nope", "ours"), ("/events/github", "guessed")),
            *(("/customers/harbor", "ours"), ("/events/github", "ours")),
        ):
            headers = {**webhooks.github(secret, "ping", body), "traceparent": TRACE}
            statuses.append((await http.post(path, headers=headers, content=body)).status_code)
    assert statuses == [404, 401, 401, 200]
    (span,) = said(spans)
    assert span.name == "take event"
    assert span.parent is not None
    assert f"{span.parent.trace_id:032x}" == "ab" * 16
