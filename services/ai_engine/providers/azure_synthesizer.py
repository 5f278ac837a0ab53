"""Speaks with Azure's voices, clause after clause over one connection, and tells when each word sounds."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

from azure.cognitiveservices.speech import (
    Connection,
    PropertyId,
    SpeechConfig,
    SpeechSynthesisOutputFormat,
    SpeechSynthesizer,
)

from mesh.mailbox import Closed, Mailbox
from mesh.workers import Workers
from services.ai_engine.adapters.azure_speech import TICKS_PER_S, error_of, speech_config
from services.ai_engine.adapters.clause_queue import ClauseQueue, routed
from services.ai_engine.adapters.faults_of_vendors import Faults
from services.ai_engine.adapters.one_voice import SpeaksReplies
from services.ai_engine.adapters.reading import hung_up
from services.ai_engine.adapters.voices import chosen_voice, spoken_languages
from services.ai_engine.adapters.written import Written
from services.ai_engine.domain.roles import Capabilities, SpeechChunk, Word
from services.ai_engine.vendors import AzureSpeechSettings

_RATE_HZ: Final = 24_000
_FAULTS: Final = Faults("azure", "Azure Speech")
#: Until the connection stands; then the clause is sent all the same, and its failure is told.
_CONNECT_S: Final = 0.4
#: Until the words that are missing at the end of a clause count as not told.
_LATE_S: Final = 0.3
#: The last of the sound waits for the end of its clause: words that are told after it go with it, 20 ms.
_TAIL_BYTES: Final = _RATE_HZ // 50 * 2
#: Pieces and words of one clause that may wait. Full: the reply has failed.
_WAITING: Final = 4096


class AzureSynthesizer(SpeaksReplies):
    """Azure's neural voices (StreamingSynthesizer). A voice's name begins with its locale."""

    name = "azure"

    def __init__(self, settings: AzureSpeechSettings, *, workers: Workers) -> None:
        self._settings = settings
        self._workers = workers
        speech_config(settings, _FAULTS)
        self.capabilities = Capabilities(
            languages=spoken_languages(settings.voices),
            local=False,
            paid=True,
            label="Azure Speech: clear voices in many accents, with word times; text goes to Microsoft.",
            sample_rate_hz=_RATE_HZ,
            word_times=True,
            voices=settings.voices,
            streams_in=True,
            streams_out=True,
        )

    @asynccontextmanager
    async def speak(self, *, voice: str = "", rate: float = 1.0) -> AsyncIterator[ClauseQueue]:
        """Connects for one reply. Raises InvalidFieldError and ProviderError."""
        chosen = chosen_voice(voice, rate, self._settings.voices)
        with _FAULTS.told():
            config = speech_config(self._settings, _FAULTS)
            config.set_speech_synthesis_output_format(SpeechSynthesisOutputFormat.Raw24Khz16BitMonoPcm)
            config.set_property(PropertyId.SpeechServiceResponse_RequestPunctuationBoundary, "false")
            reply = await self._workers.run(_Reply, config, chosen, rate, asyncio.get_running_loop())
            await self._workers.run(reply.connect)
        try:
            async with routed(reply.events(), reply.route, reply.clauses, _FAULTS):
                yield reply.clauses
        finally:
            async with hung_up():
                await self._workers.run(reply.stop)


class _Reply:
    """One synthesizer of the SDK with its connection; it blocks while it is made, connects and stops.

    The SDK's threads hand over sound, words, and None at the end of a clause.
    """

    def __init__(self, config: SpeechConfig, voice: str, rate: float, loop: asyncio.AbstractEventLoop) -> None:
        self._voice = voice
        self._rate = rate
        self._loop = loop
        self._synthesizer = SpeechSynthesizer(config, audio_config=None)
        self._connection = Connection.from_speech_synthesizer(self._synthesizer)
        self._connected = asyncio.Event()
        self._inbox: Mailbox[bytes | Word | None] = Mailbox(_WAITING)
        self._written = Written("")
        self._words: list[Word] = []
        self._tail = b""
        #: Kept while it works, for it stops when it is collected.
        self._speaking: object = None
        self.clauses = ClauseQueue(self._send, _FAULTS, ahead=False)

    def connect(self) -> None:
        """Begins to connect."""
        synthesizer, hand = self._synthesizer, self._loop.call_soon_threadsafe
        self._connection.connected.connect(lambda _: hand(self._connected.set))
        synthesizer.synthesizing.connect(lambda event: hand(self._take, event.result.audio_data))
        synthesizer.synthesis_word_boundary.connect(lambda event: hand(self._take, _word(event)))
        synthesizer.synthesis_completed.connect(lambda _: hand(self._take, None))
        synthesizer.synthesis_canceled.connect(lambda event: hand(self._fail, event.result.cancellation_details))
        self._connection.open(for_continuous_recognition=True)

    async def events(self) -> AsyncIterator[bytes | Word | None]:
        """What the SDK tells, until it fails; the end of a clause after the last of its words."""
        while True:
            try:
                event = await self._inbox.get()
                while event is None and (late := await self._late()) is not None:
                    yield late
                yield event
            except Closed:
                raise self._inbox.error or _FAULTS.cut_off() from None

    async def _late(self) -> bytes | Word | None:
        """What is told after the end: on a busy machine the SDK's threads overtake one another."""
        if self._written.is_found:
            return None
        with suppress(TimeoutError):
            async with asyncio.timeout(_LATE_S):
                return await self._inbox.get()
        return None

    async def route(self, event: bytes | Word | None) -> None:
        """Takes a piece of sound, with the words that were told, to its clause."""
        match event:
            case bytes():
                sound = self._tail + event
                self._tail = sound[-_TAIL_BYTES:]
                await self._heard(sound[:-_TAIL_BYTES])
            case Word():
                if text := self._written.find(event.text):
                    self._words.append(replace(event, text=text))
            case None:
                sound, self._tail = self._tail, b""
                await self._heard(sound)
                self.clauses.finish()

    async def _heard(self, sound: bytes) -> None:
        words, self._words = tuple(self._words), []
        if sound or words:
            await self.clauses.heard(SpeechChunk(sound, words))

    def stop(self) -> None:
        """Stops what is spoken and closes the connection; blocks."""
        synthesizer = self._synthesizer
        self._connection.connected.disconnect_all()
        for signal in (synthesizer.synthesizing, synthesizer.synthesis_word_boundary, synthesizer.synthesis_completed):
            signal.disconnect_all()
        synthesizer.synthesis_canceled.disconnect_all()
        with suppress(RuntimeError):  # It may never have begun.
            synthesizer.stop_speaking()
            self._connection.close()
        # What the SDK holds outside Python takes a while to release: here, and not where it would be collected.
        del synthesizer, self._speaking, self._connection, self._synthesizer

    async def _send(self, clause: str) -> None:
        # To speak before it is connected would open a second connection.
        with suppress(TimeoutError):
            async with asyncio.timeout(_CONNECT_S):
                await self._connected.wait()
        self._written = Written(clause)
        self._speaking = self._synthesizer.speak_ssml_async(self._ssml(clause))

    def _ssml(self, clause: str) -> str:
        locale = "-".join(self._voice.split("-")[:2])
        return (
            f'<speak version="1.0" xmlns="http://www.w3.org/2001/10/synthesis" xml:lang={quoteattr(locale)}>'
            f'<voice name={quoteattr(self._voice)}><prosody rate="{self._rate:g}">{escape(clause)}</prosody></voice>'
            "</speak>"
        )

    def _take(self, event: bytes | Word | None) -> None:
        if not self._inbox.offer(event):
            self._inbox.close(_FAULTS.broken())

    def _fail(self, details: Any) -> None:  # noqa: ANN401 - the SDK ships no types.
        self._inbox.close(error_of(details.error_code, _FAULTS, begun=self._connected.is_set()))


def _word(event: Any) -> Word:  # noqa: ANN401
    start_s = event.audio_offset / TICKS_PER_S
    return Word(event.text, start_s, start_s + event.duration.total_seconds())
