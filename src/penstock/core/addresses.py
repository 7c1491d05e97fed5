"""Which IP addresses belong to the public internet: a page from there has no business with any other."""

from __future__ import annotations

import ipaddress
from typing import Final
from urllib.parse import urlsplit

#: Names that the public DNS does not have (RFC 6761, 6762, 8375, and ICANN's .internal).
_LOCAL_NAMES: Final = (".localhost", ".local", ".internal", ".home.arpa", ".localdomain")
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
#: What Python's own tables lack, or lacked in some release that we run on: documentation (RFC 9637), site-local
#: (RFC 3879), segment routing (RFC 9602), local-use NAT64 (RFC 8215), IETF protocols (RFC 6890), and the relays of
#: 6to4 (RFC 7526).
_NOT_PUBLIC: Final = tuple(
    ipaddress.ip_network(text)
    for text in ("3fff::/20", "fec0::/10", "5f00::/16", "64:ff9b:1::/48", "192.0.0.0/24", "192.88.99.0/24")
)


def is_public(address: str) -> bool:
    """True for a globally reachable unicast address, none that is embedded in it being any other (RFC 6890)."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    if any(ip.version == network.version and ip in network for network in _NOT_PUBLIC):
        return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_loopback or ip.is_link_local)


def is_public_url(url: str) -> bool:
    """False for a URL whose host is a private address as it is written, or this machine or network by name."""
    host = (urlsplit(url).hostname or "").lower().rstrip(".")
    last = host.rpartition(".")[2]
    if ":" in host or last.isdigit() or last.startswith("0x"):  # a number, in one of the ways that inet_aton reads
        return is_public(host)
    return "." in host and not host.endswith(_LOCAL_NAMES)
