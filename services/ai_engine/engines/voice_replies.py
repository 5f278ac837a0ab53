"""Has a speech-to-speech provider answer, one reply after another, and keeps its memory to what was heard."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from typing import Final, assert_never

from mesh.clock import Clock
from mesh.errors import InvalidFieldError, OverloadedError, ProviderError, VivavoceError
from mesh.mailbox import Closed, Mailbox
from services.ai_engine.adapters.paid import Bill
from services.ai_engine.domain.remembered import Forget, Kept, Remember
from services.ai_engine.domain.run import Emit, Failure, ReplyFinished, ReportHeard, Respond, Speak
from services.ai_engine.domain.voice import VoiceLink
from services.ai_engine.engines.replies import MOST_REPLIES, Replies
from services.ai_engine.engines.reply_sound import ReplySound
from services.ai_engine.engines.voice_answer import FIRST_S, AnswerEvent, Asked, VoiceAnswer
from services.ai_engine.engines.voice_line import VoiceLine
from services.ai_engine.engines.voice_turns import Memory
from services.ai_engine.engines.voice_words import WordClock
from services.ai_engine.prompts.talk import TalkPrompt

#: Replies whose items are known, to be cut to what was heard of them.
_RECENT: Final = 16


@dataclass(frozen=True, slots=True)
class _Said:
    """A reply that was made, as the item it is in the vendor's memory."""

    number: int
    item_id: str
    samples: int


class VoiceReplies:
    """The replies of one session, in the order they were asked for: the vendor makes one at a time."""

    def __init__(
        self,
        *,
        line: VoiceLine,
        memory: Memory,
        prompt: TalkPrompt,
        rate_hz: int,
        output_rate_hz: int,
        word_times: bool,
        stand_in: Replies | None,
        spend: Callable[[], Awaitable[Bill | None]],
        emit: Emit,
        clock: Clock,
    ) -> None:
        self._line = line
        self._memory = memory
        self._prompt = prompt
        self._rate_hz = rate_hz
        self._output_rate_hz = output_rate_hz
        self._word_times = word_times
        self._stand_in = stand_in
        self._spend = spend
        self._emit = emit
        self._clock = clock
        self._waiting: Mailbox[Asked] = Mailbox(MOST_REPLIES)
        self._open: dict[str, Asked] = {}
        self._said: OrderedDict[str, _Said] = OrderedDict()
        #: What the connection of this number was told to be.
        self._instructed = (0, "")
        self._digest = ""

    async def ask(self, request: Respond | Speak) -> None:
        """Wants a reply. Raises InvalidFieldError for a reply id that is in use."""
        reply_id = request.reply_id
        if not reply_id or reply_id in self._open:
            kind = "respond" if isinstance(request, Respond) else "speak"
            raise InvalidFieldError(
                "A reply needs an id that no other reply in the making has.", field=f"{kind}.reply_id"
            )
        if len(self._open) >= MOST_REPLIES:
            full = OverloadedError(f"{MOST_REPLIES} replies are in the making already; cancel one, or wait.")
            await self._emit(ReplyFinished(reply_id, "failed", 0, failure=Failure.of(full)))
            return
        asked = self._open[reply_id] = Asked(request)
        await self._waiting.put(asked)

    def cancel(self, reply_id: str) -> None:
        """Stops a reply; unknown and finished ones are ignored."""
        if asked := self._open.get(reply_id):
            asked.cancelled.set()
        elif self._stand_in is not None:
            self._stand_in.cancel(reply_id)

    async def heard(self, report: ReportHeard) -> None:
        """Cuts the vendor's memory to what was heard."""
        said = self._said.get(report.reply_id)
        if said is None or not report.final:
            return
        del self._said[report.reply_id]
        if report.samples >= said.samples or said.number != self._line.number or not self._line.is_up:
            return
        with suppress(VivavoceError):  # A connection that broke remembers nothing.
            link = await self._line.link()
            if report.samples > 0:
                await link.cut(said.item_id, report.samples * 1000 // self._output_rate_hz)
            else:
                for gone in self._memory.of(said.number).drop_item(said.item_id):
                    await link.forget(gone.item_id)

    async def take(self, event: AnswerEvent) -> None:
        """The vendor gives more of an answer; what nobody waits for is dropped."""
        if asked := self._open.get(event.reply_id):
            with suppress(Closed):
                await asked.events.put(event)

    def lost(self) -> None:
        """The connection is gone: what was being answered breaks off."""
        gone = ProviderError(
            "The connection to the speech-to-speech provider broke; say it again.", metadata={"cause": "CLOSED"}
        )
        for asked in self._open.values():
            if asked.begun:
                asked.events.close(gone)

    def close(self) -> None:
        """No more replies will be asked for; those that wait are made."""
        self._waiting.close()

    async def run(self) -> None:
        """Makes one reply after another until it is closed."""
        while True:
            try:
                asked = await self._waiting.get()
            except Closed:
                return
            self._line.idle.clear()
            try:
                finished = await self._make(asked)
            finally:
                del self._open[asked.request.reply_id]
                self._line.idle.set()
            if finished is not None:
                await self._emit(finished)
            else:
                await self._hand_over(asked.request)

    async def _make(self, asked: Asked) -> ReplyFinished | None:
        """How it ended; None where somebody else is to make it."""
        answer = self._answer(asked)
        if asked.cancelled.is_set():
            return answer.finished("cancelled")
        try:
            asked.begun = True
            async with asyncio.timeout(FIRST_S):
                bill = await self._spend()
            with bill.paid() if bill else nullcontext() as meter:
                try:
                    async with asyncio.timeout(FIRST_S):
                        link = await self._begin(asked.request)
                    end = await answer.follow(link)
                finally:
                    if meter is not None:
                        meter.used = answer.used
        except (VivavoceError, TimeoutError) as error:
            if isinstance(error, TimeoutError):
                # It may go on with this answer for ever, and takes no other meanwhile.
                self._line.drop()
            if asked.cancelled.is_set():
                return answer.finished("cancelled")
            if not answer.begun and self._stand_in is not None:
                return None
            self._remember(asked.request, answer)
            late = ProviderError("The speech-to-speech provider took too long; say it again, or choose another.")
            return answer.finished("failed", Failure.of(error if isinstance(error, VivavoceError) else late))
        finally:
            asked.events.close()
            asked.events.discard()
        self._remember(asked.request, answer)
        return answer.finished(end)

    def _answer(self, asked: Asked) -> VoiceAnswer:
        return VoiceAnswer(
            asked,
            sound=ReplySound(asked.request.reply_id, from_hz=self._rate_hz, to_hz=self._output_rate_hz),
            rate_hz=self._rate_hz,
            words=None if self._word_times else WordClock(),
            emit=self._emit,
            clock=self._clock,
        )

    async def _begin(self, request: Respond | Speak) -> VoiceLink:
        link = await self._line.link()
        match request:
            case Respond():
                await self._mend(link, request)
                await link.answer(request.reply_id)
            case Speak(reply_id, text):
                await link.say(reply_id, text)
            case never:
                assert_never(never)
        return link

    async def _mend(self, link: VoiceLink, request: Respond) -> None:
        """Tells the vendor who it is, and has it remember what was said and heard, no more."""
        number = self._line.number
        remembered = self._memory.of(number)
        talk = self._prompt.talk(request.context)
        if self._instructed[0] != number:
            self._digest = talk.digest
        instructions = f"{talk.instructions}\n\n{self._digest}".strip()
        if self._instructed != (number, instructions):
            await link.instruct(instructions)
            self._instructed = number, instructions
        for mending in remembered.mend(talk.lines, talk.turn, request.turn_id):
            match mending:
                case Forget(item_id):
                    await link.forget(item_id)
                case Remember(item_id, line, after):
                    await link.remember(item_id, line, after=after)
                case never:
                    assert_never(never)

    async def _hand_over(self, request: Respond | Speak) -> None:
        assert self._stand_in is not None, "somebody stands in"
        match request:
            case Respond():
                await self._stand_in.respond(request)
            case Speak():
                await self._stand_in.speak(request)
            case never:
                assert_never(never)

    def _remember(self, request: Respond | Speak, answer: VoiceAnswer) -> None:
        """An answer, or what there was of it, is an item in the vendor's memory from now on."""
        if isinstance(request, Speak) or not answer.item_id:
            return
        number = self._line.number
        self._memory.of(number).take(Kept("tutor", answer.text.strip(), (answer.item_id,)))
        self._said[request.reply_id] = _Said(number, answer.item_id, answer.total_samples)
        while len(self._said) > _RECENT:
            self._said.popitem(last=False)
