"""A language model that is several: another goes on where one fails, without saying anything twice."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from services.ai_engine.adapters.chain import Attempt, Chain, exhausted
from services.ai_engine.adapters.clauses import ClauseSplitter
from services.ai_engine.domain.continuation import Continuation
from services.ai_engine.domain.roles import (
    CorrectionFound,
    LanguageModel,
    ReplyPart,
    StateAdvanced,
    TextDelta,
    TextEnded,
    ToolCalled,
    TurnMarked,
    TutorContext,
)
from services.ai_engine.domain.turn_mark import LeadingMark


class FailoverModel:
    """A LanguageModel over a chain of them. Text is passed on by clauses, so that none breaks off in a word."""

    def __init__(self, chain: Chain[LanguageModel]) -> None:
        self._chain = chain
        self.name = chain.links[0].name
        self.capabilities = chain.first.capabilities

    async def reply(self, context: TutorContext) -> AsyncGenerator[ReplyPart, None]:
        """Streams an answer. Raises the last one's error when nobody could give it."""
        said, corrections, failure, complete = context.begun, list[CorrectionFound](), None, False
        for attempt in self._chain.attempts():
            clauses = _clauses(attempt, replace(context, begun=said))
            try:
                with attempt.watched():
                    async with aclosing(clauses):
                        async for part in clauses:
                            match part:
                                case TextDelta(text):
                                    said += text
                                case CorrectionFound() if part in corrections:
                                    continue
                                case CorrectionFound():
                                    corrections.append(part)
                                case TextEnded() | StateAdvanced() | ToolCalled():
                                    complete = True
                                case _:
                                    pass
                            yield part
            except Exception as error:  # Whatever a provider does, somebody else may do it.
                failure = error
                if complete:
                    # All is said; what was to come beside it is no reason to begin anew.
                    return
                continue
            return
        raise exhausted("language model", failure)


async def _clauses(attempt: Attempt[LanguageModel], context: TutorContext) -> AsyncGenerator[ReplyPart, None]:
    """The parts of one provider's answer, its text in whole clauses and without what was said before."""
    splitter, leading = ClauseSplitter(), LeadingMark()
    continuation = Continuation(context.begun) if context.begun else None
    attempt.repeating = continuation is not None
    answer = attempt.gives(attempt.provider.reply(context))
    async with aclosing(answer):
        async for part in answer:
            if isinstance(part, TextDelta):
                marked = leading.mark
                text = leading.feed(part.text)
                if leading.mark != marked and leading.mark is not None:
                    yield TurnMarked(leading.mark)
                text = continuation.feed(text) if continuation else text
                attempt.repeating = attempt.repeating and not text
                for clause in splitter.feed(text):
                    yield TextDelta(clause)
            elif isinstance(part, StateAdvanced | TextEnded | ToolCalled):
                if rest := splitter.flush():
                    yield TextDelta(rest)
                yield part
            else:
                yield part
    held = continuation.flush() if continuation else ""
    for clause in (*splitter.feed(held), splitter.flush()):
        if clause:
            yield TextDelta(clause)
