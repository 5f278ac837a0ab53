"""What an emulated vendor may do wrong, in one vocabulary for all of them."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Literal

#: Longer than any patience in the tests.
FOR_EVER_S = 60.0

Kind = Literal["none", "refuse_key", "unknown_model", "limited", "overloaded", "broken", "slow", "silence", "cut",
               "garbage", "half_rune", "end_early", "empty"]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Misbehaviour:
    """One thing that goes wrong: refusals and slowness before the answer, the others after so many of its bytes."""

    kind: Kind = "none"
    after_bytes: int = 0


WELL = Misbehaviour()


async def spoilt(stream: AsyncIterator[bytes], wrong: Misbehaviour) -> AsyncIterator[bytes]:
    """The bytes of a streamed answer, spoilt as wanted."""
    if wrong.kind == "slow":
        await asyncio.sleep(FOR_EVER_S)
    left = wrong.after_bytes
    async for piece in stream:
        if wrong.kind not in ("silence", "cut", "garbage", "half_rune") or len(piece) <= left:
            left -= len(piece)
            yield piece
            continue
        yield piece[:left]
        match wrong.kind:
            case "silence":
                await asyncio.sleep(FOR_EVER_S)
            case "garbage":
                yield b"\n\ndata: {this is not JSON\n\n"
            case "half_rune":
                # The first two bytes of a sign of three.
                yield b'\n\ndata: {"choices": "\xe2\x82\n\n'
        # The chunked body ends without its last chunk when the generator fails.
        raise ConnectionResetError
