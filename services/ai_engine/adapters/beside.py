"""What a language model makes beside its answer: slips and a summary, which never hold it up or fail it."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

from mesh.errors import VivavoceError
from services.ai_engine.domain.roles import (
    Capabilities,
    ReplyPart,
    Summary,
    TalkSummarised,
    TextEnded,
    TokensUsed,
    TutorContext,
)
from services.ai_engine.prompts.corrections import SCHEMA, corrections_prompt, read_corrections
from services.ai_engine.prompts.prompt import Prompt
from services.ai_engine.prompts.quoting import said
from services.ai_engine.prompts.summary import picked, read_summary, summary_instructions, summary_request

_log: Final = logging.getLogger(__name__)

#: Less than the time after which a reply that gives nothing more counts as lost.
_DEADLINE_S: Final = 6.0


@dataclass(frozen=True, slots=True)
class Wish:
    """Something to ask of a model in one go: instructions, a text to work on, and the JSON schema of the answer."""

    instructions: str
    text: str
    schema: Mapping[str, object] | None = None


@runtime_checkable
class Granting(Protocol):
    """A language model that also answers wishes."""

    name: str
    capabilities: Capabilities

    async def grant(self, wish: Wish) -> tuple[str, TokensUsed]:
        """The answer in one piece, and what it cost. Raises ProviderError."""
        ...


#: Answers a wish, and tells what that cost.
Ask = Callable[[Wish], Awaitable[tuple[str, TokensUsed]]]


async def beside(
    context: TutorContext, prompt: Prompt, ask: Ask | None, *, corrections: bool, source: str
) -> AsyncGenerator[ReplyPart, None]:
    """The parts that follow the text of an answer, if there are any: its end, slips and a summary, and what they cost.

    Asked only now: a reply that is thrown away costs nothing more, and the answer has the model for itself. Without
    `ask` the summary is picked from the lines.
    """
    wanted: list[Awaitable[tuple[ReplyPart, ...]]] = []
    # What was said wrong was looked for when a function was called for it.
    if corrections and ask is not None and context.turn.strip() and not context.tool_uses:
        wanted.append(_slips(context, ask, source))
    if prompt.due:
        wanted.append(_summary(context, prompt, ask))
    if not wanted:
        return
    yield TextEnded()
    for parts in await asyncio.gather(*wanted):
        for part in parts:
            yield part


async def _slips(context: TutorContext, ask: Ask, source: str) -> tuple[ReplyPart, ...]:
    answered = await _asked(ask, Wish(corrections_prompt(context), said(context.turn), SCHEMA), "corrections")
    if answered is None:
        return ()
    answer, cost = answered
    return *read_corrections(answer, context.turn, source), cost


async def _summary(context: TutorContext, prompt: Prompt, ask: Ask | None) -> tuple[ReplyPart, ...]:
    answer, costs = "", tuple[ReplyPart, ...]()
    if ask is not None:
        wish = Wish(summary_instructions(context), summary_request(context, prompt.due))
        if (answered := await _asked(ask, wish, "summary")) is not None:
            answer, costs = read_summary(answered[0]), (answered[1],)
    text = answer or picked(context.summary.text, prompt.due)
    return TalkSummarised(Summary(text, context.first_line + len(prompt.due))), *costs


async def _asked(ask: Ask, wish: Wish, what: str) -> tuple[str, TokensUsed] | None:
    try:
        async with asyncio.timeout(_DEADLINE_S):
            return await ask(wish)
    except (VivavoceError, TimeoutError) as error:
        # A courtesy: the talk goes on without it.
        _log.info("nothing came beside the answer", extra={"what": what, "error": type(error).__name__})
        return None
