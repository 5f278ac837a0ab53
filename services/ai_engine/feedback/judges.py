"""Opens who remarks on turns."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.ai_engine.domain.remarks import Judge
from services.ai_engine.feedback.assessor import Assessor
from services.ai_engine.feedback.fluency import fluency
from services.ai_engine.feedback.pronunciation import assessed
from services.ai_engine.feedback.sounds import SoundGuesses
from services.ai_engine.feedback.vocabulary import LevelList


@asynccontextmanager
async def open_assessor(*, sound_guesses: bool) -> AsyncIterator[Assessor]:
    """All judges, ready, for the length of the block."""
    judges: list[Judge] = [fluency, await asyncio.to_thread(LevelList), assessed]
    if sound_guesses:
        judges.append(await asyncio.to_thread(SoundGuesses))
    assessor = Assessor(judges)
    try:
        yield assessor
    finally:
        await assessor.aclose()
