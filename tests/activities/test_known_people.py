"""Whom mail reaches where the record has a gate before its product's start."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from activities.channels import Refused
from activities.known_people import KnownPeople
from activities.mailing import Postbox
from integrations.document import Mail
from ledger import Entry, Ledger
from phasegate.events import Announcement

AT = datetime(2026, 11, 25, 9, tzinfo=UTC)
MAIL = Mail(host="127.0.0.1", port=1, tls="none", sender="gates@phasegate.example")


def written(ledger: Ledger, type: str, **data: object) -> Entry:
    """As the next entry of the record; a killed worker may leave any order."""
    more = {"product": "lamp", "source": "s", "at": AT, "text": "it"}
    (entry,) = ledger.record("lamp", [Announcement(id=type, type=type, data=data, **more)]).new
    return entry


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")


async def test_a_mail_waits_until_the_record_says_who_is_in_the_product(ledger: Ledger) -> None:
    opened = written(ledger, "gate.opened", waiting_for=["ana"])
    answer = await Postbox(ledger, MAIL, "phasegate").send(opened)
    assert isinstance(answer, Refused)
    assert not answer.for_good
    assert Postbox(ledger, MAIL, "phasegate").give_up == timedelta(days=3), "and not for ever"
    product = {"name": "Lamp", "owner": "olga"}
    written(ledger, "product.started", product=product, directory="acme")
    written(ledger, "product.updated", product={"name": "Lantern", "owner": "olga"})
    (concerned, *_) = KnownPeople(ledger).concerned(opened)
    assert concerned.concern.person == "ana"
    assert (concerned.product.directory, concerned.product.name) == ("acme", "Lamp")
    ledger.close()
