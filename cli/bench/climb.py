"""Raises the number of sessions level by level, until neither a frame nor a turn is in time any more."""

import math
from collections.abc import Mapping, Sequence

from cli.bench.crowd import HUM, LATE_MS, Door, level
from cli.bench.report import Figure, single


async def climb(
    door: Door,
    levels: Sequence[int],
    turns: int,
    goals: Mapping[str, int],
    *,
    speech: Sequence[bytes] = HUM,
    kind: str = "sessions",
) -> list[Figure]:
    """How many sessions at once are held, with every turn answered and the 99th percentile in time; and each level.

    They are counted three times, against the goal for each. What a socket is held up by is the round trip of
    WebSocket's own ping to the edge, by which other systems were measured. What a frame is held up by is a ping's round
    trip through edge and conversation. What a turn is held up by is the whole of its wait with instant stubs; with real
    speech it is the wait beyond the median of one session alone, which hears and judges as long.
    """
    figures: list[Figure] = []
    own_ms = 0.0
    if speech is not HUM:
        alone = await level(door, 1, 10, speech)
        figures, own_ms = alone.figures(), alone.turn_ms(50)
    held = dict.fromkeys(goals, 0)
    climbing = set(goals)
    for sessions in levels:
        tried = await level(door, sessions, math.ceil(turns / sessions), speech)
        added_ms = {"socket": tried.socket_ms(99), "frame": tried.frame_ms(99), "turn": tried.turn_ms(99) - own_ms}
        figures += tried.figures()
        if own_ms:
            figures.append(single(f"{sessions} sessions, a turn's added latency, p99", "ms", added_ms["turn"], LATE_MS))
        climbing = {what for what in climbing if tried.answered and added_ms[what] <= LATE_MS}
        held.update(dict.fromkeys(climbing, sessions))
        if not climbing:
            break
    return [
        *(
            single(f"{kind} held with a {what}'s added latency p99 ≤ 20 ms", "", held[what], goal, at_least=True)
            for what, goal in goals.items()
        ),
        *figures,
    ]
