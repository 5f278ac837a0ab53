"""Speaks with ElevenLabs' voices, clause after clause over one connection, and tells when each word sounds."""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from elevenlabs.types import (
    Alignment,
    AudioOutputMulti,
    CloseContext,
    InitializeConnectionMulti,
    RealtimeVoiceSettings,
    SendTextMulti,
)
from elevenlabs.url_utils import build_ws_url
from websockets.asyncio.client import ClientConnection, connect

from mesh.audio import samples
from services.ai_engine.adapters.clause_queue import ClauseQueue, routed
from services.ai_engine.adapters.faults_of_vendors import Faults
from services.ai_engine.adapters.one_voice import SpeaksReplies
from services.ai_engine.adapters.reading import connected
from services.ai_engine.adapters.spelling import Spelling
from services.ai_engine.adapters.voices import chosen_voice, whole_samples
from services.ai_engine.domain.roles import Capabilities, SpeechChunk
from services.ai_engine.vendors import ElevenLabsSettings

_RATE_HZ: Final = 24_000
_FAULTS: Final = Faults("elevenlabs", "ElevenLabs")
_KEY: Final = "VIVAVOCE_AI_ENGINE_ELEVENLABS_API_KEY"
#: What ElevenLabs speaks at; beyond it the pace stays there.
_SLOWEST, _FASTEST = 0.7, 1.2
_REFUSED: Final = frozenset({"invalid_api_key", "invalid_authorization_header", "missing_permissions", "unauthorized"})
_LIMITS: Final = frozenset({"quota_exceeded", "rate_limited", "too_many_concurrent_requests", "system_busy"})
#: Of eleven_flash_v2_5 and eleven_turbo_v2_5, by elevenlabs.io/docs/models.
_LANGUAGES: Final = frozenset(
    {
        *("ar", "bg", "cs", "da", "de", "el", "en", "es", "fi", "fil", "fr", "hi", "hr", "hu", "id", "it"),
        *("ja", "ko", "ms", "nl", "no", "pl", "pt", "ro", "ru", "sk", "sv", "ta", "tr", "uk", "vi", "zh"),
    }
)


class ElevenLabsSynthesizer(SpeaksReplies):
    """Text to speech over a WebSocket with several contexts (StreamingSynthesizer): one context for each clause.

    The messages are the SDK's types. Its own client for this wire blocks, speaks to wss only and drops word times.
    """

    name = "elevenlabs"

    def __init__(self, settings: ElevenLabsSettings) -> None:
        self._settings = settings
        self._headers = {"xi-api-key": _FAULTS.setting(settings.api_key, _KEY)}
        self.capabilities = Capabilities(
            languages=_LANGUAGES,
            local=False,
            paid=True,
            model=settings.model,
            label=f"ElevenLabs {settings.model}: very natural voices with word times; text goes to ElevenLabs.",
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
        # Clauses come whole, so nothing is to be gathered; times are wanted with every piece.
        wanted = {"model_id": self._settings.model, "output_format": "pcm_24000", "auto_mode": "true",
                  "sync_alignment": "true"}  # fmt: skip
        url = build_ws_url(self._settings.base_url, ["v1", "text-to-speech", chosen, "multi-stream-input"], wanted)
        connection = connect(url, additional_headers=self._headers, max_size=None)
        async with connected(connection, _FAULTS, abort=_abort) as socket:
            reply = _Reply(socket, RealtimeVoiceSettings(speed=min(_FASTEST, max(_SLOWEST, rate))))
            async with routed(aiter(socket), reply.route, reply.clauses, _FAULTS):
                yield reply.clauses


class _Reply:
    """One connection."""

    def __init__(self, socket: ClientConnection, settings: RealtimeVoiceSettings) -> None:
        self._socket = socket
        self._settings = settings
        self._begun = 0
        self._begin_clause()
        self.clauses = ClauseQueue(self._send, _FAULTS, ahead=False)

    def _begin_clause(self) -> None:
        self._samples = whole_samples()
        self._spelling = Spelling()
        self._told = 0

    async def route(self, message: str | bytes) -> None:
        """Takes a piece of sound, with the words that are complete in it, to its clause."""
        given = json.loads(message)
        if "error" in given:
            raise _error(str(given["error"]))
        if given.get("audio"):
            piece = AudioOutputMulti.model_validate(given)
            begin_s = self._told / _RATE_HZ
            pcm = self._samples(base64.b64decode(piece.audio))
            self._told += samples(pcm)
            _spell(self._spelling, piece.alignment, begin_s)
            await self.clauses.heard(SpeechChunk(pcm, self._spelling.take()))
        # The SDK's types and the documentation spell it differently.
        if given.get("isFinal") or given.get("is_final"):
            if words := self._spelling.flush():
                await self.clauses.heard(SpeechChunk(b"", words))
            self._begin_clause()
            self.clauses.finish()

    async def _send(self, clause: str) -> None:
        context = f"clause-{self._begun}"
        self._begun += 1
        await self._tell(InitializeConnectionMulti(context_id=context, voice_settings=self._settings))
        await self._tell(SendTextMulti(text=f"{clause.strip()} ", context_id=context, flush=True))
        await self._tell(CloseContext(context_id=context, close_context=True))

    async def _tell(self, message: InitializeConnectionMulti | SendTextMulti | CloseContext) -> None:
        await self._socket.send(json.dumps(message.dict(exclude_none=True)))


def _spell(spelling: Spelling, alignment: Alignment | None, begin_s: float) -> None:
    """Adds the letters of a piece; their times count from its start."""
    if alignment is None:
        return
    starts, lengths = alignment.char_start_times_ms or (), alignment.char_durations_ms or ()
    for letter, start_ms, length_ms in zip(alignment.chars or (), starts, lengths, strict=False):
        spelling.add(letter, begin_s + start_ms / 1000, begin_s + (start_ms + length_ms) / 1000)


def _error(kind: str) -> Exception:
    if kind in _REFUSED:
        return _FAULTS.status(401)
    return _FAULTS.status(429) if kind in _LIMITS else _FAULTS.broken()


def _abort(socket: ClientConnection) -> None:
    socket.transport.abort()
