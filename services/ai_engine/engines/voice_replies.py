"""Has speech-to-speech providers answer, one reply after another; where one breaks off, another goes on."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import nullcontext, suppress
from dataclasses import replace
from typing import assert_never

from mesh.clock import Clock
from mesh.errors import InvalidFieldError, OverloadedError, ProviderError
from mesh.mailbox import Closed, Mailbox
from services.ai_engine.adapters.chain import Attempt, Chain, exhausted
from services.ai_engine.adapters.patience import waited_for
from services.ai_engine.domain.begun import Begun
from services.ai_engine.domain.run import Emit, Failure, ReplyEnd, ReplyFinished, ReportHeard, Respond, Speak
from services.ai_engine.domain.voice import SpeechToSpeech
from services.ai_engine.engines.faults import failure_of
from services.ai_engine.engines.replies import MOST_REPLIES, Replies
from services.ai_engine.engines.voice_answer import AnswerEvent, Asked, VoiceAnswer
from services.ai_engine.engines.voice_party import Party


class VoiceReplies:
    """The replies of one session, in the order they were asked for: a vendor makes one at a time."""

    def __init__(
        self,
        *,
        chain: Chain[SpeechToSpeech],
        parties: Mapping[str, Party],
        output_rate_hz: int,
        stand_in: Replies | None,
        recognized_ms: Callable[[], int],
        emit: Emit,
        clock: Clock,
    ) -> None:
        self._chain = chain
        self._parties = parties
        self._output_rate_hz = output_rate_hz
        self._stand_in = stand_in
        self._recognized_ms = recognized_ms
        self._emit = emit
        self._clock = clock
        self._waiting: Mailbox[Asked] = Mailbox(MOST_REPLIES)
        self._open: dict[str, Asked] = {}

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
        """Cuts the memory of who said it to what was heard."""
        for party in self._parties.values():
            await party.heard(report)

    async def take(self, party: Party, event: AnswerEvent) -> None:
        """A vendor gives more of an answer; what nobody waits for is dropped."""
        asked = self._open.get(event.reply_id)
        if asked is not None and asked.party is party:
            with suppress(Closed):
                await asked.events.put(event)

    def lost(self, party: Party) -> None:
        """The connection is gone: what was being answered breaks off."""
        gone = ProviderError(
            "The connection to the speech-to-speech provider broke; say it again.", metadata={"cause": "CLOSED"}
        )
        for asked in self._open.values():
            if asked.party is party:
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
            with waited_for(self._clock.now()):
                try:
                    made = await self._make(asked)
                finally:
                    del self._open[asked.request.reply_id]
                match made:
                    case ReplyFinished():
                        usage = replace(made.usage, recognized_ms=self._recognized_ms())
                        await self._emit(replace(made, usage=usage))
                    case Begun():
                        await self._hand_over(asked.request, made)
                    case never:
                        assert_never(never)

    async def _make(self, asked: Asked) -> ReplyFinished | Begun:
        """How it ended, or what the stand-in has to go on with."""
        request, begun, failure = asked.request, Begun(), None
        for attempt in self._chain.attempts():
            party = self._parties[attempt.link.name]
            answer = VoiceAnswer(
                asked, party, begun, output_rate_hz=self._output_rate_hz, emit=self._emit, clock=self._clock
            )
            if asked.cancelled.is_set():
                return answer.finished("cancelled")
            try:
                with attempt.watched():
                    end = await self._follow(asked, party, answer, begun, attempt)
                    attempt.abandoned = end == "cancelled"
            except Exception as error:  # Whatever a provider does, somebody else may do it.
                if isinstance(error, TimeoutError | ValueError):
                    # It may go on with this answer for ever, and takes no other meanwhile.
                    party.line.drop()
                if asked.cancelled.is_set():
                    return answer.finished("cancelled")
                failure = error
                begun = await answer.broke_off()
                if begun.over and not begun.rest:
                    return answer.finished("complete")
                if begun.text and isinstance(request, Speak):
                    break
                continue
            finally:
                asked.events.close()
                asked.events.discard()
            party.answered(request, answer.item_id, answer.text, begun.samples, answer.total_samples)
            return answer.finished(end)
        if self._stand_in is not None:
            return begun
        told = failure_of(exhausted("speech-to-speech provider", failure), "speech-to-speech provider")
        return ReplyFinished(request.reply_id, "failed", begun.samples, failure=told, usage=begun.usage)

    async def _follow(
        self, asked: Asked, party: Party, answer: VoiceAnswer, begun: Begun, attempt: Attempt[SpeechToSpeech]
    ) -> ReplyEnd:
        asked.ask(party)
        party.line.idle.clear()
        try:
            async with asyncio.timeout(attempt.wait_s()):
                bill = await party.bill()
            with bill.paid() if bill else nullcontext() as meter:
                try:
                    async with asyncio.timeout(attempt.wait_s()):
                        link = await party.begin(asked.request, begun)
                    return await answer.follow(link, attempt)
                finally:
                    if meter is not None:
                        meter.used = answer.used
        finally:
            party.line.idle.set()

    async def _hand_over(self, request: Respond | Speak, begun: Begun) -> None:
        assert self._stand_in is not None, "somebody stands in"
        match request:
            case Respond():
                await self._stand_in.go_on(request, begun)
            case Speak():
                await self._stand_in.speak(request)
            case never:
                assert_never(never)
