"""Recognises speech while it comes with ElevenLabs' Scribe."""

import base64
import math
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from elevenlabs import AsyncElevenLabs
from elevenlabs.realtime import AudioFormat, CommitStrategy, RealtimeAudioOptions, RealtimeConnection, RealtimeEvents

from mesh.audio import samples
from mesh.errors import ProviderError
from mesh.mailbox import Mailbox
from services.ai_engine.adapters.at_once import ListensAlong, checked_language
from services.ai_engine.adapters.faults_of_vendors import Faults
from services.ai_engine.adapters.reading import connected, next_of
from services.ai_engine.domain.roles import HEARING_RATE_HZ, Capabilities, Transcript, Word
from services.ai_engine.vendors import ElevenLabsSettings

_FAULTS: Final = Faults("elevenlabs", "ElevenLabs")
_KEY: Final = "VIVAVOCE_AI_ENGINE_ELEVENLABS_API_KEY"
#: Less than 0.3 s is refused, so silence is added.
_LEAST: Final = HEARING_RATE_HZ * 3 // 10
#: Transcripts that may wait for who asks for them. Full: the hearing is over.
_WAITING: Final = 64
_LIMITS: Final = frozenset(
    {"quota_exceeded", "rate_limited", "commit_throttled", "resource_exhausted", "queue_overflow"}
)
_CUTS: Final = frozenset({"session_time_limit_exceeded", "insufficient_audio_activity", "transcriber_error"})
_UNREADABLE: Final = "Failed to parse"


class ScribeRecognizer(ListensAlong):
    """Scribe over a WebSocket (StreamingRecognizer).

    Verbatim: hesitations and false starts stay, nothing is redacted or edited.
    """

    name = "elevenlabs"

    def __init__(self, settings: ElevenLabsSettings) -> None:
        self._model = settings.recognizer_model
        key = _FAULTS.setting(settings.api_key, _KEY)
        self._client = AsyncElevenLabs(api_key=key, base_url=settings.base_url)
        self.capabilities = Capabilities(
            languages=frozenset(),
            local=False,
            paid=True,
            model=self._model,
            label=f"ElevenLabs {self._model}: hears some ninety languages word for word; sound goes to ElevenLabs.",
            word_times=True,
            streams_in=True,
        )

    @asynccontextmanager
    async def hear(self, *, language: str) -> AsyncIterator["ScribeHearing"]:
        """Connects for one stretch of speech. Raises ProviderError."""
        options: RealtimeAudioOptions = {
            "model_id": self._model,
            "audio_format": AudioFormat.PCM_16000,
            "sample_rate": HEARING_RATE_HZ,
            "commit_strategy": CommitStrategy.MANUAL,
            "language_code": checked_language(language, self.capabilities.languages),
            "include_timestamps": True,
            "no_verbatim": False,
        }
        async with connected(self._connection(options), _FAULTS, abort=_abort) as connection:
            yield ScribeHearing(connection)

    @asynccontextmanager
    async def _connection(self, options: RealtimeAudioOptions) -> AsyncIterator[RealtimeConnection]:
        connection = await self._client.speech_to_text.realtime.connect(options)
        try:
            yield connection
        finally:
            await connection.close()


class ScribeHearing:
    """One connection to Scribe (Hearing). The SDK reads it, and calls back."""

    def __init__(self, connection: RealtimeConnection) -> None:
        self._connection = connection
        self._inbox: Mailbox[Mapping[str, Any]] = Mailbox(_WAITING)
        #: Samples sent since the last transcript, and of silence added so far.
        self._sent = 0
        self._added = 0
        connection.on(RealtimeEvents.COMMITTED_TRANSCRIPT_WITH_TIMESTAMPS, self._committed)
        connection.on(RealtimeEvents.ERROR, self._failed)
        connection.on(RealtimeEvents.CLOSE, self._closed)

    async def feed(self, pcm: bytes) -> None:
        """Sends the next sound. Raises ProviderError."""
        with _FAULTS.told():
            await self._connection.send({"audio_base_64": base64.b64encode(pcm).decode()})
        self._sent += samples(pcm)

    async def transcript(self) -> Transcript:
        """Commits what was sent and waits for its text. Raises ProviderError."""
        if not self._sent:
            return Transcript("")
        added = max(0, _LEAST - self._sent)
        if added:
            await self.feed(bytes(2 * added))
        self._sent = 0
        with _FAULTS.told():
            await self._connection.commit()
        committed = await next_of(self._inbox, _FAULTS)
        early_s = self._added / HEARING_RATE_HZ
        self._added += added
        return Transcript(committed["text"].strip(), tuple(_words(committed))).moved(-early_s)

    def _committed(self, message: Mapping[str, Any]) -> None:
        if not self._inbox.offer(message):
            self._inbox.close(_FAULTS.broken())

    def _failed(self, message: Mapping[str, Any]) -> None:
        self._inbox.close(_error(str(message.get("message_type", "")), str(message.get("error", ""))))

    def _closed(self) -> None:
        self._inbox.close(_FAULTS.cut_off())


def _words(committed: Mapping[str, Any]) -> list[Word]:
    return [
        Word(word["text"], word["start"], word["end"], math.exp(word["logprob"]) if word.get("logprob") else None)
        for word in committed.get("words") or ()
        if word.get("type") == "word"
    ]


def _error(kind: str, text: str) -> ProviderError:
    if kind == "auth_error":
        return _FAULTS.status(401)
    if kind in _LIMITS:
        return _FAULTS.status(429)
    # Without a kind it is the SDK that speaks: of a message it could not read, or of a connection that was cut.
    return _FAULTS.cut_off() if kind in _CUTS or not (kind or text.startswith(_UNREADABLE)) else _FAULTS.broken()


def _abort(connection: RealtimeConnection) -> None:
    connection.websocket.transport.abort()
