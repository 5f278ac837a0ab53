"""Azure Voice Live, which hears and answers with Azure's voices and word times, through Azure's own SDK."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from mesh.errors import ProviderError
from services.ai_engine.adapters.realtime import Dialect, Json, RealtimeLink
from services.ai_engine.domain.roles import Capabilities
from services.ai_engine.domain.voice import VoiceLink, VoiceSetup

if TYPE_CHECKING:
    from azure.ai.voicelive.aio import VoiceLiveConnection

_RATE_HZ: Final = 24_000
#: What closing a connection may take.
_CLOSE_S: Final = 1.0
_OPENAI_VOICES: Final = frozenset({"alloy", "ash", "ballad", "coral", "echo", "sage", "shimmer", "verse"})


@dataclass(frozen=True, slots=True)
class VoiceLiveOptions:
    """Where the service is, and how long it may take."""

    #: Such as https://<resource>.services.ai.azure.com.
    endpoint: str
    model: str
    api_key: str
    #: Azure's or OpenAI's, the default first.
    voices: tuple[str, ...]
    #: Until the connection stands and its settings are taken.
    connect_timeout_s: float = 2.5
    #: Azure ends a session after an hour.
    longest_s: float = 3600.0


class AzureVoiceLive:
    """A model that hears and answers (SpeechToSpeech). Close it with `aclose` when no longer needed."""

    name = "azure_voice_live"

    def __init__(self, options: VoiceLiveOptions) -> None:
        """Raises ProviderError PROVIDER_MISSING where the extra `azure` is not installed."""
        try:
            import azure.ai.voicelive.aio  # noqa: F401  # Slow to import: only who asks for this provider pays.
        except ImportError as error:
            raise ProviderError(
                "Azure Voice Live needs an extra package; run `pip install 'vivavoce[azure]'`.",
                reason="PROVIDER_MISSING",
            ) from error
        self._options = options
        self.longest_s = options.longest_s
        self._late: set[asyncio.Task[None]] = set()
        self.capabilities = Capabilities(
            languages=frozenset(),
            local=False,
            label=f"Azure Voice Live with {options.model}; it answers by itself and may be wrong.",
            sample_rate_hz=_RATE_HZ,
            word_times=True,
            voices=options.voices,
            streams_in=True,
            streams_out=True,
            paid=True,
            model=options.model,
        )

    @asynccontextmanager
    async def connect(self, setup: VoiceSetup) -> AsyncIterator[VoiceLink]:
        """Opens a connection. Raises ProviderError."""
        from azure.ai.voicelive.aio import connect
        from azure.core.credentials import AzureKeyCredential

        options = self._options
        manager = connect(
            credential=AzureKeyCredential(options.api_key),
            endpoint=options.endpoint,
            model=options.model,
            connection_options={"close_timeout": _CLOSE_S},
        )
        opening = asyncio.create_task(manager.__aenter__(), name="opening Voice Live")
        try:
            await asyncio.wait((opening,), timeout=options.connect_timeout_s)
        finally:
            if not opening.done():
                self._let_go(opening)
        if not opening.done():
            raise _failed("did not open a connection in time; try again", "TIMED_OUT")
        try:
            connection = opening.result()
        except Exception as error:
            raise _refused(error) from None
        try:
            link = RealtimeLink(_Wire(connection), _DIALECT)
            await link.set_up(_session(options, setup), options.connect_timeout_s)
            yield link
        finally:
            self._let_go(opening)

    async def aclose(self) -> None:
        """Waits until what was let go is closed, and for what is still being opened no longer than that takes."""
        if self._late:
            _, late = await asyncio.wait(self._late, timeout=2 * _CLOSE_S)
            for each in late:
                each.cancel()

    def _let_go(self, opening: "asyncio.Task[VoiceLiveConnection]") -> None:
        """Closes a connection as soon as it is there, in a task of its own: cancelled, the SDK would leave it open."""

        async def close() -> None:
            with suppress(Exception):
                await (await opening).close()

        late = asyncio.create_task(close(), name="closing Voice Live")
        self._late.add(late)
        late.add_done_callback(self._late.discard)


class _Wire:
    """The SDK's connection (Wire)."""

    def __init__(self, connection: "VoiceLiveConnection") -> None:
        self._connection = connection

    async def send(self, event: Json) -> None:
        """Sends an event."""
        from azure.ai.voicelive.aio import ConnectionError as Broken

        try:
            await self._connection.send(event)
        except Broken:
            raise _failed("closed the connection; try again", "CLOSED") from None

    async def receive(self) -> bytes | None:
        """The next event, or None at the end."""
        from azure.ai.voicelive.aio import ConnectionClosed
        from azure.ai.voicelive.aio import ConnectionError as Broken

        try:
            return await self._connection.recv_bytes() or None
        except ConnectionClosed as error:
            if error.code == 1000:
                return None
            raise _failed(f"closed the connection with code {error.code}; try again", "CLOSED") from None
        except Broken:
            raise _failed("broke the connection; try again", "CLOSED") from None


def _session(options: VoiceLiveOptions, setup: VoiceSetup) -> Json:
    # An answer is asked for by us, whoever takes the turns. Fillers stay: they are the learner's own words.
    theirs = {
        "type": "azure_semantic_vad",
        "create_response": False,
        "interrupt_response": False,
        "remove_filler_words": False,
    }
    return {
        "modalities": ["text", "audio"],
        "voice": _voice(setup.voice or options.voices[0], setup.speaking_rate),
        "input_audio_format": "pcm16",
        "output_audio_format": "pcm16",
        "input_audio_sampling_rate": _RATE_HZ,
        "input_audio_transcription": {"model": "azure-speech", "language": setup.language},
        "turn_detection": theirs if setup.turn_taking == "theirs" else None,
        "output_audio_timestamp_types": ["word"],
    }


def _voice(name: str, speaking_rate: float) -> Json:
    if name in _OPENAI_VOICES:
        return {"type": "openai", "name": name}
    return {"type": "azure-standard", "name": name, "rate": f"{speaking_rate:g}"}


def _instructed(instructions: str) -> Json:
    return {"instructions": instructions}


def _spoken(text: str) -> Json:
    line = {"type": "message", "role": "assistant", "content": [{"type": "text", "text": text}]}
    return {"commit": False, "pre_generated_assistant_message": line}


_DIALECT: Final = Dialect("azure_voice_live", "text", _instructed, _spoken)


def _refused(error: Exception) -> ProviderError:
    """Our error for theirs. Theirs is dropped: its text may hold what was sent."""
    status = getattr(error.__cause__, "status", None)
    match status:
        case 401 | 403:
            return _failed("refused the key; check the key and the endpoint", "KEY_REFUSED")
        case 404:
            return _failed("does not know the endpoint or the model; check both", "NOT_FOUND")
        case 429:
            return _failed("takes no more connections for this key; wait a moment or raise the quota", "LIMITED")
        case int():
            return _failed(f"answered with HTTP status {status}; look at its status page", "STATUS")
        case _:
            return _failed("can't be reached; check the endpoint and the network", "UNREACHABLE")


def _failed(problem: str, cause: str) -> ProviderError:
    return ProviderError(f"Azure Voice Live {problem}.", metadata={"provider": "azure_voice_live", "cause": cause})
