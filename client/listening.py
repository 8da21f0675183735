"""Where metrics and health are served: HOST:PORT, on this machine only unless told otherwise."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass

from client.usage import UsageError

METRICS, HEALTH = "PHASEGATE_METRICS", "PHASEGATE_HEALTH"

LOOPBACK = "127.0.0.1"

_ADDRESS = re.compile(r"(?:(\[[0-9a-fA-F:.]+\]|[^:\s]*):)?(\d{1,5})")


@dataclass(frozen=True)
class Address:
    """A host as an IP address, and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def listening(
    variable: str, option: str | None = None, env: Mapping[str, str] = os.environ
) -> Address | None:
    """The address of an option, or else of a variable of the environment; None where neither is.

    A port alone is one on this machine. Raises UsageError.
    """
    text = option or env.get(variable)
    if not text:
        return None
    found = _ADDRESS.fullmatch(text.strip())
    if found is None or not 0 < int(found[2]) < 65536:
        raise _unusable(variable, text, "it is no HOST:PORT")
    try:
        host = _resolved((found[1] or LOOPBACK).strip("[]"))
    except OSError as error:
        raise _unusable(variable, text, error.strerror or str(error)) from error
    return Address(host, int(found[2]))


def _resolved(host: str) -> str:
    """What the exporter of metrics listens at is an IP address, and no name."""
    return str(socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][4][0])


def _unusable(variable: str, text: str, why: str) -> UsageError:
    number = 9464 if variable == METRICS else 9465
    option = "--metrics" if variable == METRICS else "--health"
    what = f"{option} ({variable}): {text[:80]} cannot be listened at"
    return UsageError(what, why, f"{option} {LOOPBACK}:{number}")


def taken(address: Address, option: str, why: str) -> UsageError:
    """What is said where something else listens there."""
    free = Address(address.host, address.port + 1 if address.port < 65535 else 9464)
    return UsageError(
        f"cannot listen at {address}", why, f"{option} {free}  # each worker needs ports of its own"
    )
