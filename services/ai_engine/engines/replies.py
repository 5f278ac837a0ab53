"""The replies of one session: several may be in the making, each ends with exactly one ReplyFinished."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import replace
from typing import Final

from mesh.clock import Clock
from mesh.errors import InvalidFieldError, OverloadedError
from services.ai_engine.domain.begun import Begun
from services.ai_engine.domain.roles import LanguageModel, ReplyPart, TextDelta, TextEnded, TurnMark, TutorContext
from services.ai_engine.domain.run import Emit, Failure, ReplyFinished, Respond, Speak
from services.ai_engine.engines.reply import Reply, Voice, Wording

#: Replies in the making at once: one that is told and some that are speculative. More are refused as OVERLOADED.
MOST_REPLIES: Final = 4


class Replies:
    """Begins and stops replies; their tasks belong to the session's TaskGroup."""

    def __init__(
        self,
        *,
        language_model: LanguageModel,
        voice: Voice,
        recognized_ms: Callable[[], int],
        emit: Emit,
        clock: Clock,
        tasks: asyncio.TaskGroup,
        judged: Callable[[TurnMark], Awaitable[None]] | None = None,
    ) -> None:
        self._language_model = language_model
        self._voice = voice
        self._recognized_ms = recognized_ms
        self._emit = emit
        self._clock = clock
        self._tasks = tasks
        self._judged = judged
        self._open: dict[str, Reply] = {}
        self._quiet = asyncio.Event()
        self._quiet.set()

    async def respond(self, request: Respond) -> None:
        """Begins the reply of the language model.

        Raises InvalidFieldError for a reply id that is in use.
        """
        await self.go_on(request, Begun())

    async def go_on(self, request: Respond, begun: Begun) -> None:
        """Goes on with a reply that another may have begun, as `respond` begins one."""
        wording = Wording(
            reply_id=request.reply_id,
            parts=lambda: (
                _going_on(self._language_model, request.context, begun)
                if begun.text
                else self._language_model.reply(request.context)
            ),
            turn_id=request.turn_id,
            revision=request.revision,
            scenario_id=request.context.scenario_id,
            begun=begun,
            judged=self._judged if request.turn_id else None,
        )
        await self._begin(wording, self._voice, field="respond.reply_id")

    async def speak(self, request: Speak) -> None:
        """Begins to speak a given text.

        Raises InvalidFieldError for a reply id that is in use.
        """
        wording = Wording(reply_id=request.reply_id, parts=lambda: _given(request.text))
        rate = request.speaking_rate or self._voice.speaking_rate
        await self._begin(wording, replace(self._voice, speaking_rate=rate), field="speak.reply_id")

    def cancel(self, reply_id: str) -> None:
        """Stops a reply; unknown and finished ones are ignored."""
        if reply := self._open.get(reply_id):
            reply.cancel()

    async def quiet(self) -> None:
        """Returns when no reply is in the making."""
        await self._quiet.wait()

    async def _begin(self, wording: Wording, voice: Voice, *, field: str) -> None:
        reply_id = wording.reply_id
        if not reply_id or reply_id in self._open:
            raise InvalidFieldError("A reply needs an id that no other reply in the making has.", field=field)
        if len(self._open) >= MOST_REPLIES:
            full = OverloadedError(f"{MOST_REPLIES} replies are in the making already; cancel one, or wait.")
            await self._emit(ReplyFinished(reply_id, "failed", 0, failure=Failure.of(full)))
            return
        reply = Reply(wording, voice, emit=self._emit, clock=self._clock)
        self._open[reply_id] = reply
        self._quiet.clear()
        self._tasks.create_task(self._make(reply_id, reply), name="reply")

    async def _make(self, reply_id: str, reply: Reply) -> None:
        try:
            finished = await reply.make()
        finally:
            del self._open[reply_id]
            if not self._open:
                self._quiet.set()
        usage = replace(finished.usage, recognized_ms=self._recognized_ms())
        await self._emit(replace(finished, usage=usage))


async def _going_on(model: LanguageModel, context: TutorContext, begun: Begun) -> AsyncIterator[ReplyPart]:
    """What was told and did not sound, then what the model adds to it."""
    if begun.rest:
        yield TextDelta(begun.rest)
        yield TextEnded()
    if not begun.over:
        answer = model.reply(replace(context, begun=begun.text))
        async with aclosing(answer):  # type: ignore[type-var]  # A generator, as all of ours.
            async for part in answer:
                yield part


async def _given(text: str) -> AsyncIterator[ReplyPart]:
    yield TextDelta(text)
