"""Opens OpenAI's SDK, for the providers that hear and speak with it."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import openai
from openai.resources.realtime.realtime import AsyncRealtimeConnection

from services.ai_engine.adapters.faults_of_vendors import Faults
from services.ai_engine.adapters.reading import ANSWER_S, CONNECT_S

_THEIRS: Final = "openai.com"
_KEY: Final = "VIVAVOCE_AI_ENGINE_OPENAI_API_KEY"

#: As platform.openai.com lists them for speech to text.
OPENAI_LANGUAGES: Final = frozenset(
    {
        *("af", "ar", "az", "be", "bg", "bs", "ca", "cs", "cy", "da", "de", "el", "en", "es", "et", "fa", "fi", "fr"),
        *("gl", "he", "hi", "hr", "hu", "hy", "id", "is", "it", "ja", "kk", "kn", "ko", "lt", "lv", "mi", "mk", "mr"),
        *("ms", "ne", "nl", "no", "pl", "pt", "ro", "ru", "sk", "sl", "sr", "sv", "sw", "ta", "th", "tl", "tr", "uk"),
        *("ur", "vi", "zh"),
    }
)
#: The models tidy up what they hear; asked not to, they do so less.
VERBATIM: Final = "A language learner speaks. Write exactly what is said, with every mistake, repetition and um."


@dataclass(frozen=True, slots=True)
class OpenAiAccess:
    """Where the endpoint is, and the key; empty where it asks for none."""

    base_url: str
    api_key: str = ""


def openai_client(access: OpenAiAccess, faults: Faults) -> openai.AsyncOpenAI:
    """A client, which connects when it is used and keeps connections warm.

    Raises PreconditionError PROVIDER_MISSING where OpenAI's own service would be asked without a key.
    """
    host = urlsplit(access.base_url).hostname or ""
    key = faults.setting(access.api_key, _KEY) if host.endswith(_THEIRS) else access.api_key or "none"
    # A retry would come after the learner has stopped waiting; the engine decides what to do instead.
    return openai.AsyncOpenAI(
        base_url=access.base_url,
        api_key=key,
        max_retries=0,
        timeout=openai.Timeout(ANSWER_S, connect=CONNECT_S),
    )


def abort(socket: AsyncRealtimeConnection) -> None:
    """Ends a connection at once. The SDK has no way to say that: its socket waits ten seconds for a goodbye."""
    socket._connection.transport.abort()  # noqa: SLF001
