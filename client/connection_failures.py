"""What the SDK's Rust core says of a connection that failed, in words that help.

It says so in texts only. They hold no secrets, but what is not known here is cut short.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from client.temporal_target import Target
from phasegate.errors import EngineError

_START = "phasegate dev  # or set TEMPORAL_ADDRESS to a running Temporal server"
_OTHER = "temporal config get  # shows what TEMPORAL_PROFILE and the config file say"
_CA = "export TEMPORAL_TLS_SERVER_CA_CERT_PATH=/path/to/ca.pem  # who signed it, if you trust them"
_PAIR = (
    "export TEMPORAL_TLS_CLIENT_CERT_PATH=/path/to/client.pem "
    "TEMPORAL_TLS_CLIENT_KEY_PATH=/path/to/client.key"
)
_INSPECT = 'openssl x509 -noout -subject -issuer -dates -in "$TEMPORAL_TLS_CLIENT_CERT_PATH"'
_KEY = "read -rs TEMPORAL_API_KEY && export TEMPORAL_API_KEY  # paste a key that is valid"

_NO_SERVER = {
    "Connection refused": "nothing listens there",
    "ConnectionRefused": "nothing listens there",
    "dns error": "no such host",
}

_ALERTS = {
    "CertificateRequired": "it asks for a client certificate",
    "UnknownCA": "it does not know who signed our client certificate",
    "CertificateExpired": "our client certificate has ended",
    "CertificateRevoked": "our client certificate was revoked",
    "AccessDenied": "our client certificate may not come in",
}
"""TLS alerts, RFC 8446, 6.2."""

_ENDED = re.compile(
    r"UnexpectedEof|BrokenPipe|Connection ?reset|ConnectionAborted|operation was canceled|"
    "connection closed",
    re.I,
)


def explained(target: Target, error: Exception) -> EngineError:
    """Why Temporal could not be reached, and what to do about it."""
    text = str(error)
    for sign, words in _NO_SERVER.items():
        if sign in text:
            return EngineError(f"no Temporal server at {target.address}", words, _START)
    if found := _distrusted(target, text) or _turned_away(target, text):
        return EngineError(f"cannot connect to Temporal at {target.address}", *found)
    return EngineError(f"no Temporal server at {target.address}", _rest(error), _START)


def _distrusted(target: Target, text: str) -> tuple[str, str] | None:
    """Why we do not trust the server, or cannot speak TLS with it."""
    look = f"openssl s_client -connect {target.address} </dev/null | openssl x509 -noout -dates"
    if "InvalidContentType" in text:
        return (
            "it does not speak TLS, and the settings ask for it",
            "export TEMPORAL_TLS=false  # where everybody on the way may read what is said",
        )
    if "UnknownIssuer" in text:
        return "its certificate was signed by nobody that is trusted here", _CA
    if "InvalidCertificate(Expired" in text:
        return f"its certificate has ended{_when(text, 'not_after')}", look
    if "InvalidCertificate(NotValidYet" in text:
        return f"its certificate is not valid yet{_when(text, 'not_before')}", look
    if "InvalidCertificate(NotValidForName" in text:
        names = re.findall(r'DnsName\(\\?"([A-Za-z0-9.*-]+)', text)
        host = target.address.rpartition(":")[0]
        said = f"its certificate is for {', '.join(names[:3]) or 'another name'}, not for {host}"
        plain = next((name for name in names if "*" not in name), "NAME")
        return said, f"export TEMPORAL_TLS_SERVER_NAME={plain}  # if that is the one you mean"
    if found := re.search(r"InvalidCertificate\((\w+)", text):
        return f"its certificate is not accepted ({found[1]})", look
    return None


def _turned_away(target: Target, text: str) -> tuple[str, str] | None:
    """Why the server does not let us in, or what of ours cannot be used."""
    if "InconsistentKeys" in text:
        return "the client certificate and the client key do not belong together", _PAIR
    if "PrivateKeyParseError" in text:
        return "what is given as the client key is no private key in PEM form", _PAIR
    if re.search(r"CertificateParseError|NoCertificatesPresented", text):
        return "the client certificate cannot be read", _INSPECT
    if found := re.search(r"received fatal alert: (\w+)", text):
        if found[1] == "CertificateRequired":
            return _ALERTS[found[1]], _PAIR
        if target.client_certificate:
            unknown = f"it does not accept our client certificate ({found[1]})"
            return _ALERTS.get(found[1], unknown), _INSPECT
        return f"it ends the TLS handshake ({found[1]})", _OTHER
    if re.search(r"Unauthenticated|PermissionDenied|UNAUTHENTICATED|PERMISSION_DENIED", text):
        if target.api_key:
            return "it does not accept the API key", _KEY
        if target.client_certificate:
            return "it does not accept our client certificate", _INSPECT
        return "it asks for an API key or another credential", _KEY
    if _ENDED.search(text):
        return _hung_up(target)
    return None


def _hung_up(target: Target) -> tuple[str, str]:
    """It ended the connection and did not say why. An alert is lost where much is under way."""
    if not target.tls:
        return "it ends the connection; it may speak TLS only", "export TEMPORAL_TLS=true"
    if not target.client_certificate:
        return "it ends the connection; it may ask for a client certificate", _PAIR
    ends = target.certificate_ends
    if ends is not None and ends < datetime.now(UTC):
        return f"our client certificate has ended on {ends:%Y-%m-%d %H:%M} UTC", _INSPECT
    return "it ends the connection; it may not accept our client certificate", _INSPECT


def _when(text: str, field: str) -> str:
    found = re.search(rf"{field}: UnixTime\((\d+)\)", text)
    if not found:
        return ""
    at = datetime.fromtimestamp(int(found[1]), UTC)
    return f" on {at:%Y-%m-%d %H:%M} UTC" if field == "not_after" else f": from {at:%Y-%m-%d %H:%M}"


def _rest(error: Exception) -> str:
    text = str(error)
    return text.splitlines()[0][:200] if text else "it gives no answer"
