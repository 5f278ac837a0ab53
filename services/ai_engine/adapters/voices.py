"""What synthesizers of vendors have in common: voices, pace, whole samples."""

from collections.abc import Callable, Iterable

from mesh.errors import InvalidFieldError


def chosen_voice(voice: str, rate: float, known: tuple[str, ...]) -> str:
    """The voice to ask for: the first where none is named.

    Raises InvalidFieldError for one that is not known, and for a rate outside 0.5 to 1.5.
    """
    if voice and voice not in known:
        raise InvalidFieldError(f"There is no such voice; choose one of: {', '.join(known)}.", field="voice")
    if not 0.5 <= rate <= 1.5:
        raise InvalidFieldError("The speaking rate must lie between 0.5 and 1.5.", field="rate")
    return voice or known[0]


def spoken_languages(tags: Iterable[str]) -> frozenset[str]:
    """The primary subtags of the voices' languages."""
    return frozenset(tag.split("-")[0].lower() for tag in tags)


def whole_samples() -> Callable[[bytes], bytes]:
    """Gives back the whole samples of a stream of bytes, which may be cut anywhere."""
    rest = b""

    def take(given: bytes) -> bytes:
        nonlocal rest
        given = rest + given
        whole = len(given) // 2 * 2
        rest = given[whole:]
        return given[:whole]

    return take
