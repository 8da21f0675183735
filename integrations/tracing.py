"""Spans of what reaches the world, where tracing is on; nothing at all where it is off.

Only `client.tracing` knows OpenTelemetry's set-up and hands in a tracer. A trace goes on from a
W3C traceparent, since what is announced is written and sent long after whoever caused it has left.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Tracer

Kind = Literal["internal", "client", "server", "producer", "consumer"]

_tracers: list[Tracer] = []
_current: ContextVar[str] = ContextVar("traceparent", default="")


def use(tracer: Tracer) -> None:
    """Trace from now on."""
    _tracers[:] = [tracer]


def current() -> str:
    """The traceparent for what is being done now; empty where there is none."""
    return _current.get()


@contextmanager
def span(
    name: str, parent: str, *, kind: Kind = "internal", root: bool = False, **about: str
) -> Iterator[None]:
    """What happens within, as a part of the trace of `parent`.

    Without a parent there is no span, unless it may be the `root` of a trace: a lifecycle goes on
    for years and would be one endless trace. With tracing off, `current` is the parent.
    """
    if not _tracers or not (parent or root):
        token = _current.set(parent)
        try:
            yield
        finally:
            _current.reset(token)
        return
    from opentelemetry.trace import (  # noqa: PLC0415  # an extra, and slow to load
        SpanKind,
        Status,
        StatusCode,
    )

    with _tracers[0].start_as_current_span(
        # An error's text may have names and addresses in it.
        name,
        context_of(parent),
        kind=SpanKind[kind.upper()],
        attributes=about,
        record_exception=False,
        set_status_on_exception=False,
    ) as begun:
        token = _current.set(traceparent())
        try:
            yield
        except Exception as error:
            begun.set_status(Status(StatusCode.ERROR, type(error).__name__))
            raise
        finally:
            _current.reset(token)


def traceparent() -> str:
    """That of OpenTelemetry's current span."""
    from opentelemetry.trace.propagation.tracecontext import (  # noqa: PLC0415
        TraceContextTextMapPropagator,
    )

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier.get("traceparent", "")


def context_of(parent: str) -> Context:
    """The context that a traceparent names."""
    from opentelemetry.trace.propagation.tracecontext import (  # noqa: PLC0415
        TraceContextTextMapPropagator,
    )

    return TraceContextTextMapPropagator().extract({"traceparent": parent})
