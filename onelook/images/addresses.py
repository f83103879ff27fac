"""Which network addresses are public: the check that keeps a picture's URL out of the network of this machine."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: the last 32 bits are the IPv4 address that is reached
SIX_TO_FOUR = IPv6Network("2002::/16")  # RFC 7526: deprecated; wraps any IPv4 address, private ones too


def is_public(address: str) -> bool:
    """Whether `address`, as `getaddrinfo` writes it, is a public unicast address; False if it is not an address.

    An IPv6 address that represents an IPv4 one (mapped, NAT64) is public if that one is. The IANA
    registries behind `is_global` count multicast, most reserved blocks and site-local addresses as global: they are
    excluded here.
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    inner = _inner(parsed)
    if inner is not None:
        return is_public(str(inner))
    if isinstance(parsed, IPv6Address) and (parsed.is_site_local or parsed in SIX_TO_FOUR):
        return False
    return parsed.is_global and not (parsed.is_multicast or parsed.is_reserved)


def _inner(address: IPv4Address | IPv6Address) -> IPv4Address | None:
    if isinstance(address, IPv4Address):
        return None
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped
