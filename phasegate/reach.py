"""Which addresses may be called: by the number that is really connected to, never by a name.

Names prove nothing: what one resolves to is its owner's choice, and may change between two looks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_METADATA = tuple(
    map(ip_address, ("169.254.169.254", "100.100.100.200", "168.63.129.16", "192.0.0.192"))
) + tuple(map(ip_address, ("fd00:ec2::254", "fd20:ce::254")))
"""Where clouds hand out credentials to whatever runs in them (AWS, Alibaba, Azure, Oracle, GCP)."""

_INNER = tuple(
    map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"))
) + tuple(map(ip_network, ("fc00::/7", "fec0::/10")))
"""RFC 1918, RFC 6598, RFC 4193 and RFC 3879: where installations live."""

_NAT64 = IPv6Network("64:ff9b::/96")
_UNICAST = IPv6Network("2000::/3")
"""All that is given out as public so far (RFC 4291, 2.4). What lies elsewhere may be translated to
anything: RFC 8215, RFC 2765, RFC 9602."""


@dataclass(frozen=True)
class Reach:
    """What one caller may connect to. Public addresses always; others as said here."""

    inner: bool = False
    """Private addresses, too: for what the operator's own file names."""
    allowed: tuple[Network, ...] = ()

    def refusal(self, address: Address) -> str:
        """Why an address may not be connected to, as what it is; empty if it may."""
        if any(form in network for form in _forms(address) for network in self.allowed):
            return ""
        for form in _forms(address):
            if what := _what(form):
                return "" if what == "private" and self.inner else what
        return ""


def networks(texts: tuple[str, ...]) -> tuple[Network, ...]:
    """Addresses and networks (CIDR) as written. Raises ValueError."""
    return tuple(map(network, texts))


def network(text: str) -> Network:
    """One address, or network in CIDR form. Raises ValueError."""
    try:
        return ip_network(text.strip())
    except ValueError as error:
        raise ValueError(
            f"{text.strip()[:60]!r} is no address or network, such as 127.0.0.1 or 10.0.0.0/8"
            + ("; it has host bits set" if "host bits" in str(error) else "")
        ) from None


def _forms(address: Address) -> Iterator[Address]:
    """The address, and the IPv4 address that is meant by it, innermost first."""
    if isinstance(address, IPv6Address):
        number = int(address)
        if address.ipv4_mapped:
            yield address.ipv4_mapped
        elif address.sixtofour:
            yield address.sixtofour
        elif address.teredo:
            yield address.teredo[1]
        elif address in _NAT64 or (1 < number < 2**32):  # the latter: RFC 4291, 2.5.5.1
            yield IPv4Address(number & 0xFFFFFFFF)
        if address.scope_id:
            address = IPv6Address(number)
    yield address


def _what(address: Address) -> str:
    """What keeps an address from being called; empty for a public one."""
    if address in _METADATA:
        return "a cloud's metadata service"
    if address.is_unspecified or (isinstance(address, IPv4Address) and int(address) < 2**24):
        return "no address of one machine"
    if address.is_loopback:
        return "loopback"
    if address.is_link_local:
        return "link-local"
    if address.is_multicast:
        return "multicast"
    if any(address in network for network in _INNER):
        return "private"
    if isinstance(address, IPv6Address) and (address.ipv4_mapped or address in _NAT64):
        return ""  # it is what the IPv4 address in it is, which was looked at first
    if isinstance(address, IPv6Address) and address not in _UNICAST:
        return "reserved"
    return "" if address.is_global else "reserved"
