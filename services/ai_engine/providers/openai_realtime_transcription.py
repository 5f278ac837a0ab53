"""Recognises speech while it comes with a transcription session of OpenAI's Realtime API."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from mesh.audio import StreamResampler, samples
from mesh.mailbox import Mailbox
from services.ai_engine.adapters.at_once import ListensAlong, checked_language
from services.ai_engine.adapters.faults_of_vendors import Faults
from services.ai_engine.adapters.loudness import Loudness
from services.ai_engine.adapters.openai_client import OPENAI_LANGUAGES, VERBATIM, OpenAiAccess, abort, openai_client
from services.ai_engine.adapters.reading import connected, next_of, reading
from services.ai_engine.domain.roles import HEARING_RATE_HZ, Capabilities, Transcript
from services.ai_engine.vendors import OpenAiSpeechSettings

if TYPE_CHECKING:
    from openai.resources.realtime.realtime import AsyncRealtimeConnection
    from openai.types.realtime import RealtimeServerEvent
    from openai.types.realtime.realtime_transcription_session_create_request_param import (
        RealtimeTranscriptionSessionCreateRequestParam,
    )

#: The only rate such a session takes.
_RATE_HZ: Final = 24_000
#: Less than 100 ms is refused, so silence is added.
_LEAST: Final = _RATE_HZ // 10
_FAULTS: Final = Faults("openai_realtime", "OpenAI")
_LIMITS: Final = frozenset({"rate_limit_exceeded", "insufficient_quota", "session_expired"})


class OpenAiRealtimeRecognizer(ListensAlong):
    """A transcription session over a WebSocket (StreamingRecognizer). Word times are estimates.

    Turn detection and noise reduction are off: our own voice activity says where a pause is.
    """

    name = "openai_realtime"

    def __init__(self, access: OpenAiAccess, settings: OpenAiSpeechSettings) -> None:
        self._model = settings.realtime_transcription_model
        self._client = openai_client(access, _FAULTS)
        self.capabilities = Capabilities(
            languages=OPENAI_LANGUAGES,
            local=False,
            paid=True,
            model=self._model,
            label=f"OpenAI {self._model}: listens along, may tidy up slips; the sound goes to the endpoint.",
            word_times=True,
            streams_in=True,
        )

    @asynccontextmanager
    async def hear(self, *, language: str) -> AsyncIterator["RealtimeHearing"]:
        """Connects for one stretch of speech. Raises InvalidFieldError and ProviderError."""
        subtag = checked_language(language, OPENAI_LANGUAGES)
        connection = self._client.realtime.connect(extra_query={"intent": "transcription"}, max_retries=0)
        async with connected(connection, _FAULTS, abort=abort) as socket, reading(aiter(socket), _FAULTS) as inbox:
            with _FAULTS.told():
                await socket.session.update(session=self._session(subtag))
            yield RealtimeHearing(socket, inbox)

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._client.close()

    def _session(self, language: str) -> "RealtimeTranscriptionSessionCreateRequestParam":
        return {
            "type": "transcription",
            "audio": {
                "input": {
                    "format": {"type": "audio/pcm", "rate": _RATE_HZ},
                    "transcription": {"model": self._model, "language": language, "prompt": VERBATIM},
                    "turn_detection": None,
                }
            },
        }


class RealtimeHearing:
    """One transcription session (Hearing)."""

    def __init__(self, socket: "AsyncRealtimeConnection", inbox: "Mailbox[RealtimeServerEvent]") -> None:
        self._socket = socket
        self._inbox = inbox
        self._resampler = StreamResampler(HEARING_RATE_HZ, _RATE_HZ)
        self._loudness = Loudness()
        #: Samples sent since the last transcript.
        self._sent = 0

    async def feed(self, pcm: bytes) -> None:
        """Sends the next sound. Raises ProviderError."""
        self._loudness.feed(pcm)
        await self._append(self._resampler.feed(pcm))

    async def transcript(self) -> Transcript:
        """Commits what was sent and waits for its text. Raises ProviderError."""
        await self._append(self._resampler.flush())
        if not self._sent:
            return Transcript("")
        await self._append(bytes(2 * max(0, _LEAST - self._sent)))
        self._sent = 0
        with _FAULTS.told():
            await self._socket.input_audio_buffer.commit()
        while True:
            event = await next_of(self._inbox, _FAULTS)
            match event.type:
                case "conversation.item.input_audio_transcription.completed":
                    text = event.transcript.strip()
                    return Transcript(text, self._loudness.words(text))
                case "conversation.item.input_audio_transcription.failed":
                    raise _failed(event.error.code)
                case "error":
                    raise _failed(event.error.code)
                case _:
                    pass  # Acknowledgements, and pieces of what comes whole.

    async def _append(self, pcm: bytes) -> None:
        if pcm:
            with _FAULTS.told():
                await self._socket.input_audio_buffer.append(audio=base64.b64encode(pcm).decode())
            self._sent += samples(pcm)


def _failed(code: str | None) -> Exception:
    if code in _LIMITS:
        return _FAULTS.status(429)
    return _FAULTS.status(401) if code == "invalid_api_key" else _FAULTS.broken()
