"""Lets deadlines travel: a call made while answering another inherits what is left of its time."""

import time
from contextvars import ContextVar
from typing import Final

#: What a unary call gets where nobody says otherwise.
DEFAULT_S: Final = 5.0

_until: ContextVar[float | None] = ContextVar("until", default=None)


def enter_deadline(remaining_s: float | None) -> None:
    """Sets what is left for the current task; for the interceptor whose task is the call. None is no limit."""
    _until.set(None if remaining_s is None else time.monotonic() + remaining_s)


def deadline_s(wanted_s: float = DEFAULT_S) -> float:
    """The timeout for an outgoing unary call: `wanted_s`, or what is left of the incoming call where that is less."""
    until = _until.get()
    return wanted_s if until is None else max(0.0, min(wanted_s, until - time.monotonic()))
