"""A synthesizer that is several: another goes on with the words the one that failed did not get to."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress
from dataclasses import replace
from typing import Final

from mesh.audio import StreamResampler, samples
from mesh.errors import ProviderError
from services.ai_engine.adapters.chain import Attempt, Chain, exhausted
from services.ai_engine.adapters.patience import patiently
from services.ai_engine.domain.roles import Speaking, SpeechChunk, StreamingSynthesizer, Synthesizer, Word

#: Letters spoken in a second at normal pace, where the provider does not tell when its words sound.
_LETTERS_PER_S: Final = 14.0


class FailoverVoice:
    """A Synthesizer over a chain of them, at the rate of the first.

    A word that broke off is said again from its start; whole words are not, as far as word times tell, or by estimate.
    """

    def __init__(self, chain: Chain[Synthesizer]) -> None:
        self._chain = chain
        self.name = chain.links[0].name
        self.capabilities = chain.first.capabilities

    async def synthesize(self, text: str, *, voice: str = "", rate: float = 1.0) -> AsyncGenerator[SpeechChunk, None]:
        """Speaks `text`. Raises the last one's error when nobody could; voices the others lack become their default."""
        spoken, failure = _Spoken(text, self.capabilities.sample_rate_hz), None
        for attempt in self._chain.attempts():
            known = attempt.provider.capabilities
            speech = attempt.provider.synthesize(spoken.left, voice=voice if voice in known.voices else "", rate=rate)
            chunks = _taken(attempt, speech, spoken)
            try:
                with attempt.watched():
                    async with aclosing(chunks):
                        async for chunk in chunks:
                            yield chunk
                return
            except Exception as error:  # Whatever a provider does, somebody else may do it.
                failure = error
                spoken.breaks_off(rate)
                if not _is_speakable(spoken.left):
                    return
        raise exhausted("synthesizer", failure)


class StreamingFailoverVoice(FailoverVoice):
    """One whose first speaks a whole reply over one connection; where that breaks, the rest is spoken by clauses."""

    def __init__(self, chain: Chain[Synthesizer], first: StreamingSynthesizer) -> None:
        super().__init__(chain)
        self._first = first

    @asynccontextmanager
    async def speak(self, *, voice: str = "", rate: float = 1.0) -> AsyncIterator[Speaking]:
        """The voice of one reply. A connection that can't be had, or breaks, is no error: somebody else speaks."""
        async with AsyncExitStack() as stack:
            connected: Speaking | None = None
            if self._chain.links[0].health.admits():
                with suppress(Exception):  # As above.
                    connected = await self._connected(stack, voice, rate)
            speaking = _ConnectedVoice(self, self._chain, connected, voice, rate)
            try:
                yield speaking
            finally:
                await _left(stack, broken=speaking.broken)

    async def _connected(self, stack: AsyncExitStack, voice: str, rate: float) -> Speaking:
        attempt = self._chain.attempt()
        try:
            async with asyncio.timeout(self._chain.patience.first_s):
                return await stack.enter_async_context(self._first.speak(voice=voice, rate=rate))
        except Exception as error:
            attempt.failed(error)
            raise


class _ConnectedVoice:
    """The voice of one reply (Speaking)."""

    def __init__(
        self,
        whole: FailoverVoice,
        chain: Chain[Synthesizer],
        connected: Speaking | None,
        voice: str,
        rate: float,
    ) -> None:
        self._whole = whole
        self._chain = chain
        self._connected = connected
        self._voice = voice
        self._rate = rate
        self.broken = connected is None

    async def say(self, clause: str) -> AsyncGenerator[SpeechChunk, None]:
        """Speaks the next clause, over the connection while it holds."""
        spoken = _Spoken(clause, self._whole.capabilities.sample_rate_hz)
        if self._connected is not None and not self.broken:
            attempt = self._chain.attempt()
            chunks = _taken(attempt, self._connected.say(clause), spoken)
            try:
                with attempt.watched():
                    async with aclosing(chunks):
                        async for chunk in chunks:
                            yield chunk
                return
            except Exception:  # As above.
                self.broken = True
                spoken.breaks_off(self._rate)
        if _is_speakable(spoken.left):
            rest = self._whole.synthesize(spoken.left, voice=self._voice, rate=self._rate)
            async with aclosing(rest):
                async for chunk in rest:
                    yield spoken.take(chunk.pcm, chunk.words)


async def _left(stack: AsyncExitStack, *, broken: bool) -> None:
    """Closes the connection; one that broke may complain once more, and nobody needs to hear it."""
    try:
        await stack.aclose()
    except Exception:  # What it raised first was told of.
        if not broken:
            raise


async def _taken(
    attempt: Attempt[Synthesizer], speech: AsyncIterator[SpeechChunk], spoken: "_Spoken"
) -> AsyncGenerator[SpeechChunk, None]:
    """What one provider gives, at the rate of the whole. Raises ProviderError for silence where there was text."""
    resampler = StreamResampler(attempt.provider.capabilities.sample_rate_hz, spoken.rate_hz)
    sounded = False
    given = patiently(speech, "synthesizer", attempt.stall_s, first_s=attempt.first_s)
    async with aclosing(given):
        async for chunk in given:
            attempt.answers()
            sounded = sounded or bool(chunk.pcm)
            yield spoken.take(resampler.feed(chunk.pcm), chunk.words)
    if rest := resampler.flush():
        yield spoken.take(rest, ())
    if not sounded and _is_speakable(spoken.left):
        raise ProviderError("The synthesizer was silent; try again, or choose another.", metadata={"cause": "SILENT"})


class _Spoken:
    """How far a text was spoken."""

    def __init__(self, text: str, rate_hz: int) -> None:
        self.left = text
        self.rate_hz = rate_hz
        self._samples = 0
        #: Where the present provider began, and the words it told of, in seconds of the whole.
        self._base_s = 0.0
        self._words: list[Word] = []

    def take(self, pcm: bytes, words: Sequence[Word]) -> SpeechChunk:
        """Counts a piece; returns it with its words counted from the start of the whole."""
        self._samples += samples(pcm)
        moved = [replace(word, start_s=word.start_s + self._base_s, end_s=word.end_s + self._base_s) for word in words]
        self._words += moved
        return SpeechChunk(pcm, tuple(moved))

    def breaks_off(self, rate: float) -> None:
        """The provider stopped here; `left` becomes what somebody else has to say."""
        now_s = self._samples / self.rate_hz
        if self._words:
            self.left = self.left[self._end_of_whole_words(now_s) :].lstrip()
        elif now_s > self._base_s:
            letters = int((now_s - self._base_s) * _LETTERS_PER_S * rate)
            cut = self.left.rfind(" ", 0, letters + 1)
            self.left = self.left[cut + 1 :] if cut > 0 else self.left
        self._base_s, self._words = now_s, []

    def _end_of_whole_words(self, now_s: float) -> int:
        end = 0
        for word in self._words:
            if word.end_s > now_s + 1e-6:
                break
            found = self.left.find(word.text, end)
            end = found + len(word.text) if found >= 0 else end
        return end


def _is_speakable(text: str) -> bool:
    return any(letter.isalnum() for letter in text)


def failover_voice(chain: Chain[Synthesizer]) -> Synthesizer:
    """The chain as one synthesizer, which streams where its first does."""
    if isinstance(chain.first, StreamingSynthesizer):
        return StreamingFailoverVoice(chain, chain.first)
    return FailoverVoice(chain)
