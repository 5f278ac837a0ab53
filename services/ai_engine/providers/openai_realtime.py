"""OpenAI's Realtime models, or any server that speaks their protocol, through OpenAI's own SDK."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from mesh.errors import ProviderError
from services.ai_engine.adapters.realtime import Dialect, Json, RealtimeLink
from services.ai_engine.domain.roles import Capabilities
from services.ai_engine.domain.voice import VoiceLink, VoiceSetup

if TYPE_CHECKING:
    from openai.resources.realtime.realtime import AsyncRealtimeConnection

_RATE_HZ: Final = 24_000
_VOICES: Final = ("marin", "cedar", "alloy", "ash", "ballad", "coral", "echo", "sage", "shimmer", "verse")


@dataclass(frozen=True, slots=True)
class RealtimeOptions:
    """Where the model is, and how long it may take."""

    base_url: str
    model: str
    #: Empty where the server asks for none.
    api_key: str
    transcription_model: str
    #: Until the connection stands and its settings are taken.
    connect_timeout_s: float = 2.5
    #: The vendor ends a session after an hour.
    longest_s: float = 3600.0


class OpenAiRealtime:
    """A model that hears and answers (SpeechToSpeech). Close it with `aclose` when no longer needed."""

    name = "openai_realtime"

    def __init__(self, options: RealtimeOptions) -> None:
        import openai  # Half a second to import: only who asks for this provider pays.

        self._options = options
        self.longest_s = options.longest_s
        self._client = openai.AsyncOpenAI(base_url=options.base_url, api_key=options.api_key or "none", max_retries=0)
        self.capabilities = Capabilities(
            languages=frozenset(),
            local=False,
            label=f"The speech model {options.model} at a Realtime endpoint; it answers by itself and may be wrong.",
            sample_rate_hz=_RATE_HZ,
            voices=_VOICES,
            streams_in=True,
            streams_out=True,
            paid=bool(options.api_key),
            model=options.model,
        )

    @asynccontextmanager
    async def connect(self, setup: VoiceSetup) -> AsyncIterator[VoiceLink]:
        """Opens a connection. Raises ProviderError."""
        options = self._options
        manager = self._client.realtime.connect(model=options.model)
        try:
            async with asyncio.timeout(options.connect_timeout_s):
                connection = await manager.enter()
        except Exception as error:
            raise _refused(error) from None
        try:
            link = RealtimeLink(_Wire(connection), _DIALECT)
            await link.set_up(_session(options, setup), options.connect_timeout_s)
            yield link
        finally:
            await connection.close()

    async def aclose(self) -> None:
        """Closes the client."""
        await self._client.close()


class _Wire:
    """The SDK's connection (Wire). Read as bytes: building its objects costs more than all the rest."""

    def __init__(self, connection: "AsyncRealtimeConnection") -> None:
        self._connection = connection

    async def send(self, event: Json) -> None:
        """Sends an event."""
        from websockets.exceptions import ConnectionClosed

        try:
            await self._connection.send(event)  # type: ignore[arg-type]  # Made by the same rules as theirs.
        except ConnectionClosed as error:
            raise _closed(error.rcvd.code if error.rcvd else None) from None

    async def receive(self) -> bytes | None:
        """The next event, or None at the end."""
        from websockets.exceptions import ConnectionClosed, ConnectionClosedOK

        try:
            return await self._connection.recv_bytes()
        except ConnectionClosedOK:
            return None
        except ConnectionClosed as error:
            raise _closed(error.rcvd.code if error.rcvd else None) from None


def _session(options: RealtimeOptions, setup: VoiceSetup) -> Json:
    # An answer is asked for by us, whoever takes the turns: perception is the engine's, decision the conversation's.
    theirs = {"type": "semantic_vad", "create_response": False, "interrupt_response": False}
    return {
        "type": "realtime",
        "output_modalities": ["audio"],
        "audio": {
            "input": {
                "format": {"type": "audio/pcm", "rate": _RATE_HZ},
                "transcription": {
                    "model": options.transcription_model,
                    "language": setup.language.split("-")[0].lower(),
                },
                "turn_detection": theirs if setup.turn_taking == "theirs" else None,
            },
            "output": {
                "format": {"type": "audio/pcm", "rate": _RATE_HZ},
                "voice": setup.voice or _VOICES[0],
                "speed": setup.speaking_rate,
            },
        },
    }


def _instructed(instructions: str) -> Json:
    return {"type": "realtime", "instructions": instructions}


def _spoken(text: str) -> Json:
    order = f"Read this line aloud, word for word, and say nothing else:\n{text}"
    return {"conversation": "none", "input": [], "instructions": order}


_DIALECT: Final = Dialect("openai_realtime", "output_text", _instructed, _spoken)


def _refused(error: Exception) -> ProviderError:
    """Our error for theirs. Theirs is dropped: its text may hold the key."""
    from websockets.exceptions import InvalidStatus

    match error:
        case InvalidStatus() if error.response.status_code in (401, 403):
            return _failed("refused the API key; check the key and what it may use", "KEY_REFUSED")
        case InvalidStatus() if error.response.status_code == 429:
            return _failed("has no capacity or credit left for this key; wait a moment or raise the limit", "LIMITED")
        case InvalidStatus():
            return _failed(f"answered with HTTP status {error.response.status_code}; look into its log", "STATUS")
        case TimeoutError():
            return _failed("did not open a connection in time; try again", "TIMED_OUT")
        case _:
            return _failed("can't be reached; check the base URL and that it is running", "UNREACHABLE")


def _closed(code: int | None) -> ProviderError:
    how = "broke the connection" if code is None else f"closed the connection with code {code}"
    return _failed(f"{how}; try again", "CLOSED")


def _failed(problem: str, cause: str) -> ProviderError:
    return ProviderError(f"The Realtime endpoint {problem}.", metadata={"provider": "openai_realtime", "cause": cause})
