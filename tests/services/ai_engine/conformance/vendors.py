"""Every recogniser and synthesizer of a vendor, each with the emulator that it speaks to."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

from services.ai_engine.domain.roles import StreamingRecognizer, StreamingSynthesizer, Synthesizer
from services.ai_engine.providers.deepgram import DeepgramRecognizer
from services.ai_engine.providers.deepgram_aura import AuraSynthesizer
from services.ai_engine.providers.deepgram_flux import FluxRecognizer
from services.ai_engine.vendors import DeepgramSettings
from tests.emulators.deepgram import DeepgramEmulator
from tests.emulators.sockets import SocketEmulator, running

P = TypeVar("P", covariant=True)
KEY = "key-1"


@dataclass(frozen=True, slots=True)
class Pair(Generic[P]):
    """A provider and the emulator it speaks to."""

    provider: P
    emulator: SocketEmulator


Opens = Callable[[], AbstractAsyncContextManager[Pair[P]]]


def _deepgram(url: str) -> DeepgramSettings:
    return DeepgramSettings(api_key=KEY, base_url=url, voices=("aura-2-thalia-en", "aura-2-orion-en"))


@asynccontextmanager
async def _nova() -> AsyncIterator[Pair[StreamingRecognizer]]:
    async with running(DeepgramEmulator()) as emulator:
        yield Pair(DeepgramRecognizer(_deepgram(emulator.url)), emulator)


@asynccontextmanager
async def _flux() -> AsyncIterator[Pair[StreamingRecognizer]]:
    async with running(DeepgramEmulator()) as emulator:
        yield Pair(FluxRecognizer(_deepgram(emulator.url)), emulator)


@asynccontextmanager
async def _aura() -> AsyncIterator[Pair[StreamingSynthesizer]]:
    async with running(DeepgramEmulator()) as emulator:
        yield Pair(AuraSynthesizer(_deepgram(emulator.url)), emulator)


RECOGNIZERS: dict[str, Opens[StreamingRecognizer]] = {"deepgram": _nova, "deepgram_flux": _flux}
#: Those that speak a whole reply over one connection.
VOICES: dict[str, Opens[StreamingSynthesizer]] = {"deepgram": _aura}
SYNTHESIZERS: dict[str, Opens[Synthesizer]] = {**VOICES}
