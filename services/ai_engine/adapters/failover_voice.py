"""A synthesizer that is several: another goes on with the words the one that failed did not get to."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress
from dataclasses import replace
from typing import Final

from mesh.audio import StreamResampler, samples
from mesh.errors import ProviderError
from services.ai_engine.adapters.chain import Attempt, Chain, exhausted
from services.ai_engine.domain.begun import after_words
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
        speech = self.tried(text, voice, rate, self._chain.attempts())
        async with aclosing(speech):
            async for chunk in speech:
                yield chunk

    async def tried(
        self, text: str, voice: str, rate: float, attempts: Iterator[Attempt[Synthesizer]]
    ) -> AsyncGenerator[SpeechChunk, None]:
        """The same with these."""
        spoken, failure = _Spoken(text, self.capabilities.sample_rate_hz), None
        for attempt in attempts:
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
        attempt = self._chain.attempt()
        async with AsyncExitStack() as stack:
            connected: Speaking | None = None
            if attempt.link.health.admits():
                with suppress(Exception):  # As above.
                    connected = await self._connected(attempt, stack, voice, rate)
            speaking = _ConnectedVoice(self, self._chain, connected, voice, rate, attempt.age_s)
            try:
                yield speaking
            finally:
                await _left(stack, broken=speaking.broken)

    async def _connected(
        self, attempt: Attempt[Synthesizer], stack: AsyncExitStack, voice: str, rate: float
    ) -> Speaking:
        try:
            async with asyncio.timeout(attempt.wait_s()):
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
        waited_s: float,
    ) -> None:
        self._whole = whole
        self._chain = chain
        self._connected = connected
        self._voice = voice
        self._rate = rate
        #: What the connection took, or was waited for in vain: the first clause has so much less time.
        self._waited_s = waited_s
        self.broken = connected is None

    async def say(self, clause: str) -> AsyncGenerator[SpeechChunk, None]:
        """Speaks the next clause, over the connection while it holds."""
        spoken = _Spoken(clause, self._whole.capabilities.sample_rate_hz)
        attempt = self._chain.attempt(since_s=self._chain.waiting_since() - self._waited_s)
        self._waited_s = 0.0
        if self._connected is not None and not self.broken:
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
            others = self._chain.attempts(since_s=attempt.budget.since_s, after=1)
            rest = self._whole.tried(spoken.left, self._voice, self._rate, others)
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
    given = attempt.gives(speech)
    async with aclosing(given):
        async for chunk in given:
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
            self.left = after_words(self.left, (word.text for word in self._words if word.end_s <= now_s + 1e-6))
        elif now_s > self._base_s:
            letters = int((now_s - self._base_s) * _LETTERS_PER_S * rate)
            cut = self.left.rfind(" ", 0, letters + 1)
            self.left = self.left[cut + 1 :] if cut > 0 else self.left
        self._base_s, self._words = now_s, []


def _is_speakable(text: str) -> bool:
    return any(letter.isalnum() for letter in text)


def failover_voice(chain: Chain[Synthesizer]) -> Synthesizer:
    """The chain as one synthesizer, which streams where its first does."""
    if isinstance(chain.first, StreamingSynthesizer):
        return StreamingFailoverVoice(chain, chain.first)
    return FailoverVoice(chain)
