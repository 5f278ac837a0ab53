"""What languages are called in prompts."""

from typing import Final

_NAMES: Final = {
    "ar": "Arabic", "de": "German", "en": "English", "es": "Spanish", "fr": "French", "hi": "Hindi", "it": "Italian",
    "ja": "Japanese", "ko": "Korean", "nl": "Dutch", "pl": "Polish", "pt": "Portuguese", "ru": "Russian",
    "tr": "Turkish", "uk": "Ukrainian", "zh": "Chinese",
}  # fmt: skip


def language_name(code: str) -> str:
    """The name by a BCP 47 code; where it is not known, what a model makes sense of."""
    plain = "".join(each for each in code if each.isalnum() or each == "-")[:35]
    return _NAMES.get(plain.partition("-")[0].lower(), f"the language with the code {plain}")
