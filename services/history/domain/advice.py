"""The one next step a report advises, and how it is said in English."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from services.history.domain.happenings import Slip, SlipKind
from services.history.domain.praise import words_a_turn
from services.history.domain.progress import Progress


class Advice(Enum):
    """What to do next, as it is said; `{phrase}` is what to say in place of a slip."""

    USE = "Use \u201c{phrase}\u201d once in your next conversation."
    GRAMMAR = "Look at the grammar of your corrections before the next conversation."
    VOCABULARY = "Look at the words of your corrections before the next conversation."
    PRONUNCIATION = "Say the words of your corrections aloud before the next conversation."
    CORRECTIONS = "Look at your corrections before the next conversation."
    SENTENCES = "Answer in whole sentences next time: say why, or ask something back."
    TELL = "Say more than the tutor next time: tell a little story."
    SILENCE = "Pause in silence instead of saying \u201cum\u201d; nobody will interrupt you."
    ROLE_PLAY = "Choose a role-play you have not played: it brings new words."
    TOMORROW = "Have another conversation tomorrow, and use what is new to you today."


@dataclass(frozen=True, slots=True)
class NextStep:
    """What to do next; `phrase` is empty where none is to be used."""

    advice: Advice
    phrase: str = ""

    def __str__(self) -> str:
        """The step in a sentence."""
        return self.advice.value.format(phrase=self.phrase)


def next_step(this: Progress, before: Progress, slips: Sequence[Slip]) -> NextStep:
    """What helps most after a conversation with these slips, given what was counted before it."""
    counts = this.counts
    if slips:
        return _mending(slips)
    if counts.turns and words_a_turn(this) < 5:
        return NextStep(Advice.SENTENCES)
    if counts.spoken_turns and this.talk_ratio < 0.3:
        return NextStep(Advice.TELL)
    if this.fillers_per_hundred_words > 8:
        return NextStep(Advice.SILENCE)
    if before.counts.turns and this.new_words == 0:
        return NextStep(Advice.ROLE_PLAY)
    return NextStep(Advice.TOMORROW)


def _mending(slips: Sequence[Slip]) -> NextStep:
    worst = max(SlipKind, key=[slip.kind for slip in slips].count)
    better = next((slip.better for slip in slips if slip.kind is worst and slip.better), "")
    return NextStep(Advice.USE, better) if better else NextStep(_LOOK_AT[worst])


_LOOK_AT: Final[Mapping[SlipKind, Advice]] = {
    SlipKind.GRAMMAR: Advice.GRAMMAR,
    SlipKind.VOCABULARY: Advice.VOCABULARY,
    SlipKind.PRONUNCIATION: Advice.PRONUNCIATION,
    SlipKind.OTHER: Advice.CORRECTIONS,
}
