"""Events on their way out: who is told, and what couriers ask of activities."""

from __future__ import annotations

from hashlib import sha256

from phasegate.base import Instant, Wire
from phasegate.pseudonyms import PLAIN, Names

DELIVER = "deliver"
SEND_MAIL = "send_mail"
SEND_DIGEST = "send_digest"
SWEEP = "sweep_couriers"

COURIER = "Courier"
MAIL_COURIER = "MailCourier"
PORTFOLIO_DIGEST = "PortfolioDigest"
COURIER_SWEEP = "CourierSweep"

MAIL = "mail"
"""The receiver that hands events to the couriers of the people they concern."""


DIGEST = "digest"
"""What the weekly letter is called among receivers."""

_LONGEST = 190


def subscriber(name: str) -> str:
    """What a subscriber of the integrations file is called among receivers."""
    return f"subscriber/{name}"


def channel(name: str) -> str:
    """What a chat channel of the integrations file is called among receivers."""
    return f"chat/{name}"


def letter(address: str) -> str:
    """What an address that gets the weekly letter is called among receivers, 200 at most."""
    name = address if len(address) <= _LONGEST else sha256(address.encode()).hexdigest()
    return f"{DIGEST}/{name}"


def courier_id(receiver: str, product: str) -> str:
    return f"courier/{receiver}/{product}"


def mailbox(person: str) -> str:
    """What a person's mail is called among receivers."""
    return f"{MAIL}/{person}"


def impersonal(receiver: str) -> str:
    """A receiver without the person or the address behind it: `mail/ana` is mail."""
    first = receiver.partition("/")[0]
    return first if first in (MAIL, DIGEST) else receiver


def mail_courier_id(person: str, names: Names = PLAIN) -> str:
    return f"{MAIL}/{names.person(person)}"


class CourierOrder(Wire):
    """Bring a receiver what it has not been sent of a product, in the ledger's order."""

    receiver: str
    product: str


class Delivered(Wire):
    """What one round of deliveries came to; `more` asks for another one."""

    text: str
    more: bool = False


class SweepOrder(Wire):
    """Look after all receivers and products."""


class Swept(Wire):
    """How many couriers were started that nobody had woken."""

    started: int


class MailItem(Wire):
    """An event that concerns somebody: where it is in the ledger."""

    product: str
    seq: int


class MailItems(Wire):
    items: list[MailItem]


class MailOrder(Wire):
    """Gather what concerns a person for so long (seconds), then send it in one mail."""

    person: str
    gather: float
    items: list[MailItem] = []


class MailBatch(Wire):
    """One mail: the same events have the same Message-ID, however often it is sent."""

    person: str
    items: list[MailItem]


class DigestOrder(Wire):
    """The letter of the week that ends at this instant."""

    until: Instant
