"""What an installation talks to: its integrations file, and the secrets that file points at."""

from integrations.document import (
    Chat,
    Connection,
    Digest,
    Integrations,
    Mail,
    Source,
    Subscriber,
)
from integrations.loading import load_integrations
from integrations.secret import Secret, SecretMissing

__all__ = [
    "Chat",
    "Connection",
    "Digest",
    "Integrations",
    "Mail",
    "Secret",
    "SecretMissing",
    "Source",
    "Subscriber",
    "load_integrations",
]
