"""What the tutor says to a learner who has said nothing for a while."""

from typing import Final

#: By language; the first after the first silence, the next after the next. Then the tutor waits.
_NUDGES: Final = {
    "en": ("Take your time. Shall I say that again?", "I am still here. Say anything you like."),
    "de": ("Lass dir Zeit. Soll ich das noch einmal sagen?", "Ich bin noch da. Sag einfach, was du möchtest."),
    "fr": ("Prends ton temps. Je répète ?", "Je suis toujours là. Dis ce que tu veux."),
    "es": ("Tómate tu tiempo. ¿Lo repito?", "Sigo aquí. Di lo que quieras."),
    "it": ("Fai con calma. Lo ripeto?", "Sono ancora qui. Di' quello che vuoi."),
}


def nudge(language: str, before: int) -> str:
    """The nudge after `before` others in a row; empty where enough was said, or nothing is known in the language."""
    lines = _NUDGES.get(language.partition("-")[0].lower() or "en", ())
    return lines[before] if before < len(lines) else ""
