"""Addresses of clients: which of them are proxies to be believed, and how many of anything each may hold."""

import ipaddress
from collections import Counter
from collections.abc import Iterable
from typing import Final

from mesh.errors import InvalidFieldError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

#: One household, as far as IPv6 can tell.
_HOUSEHOLD_BITS: Final = 64


class TrustedProxies:
    """Reverse proxies by address or network."""

    def __init__(self, proxies: Iterable[str]) -> None:
        self._networks = [_network(each) for each in proxies]

    def __contains__(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._networks)


class Places:
    """Counts what each household holds, so that none holds more than its share. 0 is no bound."""

    def __init__(self, each: int) -> None:
        self._each = each
        self._taken: Counter[str] = Counter()

    def take(self, address: str) -> bool:
        """Takes a place for `address`; False where it has all of its share."""
        household = household_of(address)
        if self._each and self._taken[household] >= self._each:
            return False
        self._taken[household] += 1
        return True

    def leave(self, address: str) -> None:
        """Gives back a place that was taken."""
        household = household_of(address)
        self._taken[household] -= 1
        if self._taken[household] <= 0:
            del self._taken[household]


def household_of(address: str) -> str:
    """The address, of IPv6 only the half that a provider gives to one customer."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, _HOUSEHOLD_BITS), strict=False))


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise InvalidFieldError(
            "A trusted proxy is neither an address nor a network; set VIVAVOCE_EDGE_TRUSTED_PROXIES to such as "
            "127.0.0.1,10.0.0.0/8.",
            field="trusted_proxies",
        ) from None
