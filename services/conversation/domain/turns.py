"""A spoken turn while it is open: its revisions, its transcript, and how long to wait in a pause."""

import math
from dataclasses import dataclass
from typing import Final, assert_never

from services.conversation.domain.choices import Choices, Level, Patience
from services.conversation.domain.endings import Ending
from services.conversation.domain.pauses import NO_HABIT, PauseHabit
from services.conversation.domain.replies import Reply
from services.conversation.domain.things import Word

#: What is assumed of a pause nobody has judged yet.
_UNJUDGED: Final = 0.5
#: What is left of doubt where the words are no end, however final they sound.
_OPEN_DOUBT: Final = 0.9
#: Bends doubt down where the words hand the turn over, unless the voice surely goes on.
_CLOSED_DOUBT: Final = 3.0
#: Bends the wait towards the short end: so many pauses as people bear are taken for the end, and no fewer.
_BEND: Final = 1.25
_PATIENCE: Final = {Patience.QUICK: 0.75, Patience.NORMAL: 1.0, Patience.PATIENT: 1.6}
#: Where the learner chose no patience: beginners search for words longer.
_LEVEL: Final = {
    Level.UNSPECIFIED: 1.0,
    Level.A1: 1.35,
    Level.A2: 1.2,
    Level.B1: 1.1,
    Level.B2: 1.0,
    Level.C1: 0.9,
    Level.C2: 0.9,
}


@dataclass(frozen=True, slots=True)
class Waits:
    """How long a pause lasts before it ends a turn, from the last sample of speech."""

    #: Where the turn sounds finished beyond doubt.
    shortest_s: float = 0.25
    #: Where it certainly is not, for a learner of normal patience.
    longest_s: float = 1.5
    #: Where the learner has asked for time.
    thinking_s: float = 5.0
    #: How long a turn that is over by all signs stays open at most, for an answer that can't sound yet.
    answerable_s: float = 1.0

    def after(
        self,
        probability: float | None,
        choices: Choices,
        ending: Ending = Ending.FINISHED,
        habit: PauseHabit = NO_HABIT,
    ) -> float:
        """Grows without a step as the end gets less likely, by its sound or by its words.

        Patience or level, and the learner's own pauses, stretch the uncertain part.
        """
        doubt = 1 - min(1.0, max(0.0, _UNJUDGED if probability is None else probability))
        stretch = _PATIENCE.get(choices.patience) or _LEVEL[choices.level]
        shortest_s = habit.shortest_wait_s(self.shortest_s)
        longest_s = max(shortest_s, habit.longest_wait_s(self.longest_s * stretch))
        match ending:
            case Ending.FINISHED:
                pass
            case Ending.OPEN:
                doubt = _OPEN_DOUBT + (1 - _OPEN_DOUBT) * doubt
            case Ending.CLOSED:
                doubt = math.pow(doubt, _CLOSED_DOUBT)
            case Ending.THINKING:
                return max(self.thinking_s, longest_s)
            case _:
                assert_never(ending)
        return shortest_s + (longest_s - shortest_s) * _share(doubt)


def _share(doubt: float) -> float:
    """How much of the uncertain part is waited: hardly any where the end is nearly sure, nearly all where it is not."""
    bent = math.pow(doubt, _BEND)
    return bent * bent * (3 - 2 * bent)


@dataclass(slots=True)
class Turn:
    """What the learner is saying."""

    id: str
    from_sample: int
    revision: int = 1
    #: Whether speech goes on; False in a pause.
    speaking: bool = True
    ended_sample: int = 0
    ended_at: float = 0.0
    #: When we learnt of the pause.
    noticed_at: float = 0.0
    wait_s: float = 0.0
    #: How likely this pause is the end, by its sound; None while nobody has judged it.
    probability: float | None = None
    #: What the tutor had been saying when this began; empty where the tutor was silent.
    over: str = ""
    #: Whether the client was told of this pause.
    pause_told: bool = True
    #: Set when the learner ended the turn by hand: nothing more belongs to it.
    closed_at: float | None = None
    #: Number of the last request to recognise; only its answer counts.
    hearing: int = 0
    #: Whether an answer about the words so far is awaited.
    looking: bool = False
    text: str | None = None
    #: When the text became known.
    understood_at: float = 0.0
    words: tuple[Word, ...] = ()
    #: A reply made ahead, for this very revision.
    draft: Reply | None = None
    tries: int = 0
    #: Whether the client asked for an answer, where the tutor waits to be asked.
    asked: bool = False

    def goes_on(self) -> None:
        """The pause was not the end: the same turn again, as its next revision."""
        self.revision += 1
        self.speaking = True
        self.text = None
        self.words = ()
        # An answer under way belongs to the revision before.
        self.hearing += 1
        self.looking = False

    def pauses(self, at_sample: int, at: float, now: float) -> None:
        """Speech ended for now."""
        self.speaking = False
        self.ended_sample = at_sample
        self.ended_at = at
        self.noticed_at = now
        self.wait_s = 0.0
        self.probability = None
        self.pause_told = False
        self.text = None

    @property
    def decided_at(self) -> float:
        """When the pause counts as the end."""
        return max(self.ended_at + self.wait_s, self.noticed_at) if self.closed_at is None else self.closed_at
