"""What every recogniser keeps to that listens along while the learner speaks."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from services.ai_engine.domain.roles import StreamingRecognizer
from tests.emulators.speech import FRAME, HEARD
from tests.services.ai_engine.conformance.leaks import nothing_left
from tests.services.ai_engine.conformance.vendors import LISTENERS, Pair

_PAUSE = bytes(640 * 20)


@pytest.fixture(params=LISTENERS)
async def pair(request: pytest.FixtureRequest) -> AsyncIterator[Pair[StreamingRecognizer]]:
    async with LISTENERS[request.param]() as opened, nothing_left(opened):
        yield opened


async def test_each_pause_has_the_text_since_the_last(pair: Pair[StreamingRecognizer]) -> None:
    async with pair.provider.hear(language="en") as hearing:
        for _ in range(2):
            for _ in range(75):
                await hearing.feed(FRAME)
            await hearing.feed(_PAUSE)
            transcript = await hearing.transcript()
            assert transcript.text == HEARD
        # Counted from the first sample ever fed: the second stretch begins at 1.9 s.
        assert transcript.words[0].start_s == pytest.approx(1.9, abs=0.3)
    # Azure ends a text only with the connection.
    assert len(pair.emulator.visits) <= 2


async def test_nothing_fed_is_nothing_heard(pair: Pair[StreamingRecognizer]) -> None:
    async with pair.provider.hear(language="en") as hearing:
        assert (await hearing.transcript()).text == ""


async def test_leaving_in_the_middle_ends_the_connection_within_a_frame(pair: Pair[StreamingRecognizer]) -> None:
    async def leave() -> float:
        listening = asyncio.Event()

        async def listen() -> None:
            async with pair.provider.hear(language="en") as hearing:
                await hearing.feed(FRAME * 50)
                listening.set()
                await asyncio.sleep(30)

        task = asyncio.create_task(listen())
        async with asyncio.timeout(5):
            await listening.wait()
            begun = time.monotonic()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await pair.emulator.last.closed.wait()
        return time.monotonic() - begun

    # The quickest of several: this machine may be busy with something else in any of them.
    assert min([await leave() for _ in range(4)]) < pair.goodbye_s


async def test_a_vendor_that_does_not_say_goodbye_is_not_waited_for(pair: Pair[StreamingRecognizer]) -> None:
    pair.emulator.behaviour = "deaf"
    async with asyncio.timeout(5), pair.provider.hear(language="en"):
        pass
