"""Opens who remarks on turns."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.ai_engine.feedback.assessor import Assessor
from services.ai_engine.feedback.fluency import fluency
from services.ai_engine.feedback.pronunciation import assessed
from services.ai_engine.feedback.vocabulary import LevelList


@asynccontextmanager
async def open_assessor() -> AsyncIterator[Assessor]:
    """All judges, ready, for the length of the block."""
    levels = await asyncio.to_thread(LevelList)
    assessor = Assessor((fluency, levels, assessed))
    try:
        yield assessor
    finally:
        await assessor.aclose()
