"""Tracing by OpenTelemetry, set up by its own variables (`OTEL_*`), and off without them.

Loading it takes a quarter of a second, so that nothing is loaded where it is off.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

FLUSH = 2.0
"""Seconds that a command waits at its end for a collector that does not answer."""

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")

_provider: list[TracerProvider] = []


def wanted(env: Mapping[str, str] = os.environ) -> bool:
    """Whether the environment asks for traces: `OTEL_TRACES_EXPORTER=otlp`, or an endpoint.

    https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
    """
    exporters = env.get("OTEL_TRACES_EXPORTER", "").strip().lower()
    if env.get("OTEL_SDK_DISABLED", "").strip().lower() == "true" or exporters == "none":
        return False
    return "otlp" in exporters or any(env.get(name) for name in ENDPOINTS)


def available() -> bool:
    """Whether the extra `telemetry` is installed."""
    from importlib.util import find_spec  # noqa: PLC0415

    try:
        return find_spec("opentelemetry.exporter.otlp.proto.http") is not None
    except ModuleNotFoundError:
        return False


def start_tracing(service: str = "phasegate") -> bool:
    """Trace from now on, as this service unless OTEL_SERVICE_NAME names another; whether it does.

    The exporter is OTLP over HTTP with protobuf. The first call counts.
    """
    if _provider:
        return True
    if not (wanted() and available()):
        return False
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
        OTLPSpanExporter,
    )
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    from integrations import tracing  # noqa: PLC0415

    named = {"service.name": os.environ.get("OTEL_SERVICE_NAME") or service}
    provider = TracerProvider(resource=Resource.create(named), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    _provider.append(provider)
    tracing.use(provider.get_tracer("phasegate"))
    return True


def warn_of_tracing() -> None:
    """Say so where traces are asked for, and what makes them is not installed."""
    if wanted() and not available():
        import structlog  # noqa: PLC0415

        log = structlog.get_logger(__name__)
        log.warning("no traces are sent: pip install 'phasegate[telemetry]'")


def finish() -> None:
    """Send what is left, for a moment: a dead collector must hold up nobody."""
    if _provider:
        sending = threading.Thread(target=_provider.pop().shutdown, daemon=True)
        sending.start()
        sending.join(FLUSH)


@contextmanager
def traced(name: str) -> Iterator[None]:
    """A command as the root of a trace; or as a part of one, where TRACEPARENT says so.

    Without a name there is none: what runs for years is no trace.
    """
    if not (name and start_tracing()):
        yield
        return
    from opentelemetry.trace import SpanKind, Status, StatusCode  # noqa: PLC0415

    from integrations.tracing import context_of  # noqa: PLC0415

    # A collector that is away is nothing that whoever gave the command could mend.
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL + 1)
    parent = context_of(os.environ.get("TRACEPARENT", ""))
    tracer = _provider[0].get_tracer("phasegate")
    try:
        with tracer.start_as_current_span(
            # The words of an error may be anybody's.
            name,
            parent,
            kind=SpanKind.CLIENT,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield
            except Exception as error:
                span.set_status(Status(StatusCode.ERROR, type(error).__name__))
                raise
    finally:
        finish()


def interceptors() -> list[Any]:
    """What sends traces along with what clients ask; nothing where tracing is off."""
    if not _provider:
        return []
    from client.tracing_calls import TraceCalls  # noqa: PLC0415

    return [TraceCalls(_provider[0].get_tracer("phasegate"))]
