"""What a personal access token may do, and for how long."""

import pytest

from mesh.errors import InvalidFieldError, NotAllowedError
from services.user.domain.access_keys import ends_us, lent

DAY_US = 86_400_000_000
NOW_US = 20_000 * DAY_US


def test_it_ends_in_ninety_days_if_nothing_else_is_asked() -> None:
    assert ends_us(None, NOW_US) == NOW_US + 90 * DAY_US
    assert ends_us(NOW_US + DAY_US, NOW_US) == NOW_US + DAY_US


@pytest.mark.parametrize("asked_us", [NOW_US - 1, NOW_US, NOW_US + 367 * DAY_US])
def test_it_ends_neither_in_the_past_nor_in_more_than_a_year(asked_us: int) -> None:
    with pytest.raises(InvalidFieldError) as caught:
        ends_us(asked_us, NOW_US)
    assert caught.value.field == "expire_time"


def test_nobody_lends_more_than_they_hold() -> None:
    assert lent(["talk"], frozenset({"talk", "read"})) == frozenset({"talk"})
    with pytest.raises(NotAllowedError) as caught:
        lent(["talk", "admin"], frozenset({"talk", "read"}))
    assert caught.value.metadata == {"scopes": "admin"}
