"""Opens who remarks on turns."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from mesh.clock import Clock
from services.ai_engine.feedback.apart import JudgesApart
from services.ai_engine.feedback.assessor import Assessor
from services.ai_engine.feedback.fluency import fluency
from services.ai_engine.feedback.pronunciation import assessed


@asynccontextmanager
async def open_assessor(*, sound_guesses: bool, clock: Clock) -> AsyncIterator[Assessor]:
    """All judges for the length of the block; what takes long to load is loaded at the first turn."""
    async with JudgesApart(sound_guesses=sound_guesses, clock=clock) as apart:
        yield Assessor([fluency, assessed], apart)
