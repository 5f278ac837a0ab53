"""Collects what is to be said by a wire, so that what is said at about the same time travels in one message."""

import asyncio
from collections.abc import Callable
from typing import Final

from vivavoce.mesh.v1 import wire_service_pb2 as wire_pb

#: For each call that shares a wire the departures of sound are so far apart, and so far at most. What comes when none
#: was for so long leaves at once.
_PACE_A_CALL_S: Final = 0.000_14
_LONGEST_PACE_S: Final = 0.008
#: What is in no hurry waits so long for a departure that something else brings about.
_PATIENCE_S: Final = 0.02
#: So much departs together at most, but for a single message that is larger.
_FULL_BYTES: Final = 512 * 1024


def pace_s(calls: int) -> float:
    """Seconds between departures of sound: where few talk it hardly waits; where many do, one takes many along."""
    return min(calls * _PACE_A_CALL_S, _LONGEST_PACE_S)


class Post:
    """Parcels, in the order they were given. How many wait is bounded by the room that each call's reader gave.

    `pace_s` says, at a departure, how soon sound may cause the next.
    """

    def __init__(self, pace_s: Callable[[], float]) -> None:
        self._pace_s = pace_s
        self._loop = asyncio.get_running_loop()
        self._waiting: list[wire_pb.Parcel] = []
        self._wanted = asyncio.Event()
        self._next_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._closed = False

    def add(self, parcel: wire_pb.Parcel) -> None:
        """Takes a parcel, which departs when the pace lets it."""
        self._waiting.append(parcel)
        self._depart_at(self._next_at)

    def add_unhurried(self, parcel: wire_pb.Parcel) -> None:
        """Takes a parcel that need not cause a departure of its own."""
        self._waiting.append(parcel)
        self._depart_at(self._loop.time() + _PATIENCE_S)

    def depart(self) -> None:
        """Lets a departure happen now, be it an empty one."""
        self._wanted.set()

    def close(self) -> None:
        """The departure of what waits is the last."""
        self._closed = True
        self.depart()

    async def departure(self) -> list[wire_pb.Parcel] | None:
        """What departs together next, once something does; None after the last. For one task."""
        if self._closed and not self._waiting:
            return None
        await self._wanted.wait()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._next_at = self._loop.time() + self._pace_s()
        parcels, self._waiting = _cut(self._waiting)
        if not self._waiting:
            self._wanted.clear()
        return parcels

    def _depart_at(self, at: float) -> None:
        if self._wanted.is_set() or (self._timer is not None and self._timer_at <= at):
            return
        if at <= self._loop.time():
            self.depart()
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._timer_at = self._loop.call_at(at, self.depart), at


def _cut(parcels: list[wire_pb.Parcel]) -> tuple[list[wire_pb.Parcel], list[wire_pb.Parcel]]:
    """What departs next, one parcel at least, and what stays."""
    held = 0
    for place, parcel in enumerate(parcels):
        held += parcel.ByteSize()
        if place and held > _FULL_BYTES:
            return parcels[:place], parcels[place:]
    return parcels, []
