"""What an installation talks to and runs: its integrations file, its allow-list of commands, and
the secrets these point at."""

from integrations.allowed import AllowList, load_allow_list
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
    "AllowList",
    "Chat",
    "Connection",
    "Digest",
    "Integrations",
    "Mail",
    "Secret",
    "SecretMissing",
    "Source",
    "Subscriber",
    "load_allow_list",
    "load_integrations",
]
