"""The settings of the vendors that hear and speak; only who is asked for reads its own."""

from dataclasses import dataclass
from typing import ClassVar

from mesh.settings import setting


@dataclass(frozen=True, slots=True)
class DeepgramSettings:
    """Read from `VIVAVOCE_AI_ENGINE_DEEPGRAM_<FIELD>`."""

    UNIT: ClassVar[str] = "ai_engine_deepgram"

    api_key: str = setting("", help="Key for Deepgram. Empty where a server of your own needs none.", secret=True)
    base_url: str = setting("wss://api.deepgram.com", help="Where Deepgram is: wss:// or ws:// and a host.")
    model: str = setting("nova-3", help="Model of `deepgram`.")
    flux_model: str = setting(
        "flux-general-en", help="Model of `deepgram_flux`; flux-general-multi knows ten languages."
    )
    voices: tuple[str, ...] = setting(("aura-2-thalia-en",), help="Voices of `deepgram`, the default first.")
    training: bool = setting(True, help="Let Deepgram learn from the sound; false may cost more.")


@dataclass(frozen=True, slots=True)
class ElevenLabsSettings:
    """Read from `VIVAVOCE_AI_ENGINE_ELEVENLABS_<FIELD>`."""

    UNIT: ClassVar[str] = "ai_engine_elevenlabs"

    api_key: str = setting("", help="Key for ElevenLabs.", secret=True)
    base_url: str = setting("https://api.elevenlabs.io", help="Where ElevenLabs is.")
    recognizer_model: str = setting("scribe_v2_realtime", help="Model that hears.")
    model: str = setting("eleven_flash_v2_5", help="Model that speaks.")
    voices: tuple[str, ...] = setting(("JBFqnCBsd6RMkjVDRZzb",), help="Ids of the voices, the default first.")


@dataclass(frozen=True, slots=True)
class AzureSpeechSettings:
    """Read from `VIVAVOCE_AI_ENGINE_AZURE_<FIELD>`."""

    UNIT: ClassVar[str] = "ai_engine_azure"

    api_key: str = setting("", help="Key of the Azure Speech resource.", secret=True)
    region: str = setting("", help="Its region, such as westeurope. Empty where host is set.")
    host: str = setting("", help="A speech container instead of a region: ws:// or wss:// and a host.")
    voices: tuple[str, ...] = setting(("en-US-AvaMultilingualNeural",), help="Voices, the default first.")
    pronunciation: bool = setting(True, help="Ask for a score of how each word was pronounced.")


@dataclass(frozen=True, slots=True)
class OpenAiSpeechSettings:
    """Read from `VIVAVOCE_AI_ENGINE_OPENAI_<FIELD>`. Base URL and key are those of the language model."""

    UNIT: ClassVar[str] = "ai_engine_openai"

    transcription_model: str = setting("gpt-4o-mini-transcribe", help="Model of `openai`, which hears whole turns.")
    realtime_transcription_model: str = setting(
        "gpt-4o-transcribe", help="Model of `openai_realtime`, which listens along."
    )
    speech_model: str = setting("gpt-4o-mini-tts", help="Model that speaks.")
    voices: tuple[str, ...] = setting(
        ("alloy", "ash", "coral", "echo", "fable", "nova", "onyx", "sage", "shimmer"),
        help="Voices, the default first.",
    )
