"""How several relays share the outbox: each conversation belongs to a part of it, and each part to one relay."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Final

#: More relays than this have nothing to do.
PARTS: Final = 16


@dataclass(frozen=True, slots=True)
class Lease:
    """Who carries a part, and until when; nobody once that is over."""

    part: int
    relay_id: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Share:
    """The parts a relay carries, and whether it is the only one that does."""

    parts: frozenset[int]
    alone: bool


def part_of(conversation_id: str) -> int:
    """The part a conversation belongs to, for good: all of it is carried by one relay, so its order is kept."""
    return zlib.crc32(conversation_id.encode()) % PARTS


def share(relay_id: str, leases: Sequence[Lease], relays: int, now: datetime) -> Share:
    """The parts `relay_id` carries from now on, of so many relays in all: its own, and others nobody carries.

    It takes no more than its fair share, and lets go of what it has beyond that, for those who came later.
    """
    fair = ceil(PARTS / max(1, relays))
    own = [lease.part for lease in leases if lease.relay_id == relay_id and lease.until > now]
    free = [lease.part for lease in leases if lease.until <= now]
    return Share(frozenset((own + free)[:fair]), alone=relays <= 1)
