"""An engine's other half for scripted conversations: answers every turn, at the pace of the local engines."""

from collections.abc import Callable
from typing import Final

from cli.simulation.chance import Paces
from cli.simulation.clock import VirtualClock
from mesh.audio import SPEECH_HZ
from services.conversation.domain import events
from services.conversation.domain.commands import Respond, Speak
from services.conversation.domain.things import Word

_OPENER: Final = "Good morning and welcome to the corner café, what would you like to drink today?"
_ANSWERS: Final = (
    "That sounds lovely, I will bring it to you in a minute, and would you like something to eat?",
    "Of course, we have fresh cake and sandwiches this morning, which of them may I bring to your table?",
    "I see, that is what most of our guests say, so tell me how you found our little place?",
    "Very good, then that is five pounds altogether, would you like to pay by card or in cash?",
)
_WORD_SAMPLES: Final = int(0.34 * SPEECH_HZ)
#: Loud from its first sample, so that a clock that waits for sound stops at it.
_LOUD: Final = b"\x00\x20"
#: Words in one piece of sound, and how much faster than real time the pieces are made.
_PIECE_WORDS: Final = 2
_FASTER: Final = 5.0


class Tutor:
    """Makes replies; tells of them by `hear`."""

    def __init__(self, clock: VirtualClock, paces: Paces, hear: Callable[[events.Event], None]) -> None:
        self._clock = clock
        self._paces = paces
        self._hear = hear
        self._answers = 0
        self._cancelled: set[str] = set()
        self._texts: dict[str, str] = {}

    def respond(self, asked: Respond) -> None:
        """Answers a turn, or opens the talk."""
        text = _OPENER
        if asked.turn_id:
            text = _ANSWERS[self._answers % len(_ANSWERS)]
            self._answers += 1
        self._make(asked.reply_id, text, 1.0)

    def speak(self, asked: Speak) -> None:
        """Speaks a given text."""
        self._make(asked.reply_id, asked.text, asked.speaking_rate or 1.0)

    def cancel(self, reply_id: str) -> None:
        """Makes no more of it."""
        self._cancelled.add(reply_id)

    def sounding(self, reply_id: str, from_sample: int, to_sample: int) -> str:
        """The words of a reply that sound as a whole between two of its samples."""
        words = self._texts.get(reply_id, "").split()
        return " ".join(words[-(-from_sample // _WORD_SAMPLES) : to_sample // _WORD_SAMPLES])

    def _make(self, reply_id: str, text: str, rate: float) -> None:
        self._texts[reply_id] = text
        self._tell(self._paces.text_s, reply_id, events.ReplyTextMade(reply_id, text))
        each = int(_WORD_SAMPLES / rate)
        words = text.split()
        made_s = self._paces.text_s + self._paces.sound_s
        for first in range(0, len(words), _PIECE_WORDS):
            piece = words[first : first + _PIECE_WORDS]
            times = tuple(Word(word, (first + n) * each, (first + n + 1) * each) for n, word in enumerate(piece))
            sound = events.ReplyAudioMade(reply_id, first * each, _LOUD * (each * len(piece)), times)
            self._tell(made_s, reply_id, sound)
            made_s += each * len(piece) / SPEECH_HZ / _FASTER
        self._tell(made_s, reply_id, events.ReplyMade(reply_id, events.MadeEnd.COMPLETE))

    def _tell(self, after_s: float, reply_id: str, event: events.Event) -> None:
        self._clock.after(after_s, lambda: None if reply_id in self._cancelled else self._hear(event))
