"""Speaks with Deepgram's Aura voices, clause after clause over one connection."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from deepgram.speak.v1.socket_client import AsyncV1SocketClient, V1SocketClientResponse
from deepgram.speak.v1.types import SpeakV1Flushed, SpeakV1Text

from services.ai_engine.adapters.clause_queue import ClauseQueue, routed
from services.ai_engine.adapters.deepgram import abort, deepgram_client
from services.ai_engine.adapters.faults_of_vendors import Faults
from services.ai_engine.adapters.one_voice import SpeaksReplies
from services.ai_engine.adapters.reading import connected
from services.ai_engine.adapters.voices import chosen_voice, spoken_languages, whole_samples
from services.ai_engine.domain.roles import Capabilities, SpeechChunk
from services.ai_engine.vendors import DeepgramSettings

_RATE_HZ: Final = 24_000
_FAULTS: Final = Faults("deepgram", "Deepgram")
#: What Deepgram speaks at; beyond it the pace stays there.
_SLOWEST, _FASTEST = 0.7, 1.5


class AuraSynthesizer(SpeaksReplies):
    """Aura over a WebSocket (StreamingSynthesizer). A voice is a model; its name ends with its language."""

    name = "deepgram"

    def __init__(self, settings: DeepgramSettings) -> None:
        self._settings = settings
        self._client = deepgram_client(settings, _FAULTS)
        self.capabilities = Capabilities(
            languages=spoken_languages(voice.rpartition("-")[2] for voice in settings.voices),
            local=False,
            paid=True,
            model=next(iter(settings.voices), ""),
            label="Deepgram Aura: quick, natural voices without word times; the tutor's text goes to Deepgram.",
            sample_rate_hz=_RATE_HZ,
            voices=settings.voices,
            streams_in=True,
            streams_out=True,
        )

    @asynccontextmanager
    async def speak(self, *, voice: str = "", rate: float = 1.0) -> AsyncIterator[ClauseQueue]:
        """Connects for one reply. Raises InvalidFieldError and ProviderError."""
        connection = self._client.speak.v1.connect(
            model=chosen_voice(voice, rate, self.capabilities.voices),
            encoding="linear16",
            sample_rate=_RATE_HZ,
            speed=min(_FASTEST, max(_SLOWEST, rate)) if rate != 1.0 else None,
            mip_opt_out="false" if self._settings.training else "true",
        )
        async with connected(connection, _FAULTS, abort=abort) as socket:
            reply = _AuraReply(socket)
            async with routed(aiter(socket), reply.route, reply.clauses, _FAULTS):
                yield reply.clauses


class _AuraReply:
    """One connection to Aura."""

    def __init__(self, socket: AsyncV1SocketClient) -> None:
        self._socket = socket
        self._samples = whole_samples()
        self.clauses = ClauseQueue(self._send, _FAULTS)

    async def route(self, message: V1SocketClientResponse | bytes) -> None:
        """Takes sound to the clause it belongs to: Deepgram says when it has flushed one."""
        match message:
            case bytes():
                if pcm := self._samples(message):
                    await self.clauses.heard(SpeechChunk(pcm))
            case SpeakV1Flushed():
                self.clauses.finish()
            case _:
                pass  # Metadata and warnings are not heard.

    async def _send(self, clause: str) -> None:
        await self._socket.send_text(SpeakV1Text(type="Speak", text=clause))
        await self._socket.send_flush()
