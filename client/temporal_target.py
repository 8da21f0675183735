"""Which Temporal is meant and how it is reached, as Temporal's own settings say."""

from __future__ import annotations

import os
import re
import shlex
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import ip_address
from urllib.parse import urlsplit

from temporalio.envconfig import ClientConfigProfile, ClientConnectConfig
from temporalio.service import TLSConfig

from phasegate.errors import EngineError

LOCAL = "localhost:7233"

_PEM = b"-----BEGIN CERTIFICATE-----"

_SHOWN = "temporal config get  # shows what TEMPORAL_PROFILE and the config file say"


@dataclass(frozen=True)
class Target:
    """A Temporal server. What it prints has no secrets: the SDK's own objects print keys."""

    address: str
    config: ClientConnectConfig = field(repr=False)

    @property
    def tls(self) -> bool:
        return bool(self.config.get("tls"))

    @property
    def api_key(self) -> bool:
        """Whether calls carry an API key."""
        return bool(self.config.get("api_key"))

    @property
    def client_certificate(self) -> bool:
        return self._certificate is not None

    @property
    def certificate_ends(self) -> datetime | None:
        """When the client certificate ends; None where there is none, or none that can be read."""
        if self._certificate is None:
            return None
        from cryptography import x509  # noqa: PLC0415  # it takes time to load

        try:
            return min(
                certificate.not_valid_after_utc
                for certificate in x509.load_pem_x509_certificates(self._certificate)
            )
        except ValueError:
            return None

    @property
    def _certificate(self) -> bytes | None:
        tls = self.config.get("tls")
        return tls.client_cert if isinstance(tls, TLSConfig) else None

    @property
    def loopback(self) -> bool:
        """Whether what is said stays on this machine, by the look of the address."""
        try:
            host = urlsplit(f"//{self.address.rpartition('//')[2]}").hostname or ""
            return host == "localhost" or ip_address(host).is_loopback
        except ValueError:
            return False


def load_target() -> Target:
    """The server that TEMPORAL_* variables or a profile of Temporal's config file name.

    Raises EngineError where they cannot be read, or cannot be right.
    """
    named = os.environ.get("TEMPORAL_CONFIG_FILE")
    if named and not os.path.isfile(named):  # the SDK would go on to localhost without a word
        raise EngineError(
            "the Temporal settings cannot be read",
            f"TEMPORAL_CONFIG_FILE names {named}, and there is no such file",
            "export TEMPORAL_CONFIG_FILE=/path/to/temporal.toml  # or unset it",
        )
    try:
        config = ClientConfigProfile.load().to_client_connect_config()
    except OSError as error:
        raise EngineError(
            "the Temporal settings cannot be read",
            f"{error.filename}: {error.strerror}",
            f"ls -l {shlex.quote(str(error.filename))}",
        ) from error
    except Exception as error:
        # Without its cause: a traceback would quote the line, which may be that of an API key.
        raise EngineError("the Temporal settings cannot be read", _said(error), _SHOWN) from None
    _judge(config.get("tls"))
    return Target(config.setdefault("target_host", LOCAL), config)


def _said(error: Exception) -> str:
    """What is wrong, without the line of the file that Temporal's own error quotes."""
    text = str(error)
    if found := re.search(r"TOML parse error at (line \d+, column \d+)", text):
        return f"the config file is not as Temporal reads it, at {found[1]}"
    return text


def _judge(tls: bool | TLSConfig | None) -> None:
    """What the SDK would find out later, or say less well. Raises EngineError."""
    if not isinstance(tls, TLSConfig):
        return
    if (tls.client_cert is None) != (tls.client_private_key is None):
        there, missing = ("certificate", "key") if tls.client_cert else ("key", "certificate")
        name = "CLIENT_KEY" if tls.client_cert else "CLIENT_CERT"
        raise EngineError(
            "the Temporal settings cannot be used",
            f"there is a client {there}, but not the {missing} that belongs to it",
            f"export TEMPORAL_TLS_{name}_PATH=/path/to/{missing}.pem",
        )
    for given, what, name in (
        (tls.server_root_ca_cert, "CA of the server", "SERVER_CA_CERT"),
        (tls.client_cert, "client certificate", "CLIENT_CERT"),
    ):
        if given is not None and _PEM not in given:
            raise EngineError(
                "the Temporal settings cannot be used",
                f"what is given as the {what} is no certificate in PEM form",
                f"openssl x509 -noout -subject -in /path/to/cert.pem  # for TEMPORAL_TLS_{name}_…",
            )
