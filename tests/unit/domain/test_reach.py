"""Which addresses may be called: by what they are, in whatever form they come."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phasegate.reach import Reach, network, networks

POLICY = Reach()
OPERATOR = Reach(inner=True)

NEVER = {
    "127.0.0.1": "loopback",
    "127.255.255.254": "loopback",
    "::1": "loopback",
    "169.254.0.1": "link-local",
    "fe80::1%eth0": "link-local",
    "169.254.169.254": "a cloud's metadata service",
    "fd00:ec2::254": "a cloud's metadata service",
    "100.100.100.200": "a cloud's metadata service",
    "168.63.129.16": "a cloud's metadata service",
    "0.0.0.0": "no address of one machine",  # noqa: S104
    "0.1.2.3": "no address of one machine",
    "::": "no address of one machine",
    "224.0.0.1": "multicast",
    "ff02::1": "multicast",
    "255.255.255.255": "reserved",
    "240.0.0.1": "reserved",
    "192.0.2.7": "reserved",
    "2001:db8::1": "reserved",
    # An IPv4 address in the form of another.
    "::ffff:127.0.0.1": "loopback",
    "::127.0.0.1": "loopback",
    "64:ff9b::7f00:1": "loopback",
    "64:ff9b::a9fe:a9fe": "a cloud's metadata service",
    "2002:7f00:1::": "loopback",
    "64:ff9b:1::a9fe:a9fe": "reserved",
    "::ffff:0:127.0.0.1": "reserved",
    "::5efe:7f00:1": "reserved",
    "5f00::1": "reserved",
}
INNER = [
    "10.1.2.3",
    "172.31.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "fd12::1",
    "fec0::1",
    "::ffff:10.0.0.1",
]
PUBLIC = ["1.1.1.1", "140.82.121.4", "2606:4700::1111", "64:ff9b::101:101", "::ffff:1.1.1.1"]


@pytest.mark.parametrize(("address", "what"), NEVER.items())
def test_called_by_nobody(address: str, what: str) -> None:
    assert POLICY.refusal(ip_address(address)) == what
    assert OPERATOR.refusal(ip_address(address)) == what


@pytest.mark.parametrize("address", INNER)
def test_private_ones_are_for_what_the_operator_names(address: str) -> None:
    assert POLICY.refusal(ip_address(address)) == "private"
    assert not OPERATOR.refusal(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_public_ones_are_for_all(address: str) -> None:
    assert not POLICY.refusal(ip_address(address))


def test_allowed_by_name_of_the_network() -> None:
    reach = Reach(allowed=networks(("127.0.0.1", "10.0.0.0/8", "fe80::/10")))
    for address in ("127.0.0.1", "::ffff:127.0.0.1", "10.9.9.9", "fe80::1%lo"):
        assert not reach.refusal(ip_address(address))
    assert reach.refusal(ip_address("127.0.0.2")) == "loopback"
    assert reach.refusal(ip_address("192.168.0.1")) == "private"


@pytest.mark.parametrize("text", ["", "localhost", "10.0.0.1/8", "10.0.0.0/33", "1.2.3", "*"])
def test_what_is_no_network(text: str) -> None:
    with pytest.raises(ValueError, match="is no address or network, such as"):
        network(text)


@pytest.mark.parametrize(("text", "bits"), [("10.0.0.1/8", True), ("10.0.0.0/33", False)])
def test_a_network_with_too_much_in_it_is_told_so(text: str, bits: bool) -> None:
    with pytest.raises(ValueError, match="is no address or network") as caught:
        network(text)
    assert str(caught.value).endswith("; it has host bits set") is bits


@given(st.ip_addresses(v=4))
def test_another_form_of_an_address_is_no_way_round(address: IPv4Address) -> None:
    what = POLICY.refusal(address)
    for form in ("::ffff:0:0", "64:ff9b::"):
        assert POLICY.refusal(IPv6Address(int(IPv6Address(form)) + int(address))) == what
