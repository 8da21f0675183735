"""The SDK's Rust core: its log lines go through Python's logging, its metrics to Prometheus."""

from __future__ import annotations

import logging
from functools import cache

from temporalio.runtime import (
    LogForwardingConfig,
    LoggingConfig,
    PrometheusConfig,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)

from client.listening import Address, taken
from phasegate.measures import MEASURES

_exposed: list[Address] = []


def expose_metrics(address: Address) -> None:
    """Serve metrics at `http://ADDRESS/metrics`, for as long as this process lives.

    Called before anything connects: a process has one runtime, and it is made once. Raises
    UsageError where something else listens there.
    """
    _exposed.append(address)
    try:
        core_runtime()
    except ValueError as error:  # the core's only word for it
        _exposed.clear()
        raise taken(address, "--metrics", str(error)) from None


@cache
def core_runtime() -> Runtime:
    """The one runtime of this process.

    By default the core prints its warnings to stdout, into the JSON of whoever reads it.
    """
    forwarded = LogForwardingConfig(logger=logging.getLogger("temporalio.core"))
    levels = TelemetryFilter(core_level="WARN", other_level="ERROR")
    return Runtime(
        telemetry=TelemetryConfig(
            logging=LoggingConfig(filter=levels, forwarding=forwarded),
            metrics=_prometheus(_exposed[0]) if _exposed else None,
        )
    )


def _prometheus(address: Address) -> PrometheusConfig:
    """Names and units as Prometheus wants them: _total behind counters, seconds everywhere."""
    return PrometheusConfig(
        bind_address=str(address),
        counters_total_suffix=True,
        unit_suffix=True,
        durations_as_seconds=True,
        histogram_bucket_overrides={m.name: list(m.bounds) for m in MEASURES if m.bounds},
    )
