"""Leaving the process for good."""

from __future__ import annotations

import logging
import os
import sys
from contextlib import suppress
from typing import NoReturn

from client.tracing import finish


def leave(code: int) -> NoReturn:
    """Exit without taking the interpreter down.

    Threads of Temporal's Rust core may still hand something back to Python, which then aborts
    (signal 6) in about one of ten short commands: temporalio/sdk-python issue 300.
    """
    finish()
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):  # whoever read it has left
            stream.flush()
    os._exit(code)
