"""Places as they are kept and counted: never a whole address, which would tell who somebody is."""

from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

_V4_BITS: Final = 24
_V6_BITS: Final = 48


def network_of(address: str) -> str:
    """The network of an address: 256 of IPv4, one customer's of IPv6. Empty where it is none."""
    try:
        known = ip_address(address)
    except ValueError:
        return ""
    if isinstance(known, IPv6Address) and known.ipv4_mapped is not None:
        known = known.ipv4_mapped
    bits = _V6_BITS if isinstance(known, IPv6Address) else _V4_BITS
    return str(ip_network((known.packed, bits), strict=False))
