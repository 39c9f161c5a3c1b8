"""Which IP addresses belong to the public internet, and to nobody's inner network.

`ipaddress.is_global` is another question: it lets multicast, NAT64, 6to4, `::127.0.0.1`, site-local
addresses and the wire server of a cloud pass.
"""

import ipaddress

__all__ = ["is_public"]

_SPECIAL_V4 = tuple(
    ipaddress.IPv4Network(each)
    for each in (
        # https://www.iana.org/assignments/iana-ipv4-special-registry
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
        "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24",
        "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24",
        "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        "168.63.129.16/32",  # Azure's wire server, an address of the public range
    )
)  # fmt: skip
_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
"""All that was ever given out for the internet; loopback, embedded IPv4 and NAT64 lie outside."""
_SPECIAL_V6 = tuple(
    ipaddress.IPv6Network(each)
    for each in (
        # https://www.iana.org/assignments/iana-ipv6-special-registry
        "2001::/23",  # Teredo, benchmarking, ORCHID
        "2001:db8::/32",
        "2002::/16",  # 6to4: an IPv4 address inside
        "2620:4f:8000::/48",
        "3fff::/20",
    )
)


def is_public(address: str) -> bool:
    """Whether an address may be connected to for somebody who merely named it."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv4Address):
        return not any(found in network for network in _SPECIAL_V4)
    return found in _GLOBAL_V6 and not any(found in network for network in _SPECIAL_V6)
