"""Lets a language model tell of slips beside its answer, without ever holding the answer up or failing it."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Final

from mesh.errors import VivavoceError
from services.ai_engine.domain.roles import CorrectionFound, ReplyPart, TextEnded, TokensUsed, TutorContext
from services.ai_engine.prompts.corrections import corrections_prompt, read_corrections

_log: Final = logging.getLogger(__name__)

_DEADLINE_S: Final = 8.0

#: Given instructions and a text to check, answers with JSON and what it cost.
AskForData = Callable[[str, str], Awaitable[tuple[str, TokensUsed]]]


async def slips_beside(ask: AskForData, context: TutorContext, source: str) -> AsyncGenerator[ReplyPart, None]:
    """The parts that follow the text of an answer: its end, then the slips that were found, and what that cost.

    Asked only now: a reply that is thrown away costs nothing more, and the answer has the model for itself.
    """
    yield TextEnded()
    if not context.turn.strip():
        return
    try:
        async with asyncio.timeout(_DEADLINE_S):
            answer, cost = await ask(corrections_prompt(context), context.turn)
    except (VivavoceError, TimeoutError) as error:
        # Corrections are a courtesy: the talk goes on without them.
        _log.info("no corrections", extra={"provider": source, "error": type(error).__name__})
        return
    found: tuple[CorrectionFound, ...] = read_corrections(answer, context.turn, source)
    for slip in found:
        yield slip
    yield cost
