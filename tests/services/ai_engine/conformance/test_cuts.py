"""A vendor's answer may be cut at any byte: then all of it had come, or the error is typed; nothing else happens."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar

from mesh.errors import ProviderError
from services.ai_engine.domain.roles import Recognizer, Synthesizer
from tests.emulators.speech import FRAME, HEARD, scripted_mouth
from tests.services.ai_engine.conformance.vendors import RECOGNIZERS, SYNTHESIZERS, Opens, Pair

P = TypeVar("P")

_TEXT = "Well, I never."
#: In the answer to the handshake, at its end, in the first messages, and never.
_BYTES = (0, 40, 130, 200, 400, 1000, 1_000_000)
_NEVER = _BYTES[-1]


async def _at_every_byte(vendors: Mapping[str, Opens[P]], use: Callable[[Pair[P]], Coroutine[Any, Any, bool]]) -> None:
    tries = [(name, after) for name in vendors for after in _BYTES]
    # Opening so many clients takes the time of this machine, not of the vendor.
    opened = asyncio.Barrier(len(tries))

    async def cut(opens: Opens[P], after: int) -> str:
        async with opens(after) as pair:
            await opened.wait()
            try:
                return "whole" if await use(pair) else "mutilated"
            except ProviderError as error:
                return error.metadata["cause"]
            finally:
                await pair.close()

    async with asyncio.timeout(50):
        went = await asyncio.gather(*(cut(vendors[name], after) for name, after in tries))
    told = dict(zip(tries, went, strict=True))
    assert not {each: how for each, how in told.items() if how == "mutilated"}
    assert not {each: how for each, how in told.items() if (how == "whole") > (each[1] > 0)}
    assert not {each: how for each, how in told.items() if each[1] == _NEVER and how != "whole"}


async def test_a_text_comes_whole_or_not_at_all() -> None:
    async def heard(pair: Pair[Recognizer]) -> bool:
        return (await pair.provider.recognize(FRAME * 50, language="en")).text == HEARD

    await _at_every_byte(RECOGNIZERS, heard)


async def test_a_clause_comes_whole_or_its_failure_is_told() -> None:
    meant = b"".join([chunk.pcm async for chunk in scripted_mouth(_TEXT)])

    async def spoken(pair: Pair[Synthesizer]) -> bool:
        return b"".join([chunk.pcm async for chunk in pair.provider.synthesize(_TEXT)]) == meant

    await _at_every_byte(SYNTHESIZERS, spoken)
