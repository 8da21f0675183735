"""Receivers and their couriers are addressed by names that cannot be mistaken for each other."""

from phasegate.delivery import (
    MAIL,
    CourierOrder,
    MailItem,
    MailOrder,
    channel,
    courier_id,
    letter,
    mailbox,
    subscriber,
)


def test_ids_of_couriers() -> None:
    assert courier_id(subscriber("crm"), "lamp") == "courier/subscriber/crm/lamp"
    assert courier_id(channel("all"), "lamp") == "courier/chat/all/lamp"
    assert courier_id(MAIL, "lamp") == "courier/mail/lamp"
    assert courier_id(subscriber("mail"), "lamp") != courier_id(MAIL, "lamp")
    assert mailbox("ana@acme.example") == "mail/ana@acme.example"


def test_addresses_of_the_weekly_letter_fit_into_the_ledger() -> None:
    assert letter("head@acme.example") == "digest/head@acme.example"
    long = ["head@" + ".".join(["y" * 60] * 4) + f".x{n}" for n in range(2)]
    assert all(len(letter(address)) <= 200 for address in long)
    assert len({letter(address) for address in long}) == 2


def test_orders_travel_as_json() -> None:
    order = MailOrder(person="ana", gather=60, items=[MailItem(product="lamp", seq=3)])
    assert MailOrder.model_validate_json(order.model_dump_json()) == order
    assert CourierOrder.model_validate({"receiver": MAIL, "product": "lamp", "new": 1})
