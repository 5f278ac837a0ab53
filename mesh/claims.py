"""Looks at the form of an access token before its signature is checked, and at its claims after."""

import math
import re
from collections.abc import Mapping
from typing import Any, Final

#: Three parts in base64url without padding, each there; far longer than any we sign.
_FORM: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_LONGEST: Final = 8192
_TYPE: Final = "JWT"


def is_token(text: str) -> bool:
    """Whether it can be one of ours."""
    return len(text) <= _LONGEST and _FORM.fullmatch(text) is not None


def key_id(header: Mapping[str, Any]) -> str:
    """The key it says it is signed with; empty where it is another kind of token."""
    kid = header.get("kid")
    return kid if isinstance(kid, str) and header.get("typ") == _TYPE else ""


def holds(payload: Mapping[str, Any], now_s: float, leeway_s: float) -> bool | None:
    """Whether it holds now; None where its claims are not what we write."""
    times = [payload.get("iat"), payload.get("exp"), payload.get("nbf", 0)]
    texts = (payload.get("sub"), payload.get("aud"), payload.get("sid", ""), payload.get("scope", ""))
    if not all(map(_is_time, times)) or not all(isinstance(text, str) for text in texts):
        return None
    if not isinstance(payload.get("guest", False), bool):
        return None
    issued, expires, begins = times
    return bool(issued - leeway_s <= now_s < expires + leeway_s and begins <= now_s + leeway_s)


def _is_time(value: object) -> bool:
    # True is 1 to Python, and JSON of Python knows Infinity.
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return (isinstance(value, int) and value.bit_length() < 64) or (isinstance(value, float) and math.isfinite(value))
