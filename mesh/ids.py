"""Makes ids that sort by the time they were made, such as `cnv_06gk…`."""

import os
import threading
import time
from typing import Final

_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u.
_RANDOM_BITS: Final = 80
_LENGTH: Final = 26

_lock = threading.Lock()
_last = 0


def new_id(prefix: str) -> str:
    """A new id: `prefix`, `_`, and 26 characters: 48 bits of milliseconds, then 80 random bits.

    Ids made by one process strictly increase. Prefixes in use: usr (account), cnv (conversation), ses (session),
    trn (turn), rep (reply), rec (recording), lgn (login session), key (personal access token).
    """
    return f"{prefix}_{_encode(_next())}"


def _next() -> int:
    global _last  # Ids increase within a process, not within an object.
    value = (time.time_ns() // 1_000_000 << _RANDOM_BITS) | int.from_bytes(os.urandom(_RANDOM_BITS // 8))
    with _lock:
        _last = value if value > _last else _last + 1
        return _last


def _encode(value: int) -> str:
    return "".join(_ALPHABET[value >> shift & 31] for shift in range((_LENGTH - 1) * 5, -1, -5))
