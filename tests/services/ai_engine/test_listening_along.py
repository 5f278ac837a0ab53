"""Recognisers that listen along, and synthesizers that speak a whole reply over one connection."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from mesh.errors import ProviderError
from mesh.testing import no_leaked_tasks
from services.ai_engine.domain.roles import Capabilities, SpeechChunk, Transcript, Word
from services.ai_engine.domain.run import (
    Cancel,
    Recognize,
    ReplyAudioProduced,
    SpeechEnded,
    SpeechStarted,
    TranscriptRevised,
    TurnEndEstimated,
    WordTime,
)
from tests.services.ai_engine.scripted import LOUD_20_MS, QUIET_20_MS, ScriptedModel, ScriptedVoice, Talk, talk

_SECOND = 16_000
_CAN = Capabilities(languages=frozenset(), local=False, label="Scripted.", streams_in=True, turn_ends=True)


class AlongRecognizer:
    """Says "part n" for the n-th pause, its word 0.5 to 0.6 s after the first sound fed; fails to connect if told."""

    name = "along"
    capabilities = _CAN

    def __init__(self, *, error: Exception | None = None, stuck: bool = False) -> None:
        self._error = error
        self._stuck = stuck
        #: Cleared, the connection is not made before it is set.
        self.reachable = asyncio.Event()
        self.reachable.set()
        self.longest = 0
        #: Set, the next question ends the connection.
        self.breaks = False
        self.fed = bytearray()
        self.connections = self.closed = self.parts = self.whole = 0

    async def recognize(self, pcm: bytes, *, language: str) -> Transcript:
        self.whole += 1
        return Transcript("from memory")

    @asynccontextmanager
    async def hear(self, *, language: str) -> AsyncIterator["AlongRecognizer"]:
        self.connections += 1
        if self._error:
            raise self._error
        await self.reachable.wait()
        try:
            yield self
        finally:
            self.closed += 1

    async def feed(self, pcm: bytes) -> None:
        if self._stuck:
            await asyncio.sleep(60)
        self.fed += pcm
        self.longest = max(self.longest, len(pcm))

    async def transcript(self) -> Transcript:
        if self.breaks:
            raise ProviderError("Cut off.")
        self.parts += 1
        return Transcript(f"part {self.parts}", (Word("part", 0.5, 0.6),), turn_end=0.9)


class OneConnectionVoice(ScriptedVoice):
    """The scripted voice over one connection for a reply."""

    def __init__(self) -> None:
        super().__init__(held=("Never.",))
        self.connections = self.hung_up = 0

    @asynccontextmanager
    async def speak(self, *, voice: str = "", rate: float = 1.0) -> AsyncIterator["OneConnectionVoice"]:
        self.connections += 1
        try:
            yield self
        finally:
            self.hung_up += 1

    def say(self, clause: str) -> AsyncIterator[SpeechChunk]:
        return self.synthesize(clause)


async def _say(talking: Talk, pauses: int) -> list[int]:
    """Half a second of quiet, then speech with so many pauses; gives where it began and where each pause begins."""
    await talking.hear(*[QUIET_20_MS] * 25)
    edges = []
    for count in range(1, pauses + 1):
        await talking.hear(*[LOUD_20_MS] * 25, *[QUIET_20_MS] * 15)
        edges.append((await talking.listener.until(SpeechEnded, count))[-1].at_sample)
    return [talking.listener.all(SpeechStarted)[0].at_sample, *edges]


async def _text(talking: Talk, begin: int, end: int, revision: int) -> TranscriptRevised:
    await talking.handle(Recognize("t1", revision, begin, end))
    return (await talking.listener.until(TranscriptRevised, revision))[-1]


async def test_the_text_at_the_pause_is_that_of_who_listened_along() -> None:
    recognizer = AlongRecognizer()
    async with talk(recognizer=recognizer) as talking:
        begin, end = await _say(talking, 1)
        told = await _text(talking, begin, end, 1)
    assert (told.text, recognizer.whole) == ("part 1", 0)
    # Fed from 0.2 s before the speech on, where the word at 0.5 s is 0.3 s after its beginning.
    assert bytes(recognizer.fed[: 2 * _SECOND // 5]) == bytes(2 * _SECOND // 5)
    assert recognizer.fed[2 * _SECOND // 5 :].startswith(LOUD_20_MS * 25)
    assert told.words == (WordTime("part", 4800, 6400),)


async def test_a_turn_with_pauses_is_told_whole_each_time() -> None:
    recognizer = AlongRecognizer()
    async with talk(recognizer=recognizer) as talking:
        begin, first = await _say(talking, 1)
        assert (await _text(talking, begin, first, 1)).text == "part 1"
        await talking.hear(*[LOUD_20_MS] * 25, *[QUIET_20_MS] * 15)
        second = (await talking.listener.until(SpeechEnded, 2))[-1].at_sample
        assert (await _text(talking, begin, second, 2)).text == "part 1 part 2"
        again = talking.listener.all(SpeechStarted)[1].at_sample
        assert (await _text(talking, again, second, 3)).text == "part 2"
    assert (recognizer.connections, recognizer.closed) == (1, 1)


async def test_what_was_not_listened_to_is_recognised_from_memory() -> None:
    recognizer = AlongRecognizer()
    async with talk(recognizer=recognizer) as talking:
        _, end = await _say(talking, 1)
        assert (await _text(talking, 0, end, 1)).text == "from memory"


async def test_a_connection_that_fails_costs_only_the_advance() -> None:
    recognizer = AlongRecognizer(error=ProviderError("Not today."))
    async with talk(recognizer=recognizer) as talking:
        begin, end = await _say(talking, 1)
        assert (await _text(talking, begin, end, 1)).text == "from memory"


async def test_a_connection_that_breaks_in_a_turn_leaves_no_hole_in_its_text() -> None:
    recognizer = AlongRecognizer()
    async with talk(recognizer=recognizer) as talking:
        begin, first = await _say(talking, 1)
        assert (await _text(talking, begin, first, 1)).text == "part 1"
        for revision, breaks in ((2, True), (3, False)):
            recognizer.breaks = breaks
            await talking.hear(*[LOUD_20_MS] * 25, *[QUIET_20_MS] * 15)
            end = (await talking.listener.until(SpeechEnded, revision))[-1].at_sample
            assert (await _text(talking, begin, end, revision)).text == "from memory"
    assert recognizer.connections == 2


async def test_what_was_said_while_it_connected_goes_out_in_pieces() -> None:
    recognizer = AlongRecognizer()
    recognizer.reachable.clear()
    async with talk(recognizer=recognizer) as talking:
        await talking.hear(*[LOUD_20_MS] * 100, *[QUIET_20_MS] * 15)
        end = (await talking.listener.until(SpeechEnded))[-1].at_sample
        recognizer.reachable.set()
        assert (await _text(talking, 0, end, 1)).text == "part 1"
    assert recognizer.fed.startswith(LOUD_20_MS * 100)
    assert recognizer.longest <= 2 * _SECOND // 4


async def test_a_vendor_that_does_not_read_costs_only_the_advance_and_does_not_hold_the_session() -> None:
    recognizer = AlongRecognizer(stuck=True)
    async with asyncio.timeout(10), talk(recognizer=recognizer) as talking:
        begin, end = await _say(talking, 1)
        assert (await _text(talking, begin, end, 1)).text == "from memory"
    assert recognizer.closed == 1


async def test_a_recogniser_that_judges_turn_ends_is_asked_instead_of_the_local_model() -> None:
    async with talk(recognizer=AlongRecognizer()) as talking:
        begin, end = await _say(talking, 1)
        await _text(talking, begin, end, 1)
        assert talking.listener.all(TurnEndEstimated) == [TurnEndEstimated(end, 0.9)]


async def test_all_clauses_of_a_reply_go_over_one_connection() -> None:
    voice = OneConnectionVoice()
    async with talk(synthesizer=voice, language_model=ScriptedModel("One. ", "Two. ", "Three.")) as talking:
        await talking.respond()
        await talking.finished()
    assert [text for text, _ in voice.asked] == ["One.", "Two.", "Three."]
    assert (voice.connections, voice.hung_up) == (1, 1)


async def test_cancelling_a_reply_hangs_up() -> None:
    voice = OneConnectionVoice()
    model = ScriptedModel("This is said at some length. ", "Never.")
    async with no_leaked_tasks(), talk(synthesizer=voice, language_model=model) as talking:
        await talking.respond()
        await talking.listener.until(ReplyAudioProduced)
        await talking.handle(Cancel("r1"))
        async with asyncio.timeout(5):
            assert (await talking.finished()).end == "cancelled"
        assert (voice.connections, voice.hung_up) == (1, 1)
