"""Places as they are kept."""

import pytest

from services.user.domain.networks import network_of


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("198.51.100.77", "198.51.100.0/24"),
        ("::ffff:198.51.100.77", "198.51.100.0/24"),
        ("2001:db8:1234:5678::9", "2001:db8:1234::/48"),
        ("", ""),
        ("unix:", ""),
        ("example.org", ""),
        ("198.51.100.77, 10.0.0.1", ""),
    ],
)
def test_an_address_is_shortened_to_its_network(address: str, network: str) -> None:
    assert network_of(address) == network
