"""The SDK's Rust core: its log lines go through Python's logging, and so to stderr."""

from __future__ import annotations

import logging
from functools import cache

from temporalio.runtime import (
    LogForwardingConfig,
    LoggingConfig,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)


@cache
def core_runtime() -> Runtime:
    """The one runtime of this process.

    By default the core prints its warnings to stdout, into the JSON of whoever reads it.
    """
    forwarded = LogForwardingConfig(logger=logging.getLogger("temporalio.core"))
    levels = TelemetryFilter(core_level="WARN", other_level="ERROR")
    telemetry = TelemetryConfig(logging=LoggingConfig(filter=levels, forwarding=forwarded))
    return Runtime(telemetry=telemetry)
