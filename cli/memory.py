"""Keeps the garbage collector, and threads that only spin, out of the way of people who talk."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

#: Little here is garbage in cycles; by default the collector looks for it some hundred times as often.
_THRESHOLDS: Final = (5_000, 50, 100)
_SWITCH_S: Final = 0.00005


@contextmanager
def loading() -> Iterator[None]:
    """Leaves the collector out until `settle_memory`: while a program loads hardly anything becomes garbage.

    For programs that serve. NumPy, which they load in the block, is told to start no threads.
    """
    from mesh.settings import set_where_missing
    from mesh.workers import NO_SPINNING

    set_where_missing(NO_SPINNING)
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def settle_memory() -> None:
    """Says that what is loaded now stays, so that the collector need not walk over it again; call it when warm."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
    gc.enable()


def hand_over_often() -> None:
    """Lets threads that run Python give way this often; by default sound waits a hundred times longer for one of them.

    Call it when all is loaded: what loads in several threads would do little else than hand over.
    """
    sys.setswitchinterval(_SWITCH_S)
