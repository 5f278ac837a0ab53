"""Personal access tokens: what one may do, and for how long."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from mesh.errors import InvalidFieldError, NotAllowedError

#: Personal access tokens of one person that work at the same time.
MOST: Final = 50
#: That it was used is noted no more often.
NOTED_EVERY_US: Final = 60_000_000

_DAY_US: Final = 86_400_000_000
_USUAL_US: Final = 90 * _DAY_US
_LONGEST_US: Final = 366 * _DAY_US


@dataclass(frozen=True, slots=True)
class AccessKey:
    """A personal access token, without the token: that is kept as its SHA-256 only."""

    access_key_id: str
    user_id: str
    name: str
    prefix: str
    scopes: frozenset[str]
    create_time_us: int
    expire_time_us: int
    last_used_time_us: int | None = None


def ends_us(asked_us: int | None, now_us: int) -> int:
    """When one that is made now ends: when it was asked for, else in 90 days.

    Raises:
        InvalidFieldError: that has passed, or is more than a year away.
    """
    if asked_us is None:
        return now_us + _USUAL_US
    if not now_us < asked_us <= now_us + _LONGEST_US:
        raise InvalidFieldError(
            "expire_time must be in the future, and at most a year away; leave it unset for 90 days.",
            field="expire_time",
        )
    return asked_us


def lent(wanted: Iterable[str], held: frozenset[str]) -> frozenset[str]:
    """The scopes wanted, of one who holds `held`.

    Raises:
        NotAllowedError: they hold less.
    """
    scopes = frozenset(wanted)
    if missing := scopes - held:
        raise NotAllowedError(
            f"You may not give the scope {' '.join(sorted(missing))}, which your access token lacks.",
            field="scopes",
            metadata={"scopes": " ".join(sorted(missing))},
        )
    return scopes
