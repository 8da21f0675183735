"""Mail addresses: what the directory takes can be written to, and leads to that person alone."""

from __future__ import annotations

import pytest
from aiosmtplib.email import extract_recipients
from hypothesis import given
from hypothesis import strategies as st

from activities.post import blank
from client.documents import check_directory
from integrations.document import Mail
from phasegate.directory import address_problem
from phasegate.reading import parse_directory

MAIL = Mail(host="smtp.example.com", sender="gates@acme.example")


@pytest.mark.parametrize(
    "address",
    [
        "olga@acme.example",
        "o'brien+gates@sub.acme.example",
        "olga@localhost",
        "jürgen@bücher.example",
        "x" * 64 + "@acme.example",
    ],
)
def test_addresses(address: str) -> None:
    assert address_problem(address) == ""


@pytest.mark.parametrize(
    "address",
    [
        "olga",
        "olga@",
        "@acme.example",
        "olga@acme.example.",
        "olga@acme..example",
        "olga@-acme.example",
        ".olga@acme.example",
        "olga@acme.example\nBcc: eve@evil.example",
        "olga\u2028@acme.example",
        "olga bo@acme.example",
        "olga,bo@acme.example",
        "olga@acme.example,bo@acme.example",
        "Olga <olga@acme.example>",
        "olga@[127.0.0.1]",
        '"olga"@acme.example',
        "olga\ud800@acme.example",
        "x" * 65 + "@acme.example",
        "x@" + ".".join(["y" * 60] * 5),
    ],
)
def test_no_addresses(address: str) -> None:
    assert "mail address" in address_problem(address)


PARTS = st.text(st.sampled_from("ab.@-_=?<>()[],;:\\\"' \t\r\n\x00é\u2028ü%+"), max_size=12)


@given(st.builds("{}@{}".format, PARTS, PARTS) | PARTS)
def test_what_is_an_address_can_be_written_and_goes_there_alone(address: str) -> None:
    if address_problem(address) == "":
        message = blank(MAIL, [address], "Launch", "Vote.", "<1@acme.example>")
        message.as_bytes()
        assert extract_recipients(message) == [address]


def test_a_wrong_address_is_found_where_it_stands() -> None:
    text = "people:\n  ana: {}\n  olga: {name: Olga, email: olga@}\ngroups: {}\n"
    ((finding, problem),) = check_directory(parse_directory(text, "people.yaml"))
    assert finding.severity == "error"
    assert str(problem).startswith(
        "people.yaml:3:29: people.olga.email: 'olga@' is no mail address"
    )
