"""What a report praises: the best that can truly be said, with its numbers, and how it is said in English."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, assert_never

from services.history.domain.progress import Progress

#: A change as small as this is none.
_NOTABLE: Final = 1.1


class PraiseTopic(Enum):
    """What is praised."""

    LISTENED = auto()
    FIRST_TALK = auto()
    NO_SLIP = auto()
    PACE = auto()
    LENGTH = auto()
    PROMPTNESS = auto()
    NEW_WORDS = auto()
    KEPT_GOING = auto()


@dataclass(frozen=True, slots=True)
class Praise:
    """What is praised, and the numbers that bear it out."""

    topic: PraiseTopic
    turns: int
    distinct_words: int
    new_words: int
    #: What became better: words a minute, words a turn, or milliseconds until the answer. 0 where nothing is compared.
    now: float = 0.0
    before: float = 0.0

    def __str__(self) -> str:
        """The praise in a sentence."""
        match self.topic:
            case PraiseTopic.LISTENED:
                return "You listened. Next time, say something back."
            case PraiseTopic.FIRST_TALK:
                return f"You held your first conversation: {self._turns}, {self._different}."
            case PraiseTopic.NO_SLIP:
                return f"{self._turns} and no slip was noticed."
            case PraiseTopic.PACE:
                now, before = self.now, self.before
                return f"You spoke faster than before: {now:.0f} words a minute, where it used to be {before:.0f}."
            case PraiseTopic.LENGTH:
                now, before = self.now, self.before
                return f"You said more at a time: {now:.0f} words a turn, where it used to be {before:.0f}."
            case PraiseTopic.PROMPTNESS:
                return f"You answered sooner: after {self.now / 1000:.1f} s on average."
            case PraiseTopic.NEW_WORDS:
                return f"You used {self.new_words} words you had not used before."
            case PraiseTopic.KEPT_GOING:
                return f"You kept the talk going: {self._turns}, {self._different}."
            case _:
                assert_never(self.topic)

    @property
    def _turns(self) -> str:
        return "one turn" if self.turns == 1 else f"{self.turns} turns"

    @property
    def _different(self) -> str:
        return "one word" if self.distinct_words == 1 else f"{self.distinct_words} different words"


def praise(this: Progress, before: Progress, slips: int) -> Praise:
    """The best that can truly be said of a conversation with so many slips, given what was counted before it."""

    def of(topic: PraiseTopic, now: float = 0.0, then: float = 0.0) -> Praise:
        return Praise(topic, this.counts.turns, this.distinct_words, this.new_words, now, then)

    pace, pace_before = this.words_per_minute, before.words_per_minute
    length, length_before = words_a_turn(this), words_a_turn(before)
    gap_ms, gap_before_ms = this.mean_response_gap_ms, before.mean_response_gap_ms
    if this.counts.turns == 0:
        return of(PraiseTopic.LISTENED)
    if before.counts.turns == 0:
        return of(PraiseTopic.FIRST_TALK)
    if this.counts.turns >= 5 and slips == 0:
        return of(PraiseTopic.NO_SLIP)
    if pace >= _NOTABLE * pace_before > 0:
        return of(PraiseTopic.PACE, pace, pace_before)
    if length >= _NOTABLE * length_before:
        return of(PraiseTopic.LENGTH, length, length_before)
    if 0 < gap_ms * _NOTABLE <= gap_before_ms:
        return of(PraiseTopic.PROMPTNESS, gap_ms, gap_before_ms)
    if this.new_words >= 3:
        return of(PraiseTopic.NEW_WORDS)
    return of(PraiseTopic.KEPT_GOING)


def words_a_turn(progress: Progress) -> float:
    """How much was said at a time."""
    return progress.counts.words / progress.counts.turns if progress.counts.turns else 0.0
