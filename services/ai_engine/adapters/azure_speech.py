"""Opens Azure's Speech SDK, for the providers that speak to it. Its calls block, and it calls back from own threads."""

from typing import Final

from azure.cognitiveservices.speech import CancellationErrorCode, SpeechConfig

from mesh.errors import ProviderError
from services.ai_engine.adapters.faults_of_vendors import Faults
from services.ai_engine.vendors import AzureSpeechSettings

#: Azure counts time in these.
TICKS_PER_S: Final = 10_000_000
_KEY: Final = "VIVAVOCE_AI_ENGINE_AZURE_API_KEY"
_PLACE: Final = "VIVAVOCE_AI_ENGINE_AZURE_REGION or VIVAVOCE_AI_ENGINE_AZURE_HOST"
#: Azure knows locales; a language alone means the one most people learn.
_LOCALES: Final = {
    "ar": "ar-EG", "cs": "cs-CZ", "da": "da-DK", "de": "de-DE", "el": "el-GR", "en": "en-US", "es": "es-ES",
    "fi": "fi-FI", "fr": "fr-FR", "he": "he-IL", "hi": "hi-IN", "hu": "hu-HU", "id": "id-ID", "it": "it-IT",
    "ja": "ja-JP", "ko": "ko-KR", "nb": "nb-NO", "nl": "nl-NL", "no": "nb-NO", "pl": "pl-PL", "pt": "pt-BR",
    "ro": "ro-RO", "ru": "ru-RU", "sv": "sv-SE", "th": "th-TH", "tr": "tr-TR", "uk": "uk-UA", "vi": "vi-VN",
    "zh": "zh-CN",
}  # fmt: skip
LANGUAGES: Final = frozenset(_LOCALES)


def locale_of(language: str) -> str:
    """The locale to ask for."""
    return language if "-" in language else _LOCALES[language.lower()]


def speech_config(settings: AzureSpeechSettings, faults: Faults) -> SpeechConfig:
    """Where Azure Speech is, and the key.

    Raises PreconditionError PROVIDER_MISSING where a setting is missing.
    """
    if settings.host:
        return SpeechConfig(host=settings.host, subscription=settings.api_key or "none")
    key, region = faults.setting(settings.api_key, _KEY), faults.setting(settings.region, _PLACE)
    return SpeechConfig(subscription=key, region=region)


def error_of(code: CancellationErrorCode, faults: Faults, *, begun: bool) -> ProviderError:
    """Our error for theirs. What Azure wrote about it is dropped: it may hold what was said."""
    match code:
        case CancellationErrorCode.AuthenticationFailure | CancellationErrorCode.Forbidden:
            return faults.status(401)
        case CancellationErrorCode.TooManyRequests:
            return faults.status(429)
        case CancellationErrorCode.BadRequest:
            return faults.status(400)
        case CancellationErrorCode.ServiceTimeout:
            return faults.timed_out()
        case CancellationErrorCode.ConnectionFailure:
            return faults.cut_off() if begun else faults.unreachable()
        case CancellationErrorCode.ServiceError | CancellationErrorCode.ServiceUnavailable:
            return faults.status(500)
        case _:
            return faults.broken()
