"""Recognises speech with Azure while it comes, and scores how each word was pronounced."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

from azure.cognitiveservices.speech import (
    CancellationReason,
    Connection,
    OutputFormat,
    ProfanityOption,
    PronunciationAssessmentConfig,
    PronunciationAssessmentGradingSystem,
    PronunciationAssessmentGranularity,
    SpeechConfig,
    SpeechRecognizer,
)
from azure.cognitiveservices.speech.audio import AudioConfig, AudioStreamFormat, PushAudioInputStream

from mesh.audio import duration_s
from mesh.errors import ProviderError
from mesh.mailbox import Mailbox
from mesh.workers import Workers
from services.ai_engine.adapters.at_once import ListensAlong, checked_language
from services.ai_engine.adapters.azure_speech import LANGUAGES, TICKS_PER_S, error_of, locale_of, speech_config
from services.ai_engine.adapters.faults_of_vendors import Faults
from services.ai_engine.adapters.reading import hung_up, next_of
from services.ai_engine.domain.roles import HEARING_RATE_HZ, Capabilities, Transcript, Word
from services.ai_engine.vendors import AzureSpeechSettings

_FAULTS: Final = Faults("azure", "Azure Speech")
#: Not documented; without it the SDK's threads wait ten seconds for a vendor that does not say goodbye.
_STOP_TIMEOUT: Final = "SPEECH-StopRecognitionTimeoutInSeconds"
#: Phrases that may wait for who asks for them. Full: the hearing is over.
_WAITING: Final = 64


class AzureRecognizer(ListensAlong):
    """Continuous recognition over Azure's own wire (StreamingRecognizer).

    Swear words are not masked, and what tidies up speech ("TrueText") is off. Numbers are written as digits.
    """

    name = "azure"

    def __init__(self, settings: AzureSpeechSettings, *, workers: Workers) -> None:
        self._settings = settings
        self._workers = workers
        speech_config(settings, _FAULTS)
        self.capabilities = Capabilities(
            languages=LANGUAGES,
            local=False,
            paid=True,
            label="Azure Speech: hears many accents and scores pronunciation, roughly; the sound goes to Microsoft.",
            word_times=True,
            streams_in=True,
            pronunciation=settings.pronunciation,
        )

    @asynccontextmanager
    async def hear(self, *, language: str) -> AsyncIterator["AzureHearing"]:
        """Connects for one stretch of speech. Raises InvalidFieldError and ProviderError."""
        checked_language(language, LANGUAGES)
        hearing = AzureHearing(lambda: self._utterance(language), self._workers)
        try:
            await hearing.open()
            yield hearing
        finally:
            await hearing.close()

    def _utterance(self, language: str) -> "_Utterance":
        config = speech_config(self._settings, _FAULTS)
        config.speech_recognition_language = locale_of(language)
        config.set_profanity(ProfanityOption.Raw)
        config.output_format = OutputFormat.Detailed
        config.request_word_level_timestamps()
        config.set_property_by_name(_STOP_TIMEOUT, "1")
        return _Utterance(config, pronunciation=self._settings.pronunciation)


class AzureHearing:
    """One stretch of speech (Hearing). Azure ends a text only with the sound, so each part has a connection."""

    def __init__(self, begin: Callable[[], "_Utterance"], workers: Workers) -> None:
        self._begin = begin
        self._workers = workers
        self._utterance: _Utterance | None = None
        #: Seconds fed before the part that is heard now, and in it.
        self._before_s = self._fed_s = 0.0

    async def open(self) -> None:
        """Begins to connect. Raises ProviderError."""
        loop = asyncio.get_running_loop()
        with _FAULTS.told():
            self._utterance = await self._workers.run(self._begin)
            await self._workers.run(self._utterance.start, loop)

    async def feed(self, pcm: bytes) -> None:
        """Sends the next sound. Raises ProviderError."""
        if self._utterance is None:
            await self.open()
        assert self._utterance is not None
        self._utterance.stream.write(pcm)
        self._fed_s += duration_s(pcm, HEARING_RATE_HZ)

    async def transcript(self) -> Transcript:
        """Ends the part that is heard now and waits for its text. Raises ProviderError."""
        if (utterance := self._utterance) is None or not self._fed_s:
            return Transcript("")
        utterance.stream.close()
        texts: list[str] = []
        words: list[Word] = []
        while (phrase := await next_of(utterance.inbox, _FAULTS)) is not None:
            best = phrase["NBest"][0]
            texts.append(best["Display"])
            words += _words(best)
        begin_s = self._before_s
        self._before_s, self._fed_s = self._before_s + self._fed_s, 0.0
        await self.close()
        return Transcript(" ".join(text for text in texts if text), tuple(words)).moved(begin_s)

    async def close(self) -> None:
        """Ends the connection."""
        if (utterance := self._utterance) is not None:
            self._utterance = None
            async with hung_up():
                await self._workers.run(utterance.stop)


class _Utterance:
    """One recognition of the SDK. `inbox` gets phrases, and None at the end."""

    def __init__(self, config: SpeechConfig, *, pronunciation: bool) -> None:
        self.stream = PushAudioInputStream(AudioStreamFormat(HEARING_RATE_HZ, 16, 1))
        self.inbox: Mailbox[dict[str, Any] | None] = Mailbox(_WAITING)
        self._recognizer = SpeechRecognizer(config, AudioConfig(stream=self.stream))
        self._connection = Connection.from_recognizer(self._recognizer)
        self._begun = False
        if pronunciation:
            # Without a reference text: whatever the learner says is scored by itself.
            PronunciationAssessmentConfig(
                reference_text="",
                grading_system=PronunciationAssessmentGradingSystem.HundredMark,
                granularity=PronunciationAssessmentGranularity.Word,
            ).apply_to(self._recognizer)

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Connects in the background, and has the SDK's threads hand over what they hear; blocks for a moment."""

        def recognized(event: Any) -> None:  # noqa: ANN401 - the SDK ships no types.
            loop.call_soon_threadsafe(self._take, event.result.json)

        def canceled(event: Any) -> None:  # noqa: ANN401
            details = event.cancellation_details
            ended = details.reason == CancellationReason.EndOfStream
            loop.call_soon_threadsafe(self._end, None if ended else error_of(details.code, _FAULTS, begun=self._begun))

        def connected(_: Any) -> None:  # noqa: ANN401
            self._begun = True

        self._connection.connected.connect(connected)
        self._recognizer.recognized.connect(recognized)
        self._recognizer.canceled.connect(canceled)
        self._recognizer.start_continuous_recognition()

    def stop(self) -> None:
        """Closes the connection; blocks, a second at most."""
        self._recognizer.recognized.disconnect_all()
        self._recognizer.canceled.disconnect_all()
        self._connection.connected.disconnect_all()
        with suppress(RuntimeError):  # It may never have begun.
            self._recognizer.stop_continuous_recognition()
            self._connection.close()
        # What the SDK holds outside Python takes a while to release: here, and not where it would be collected.
        del self._connection, self._recognizer

    def _take(self, told: str) -> None:
        phrase = json.loads(told)
        if phrase.get("RecognitionStatus") == "Success" and not self.inbox.offer(phrase):
            self.inbox.close(_FAULTS.broken())

    def _end(self, error: ProviderError | None) -> None:
        if error is not None or not self.inbox.offer(None):
            self.inbox.close(error or _FAULTS.broken())


def _words(best: dict[str, Any]) -> list[Word]:
    """The words with their times, as they are written in the text where that has as many."""
    heard = best.get("Words", ())
    written = best["Display"].split()
    texts = written if len(written) == len(heard) else [word["Word"] for word in heard]
    words: list[Word] = []
    for text, word in zip(texts, heard, strict=True):
        ticks, length = word["Offset"], word["Duration"]
        score = word.get("PronunciationAssessment", {}).get("AccuracyScore")
        words.append(
            Word(
                text,
                ticks / TICKS_PER_S,
                (ticks + length) / TICKS_PER_S,
                word.get("Confidence"),
                None if score is None else score / 100,
            )
        )
    return words
