"""Speaks with OpenAI's speech models, each clause in one streamed HTTP answer."""

from collections.abc import AsyncGenerator
from typing import Final

import openai

from services.ai_engine.adapters.faults_of_vendors import Faults
from services.ai_engine.adapters.openai_client import OpenAiAccess, openai_client
from services.ai_engine.adapters.voices import chosen_voice, whole_samples
from services.ai_engine.domain.roles import Capabilities, SpeechChunk
from services.ai_engine.vendors import OpenAiSpeechSettings

_RATE_HZ: Final = 24_000
#: 40 ms: the first piece leaves at once.
_PIECE_BYTES: Final = _RATE_HZ // 25 * 2
_SOUND: Final = ("audio/", "application/octet-stream")
_FAULTS: Final = Faults("openai", "OpenAI")


class OpenAiSynthesizer:
    """Speech over HTTP (Synthesizer); connections are kept warm between clauses. No word times."""

    name = "openai"

    def __init__(self, access: OpenAiAccess, settings: OpenAiSpeechSettings) -> None:
        self._model = settings.speech_model
        self._client = openai_client(access, _FAULTS)
        self.capabilities = Capabilities(
            languages=frozenset(),
            local=False,
            paid=True,
            model=self._model,
            label=f"OpenAI {self._model}: speaks any language, with an American accent; text goes to the endpoint.",
            sample_rate_hz=_RATE_HZ,
            voices=settings.voices,
            streams_out=True,
        )

    async def synthesize(self, text: str, *, voice: str = "", rate: float = 1.0) -> AsyncGenerator[SpeechChunk, None]:
        """Speaks `text`. Closing the iterator closes the answer. Raises InvalidFieldError and ProviderError."""
        chosen = chosen_voice(voice, rate, self.capabilities.voices)
        take = whole_samples()
        answer = self._client.audio.speech.with_streaming_response.create(
            model=self._model,
            voice=chosen,
            input=text,
            response_format="pcm",
            speed=rate if rate != 1.0 else openai.omit,
        )
        try:
            async with answer as response:
                if not response.headers.get("content-type", "").startswith(_SOUND):
                    raise _FAULTS.broken()
                async for piece in response.iter_bytes(_PIECE_BYTES):
                    if pcm := take(piece):
                        yield SpeechChunk(pcm)
        except Exception as error:
            raise _FAULTS.of(error) from None

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._client.close()
