"""Opens Deepgram's SDK, for the providers that speak to it."""

from typing import Final
from urllib.parse import urlsplit

from deepgram import AsyncDeepgramClient
from deepgram.environment import DeepgramClientEnvironment
from deepgram.listen.v1.socket_client import AsyncV1SocketClient as Nova
from deepgram.listen.v2.socket_client import AsyncV2SocketClient as Flux
from deepgram.speak.v1.socket_client import AsyncV1SocketClient as Aura

from services.ai_engine.adapters.faults_of_vendors import Faults
from services.ai_engine.vendors import DeepgramSettings

_THEIRS: Final = "deepgram.com"
_KEY: Final = "VIVAVOCE_AI_ENGINE_DEEPGRAM_API_KEY"


def deepgram_client(settings: DeepgramSettings, faults: Faults) -> AsyncDeepgramClient:
    """A client, which connects only when it is used.

    Raises PreconditionError PROVIDER_MISSING where Deepgram's own service would be asked without a key.
    """
    host = urlsplit(settings.base_url).hostname or ""
    key = faults.setting(settings.api_key, _KEY) if host.endswith(_THEIRS) else settings.api_key or "none"
    http = settings.base_url.replace("ws", "http", 1)
    ours = DeepgramClientEnvironment(base=http, production=settings.base_url, agent=settings.base_url, agent_rest=http)
    return AsyncDeepgramClient(api_key=key, environment=ours)


def abort(socket: Nova | Flux | Aura) -> None:
    """Ends a connection at once. The SDK has no way to say that: its socket waits twenty seconds for a goodbye."""
    socket._websocket.transport.abort()  # noqa: SLF001
