"""The report on a conversation, written from what was counted: without a language model, and the same every time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from services.history.domain.happenings import Happening, Said, Slip, SlipKind
from services.history.domain.progress import Progress
from services.history.domain.sentences import sentence_around

_CORRECTIONS: Final = 3
_NEW_WORDS: Final = 10
#: A change as small as this is none.
_NOTABLE: Final = 1.1


@dataclass(frozen=True, slots=True)
class Report:
    """What is told of a conversation. `said` of a correction is the learner's own sentence."""

    praise: str
    corrections: tuple[Slip, ...]
    new_words: tuple[str, ...]
    next_step: str


def write_report(happenings: Sequence[Happening], this: Progress, before: Progress, new_words: Sequence[str]) -> Report:
    """The report, given what was counted of this conversation and of all before it; `new_words` hardest first."""
    texts = {each.turn_id: each.content.text for each in happenings if isinstance(each.content, Said)}
    of_turn: dict[str, list[Slip]] = {}
    for each in happenings:
        if isinstance(each.content, Slip):
            of_turn.setdefault(each.turn_id, []).append(each.content)
    fragments = [slip for made in of_turn.values() for slip in made]
    slips = [_in_its_sentence(slip, made, texts.get(name, "")) for name, made in of_turn.items() for slip in made]
    return Report(
        praise=_praise(this, before, len(slips)),
        corrections=tuple(_worth_most(slips)),
        new_words=tuple(new_words[:_NEW_WORDS]),
        next_step=_next_step(this, before, fragments),
    )


def _praise(this: Progress, before: Progress, slips: int) -> str:
    """The best that can truly be said."""
    turns = this.counts.turns
    if turns == 0:
        return "You listened. Next time, say something back."
    if before.counts.turns == 0:
        return f"You held your first conversation: {_turns(turns)}, {_different(this)}."
    if turns >= 5 and slips == 0:
        return f"{_turns(turns).capitalize()} and no slip was noticed."
    if this.words_per_minute >= _NOTABLE * before.words_per_minute > 0:
        now, then = this.words_per_minute, before.words_per_minute
        return f"You spoke faster than before: {now:.0f} words a minute, where it used to be {then:.0f}."
    if _per_turn(this) >= _NOTABLE * _per_turn(before):
        now, then = _per_turn(this), _per_turn(before)
        return f"You said more at a time: {now:.0f} words a turn, where it used to be {then:.0f}."
    if 0 < this.mean_response_gap_ms * _NOTABLE <= before.mean_response_gap_ms:
        return f"You answered sooner: after {this.mean_response_gap_ms / 1000:.1f} s on average."
    if this.new_words >= 3:
        return f"You used {this.new_words} words you had not used before."
    return f"You kept the talk going: {_turns(turns)}, {_different(this)}."


def _worth_most(slips: Sequence[Slip]) -> list[Slip]:
    """One of each kind first, then one of each sentence, then the others, in order; each once."""
    mended = list(dict.fromkeys(slip for slip in slips if slip.better))
    chosen: dict[Slip, None] = {}
    for slip in mended:
        if slip.kind not in {each.kind for each in chosen}:
            chosen[slip] = None
    for slip in mended:
        if slip.said not in {each.said for each in chosen}:
            chosen[slip] = None
    return list(dict.fromkeys((*chosen, *mended)))[:_CORRECTIONS]


def _in_its_sentence(slip: Slip, of_turn: Sequence[Slip], text: str) -> Slip:
    """The slip with the learner's whole sentence, and that sentence with all its slips mended, not half of them."""
    if not _stands_in(text, slip):
        return slip
    begin, after = sentence_around(text, slip.start, slip.end)
    mended = [slip]
    for other in of_turn:
        inside = other.better and _stands_in(text, other) and begin <= other.start and other.end <= after
        if inside and all(other.end <= each.start or each.end <= other.start for each in mended):
            mended.append(other)
    better = text[:after]
    for each in sorted(mended, key=lambda each: each.start, reverse=True):
        better = better[: each.start] + each.better + better[each.end :]
    return replace(slip, said=text[begin:after], better=better[begin:], start=slip.start - begin, end=slip.end - begin)


def _stands_in(text: str, slip: Slip) -> bool:
    return 0 <= slip.start < slip.end <= len(text) and text[slip.start : slip.end] == slip.said


def _next_step(this: Progress, before: Progress, slips: Sequence[Slip]) -> str:
    counts = this.counts
    if slips:
        worst = max(SlipKind, key=[slip.kind for slip in slips].count)
        better = next((slip.better for slip in slips if slip.kind is worst and slip.better), "")
        return f"Use \u201c{better}\u201d once in your next conversation." if better else _PRACTISE[worst]
    if counts.turns and _per_turn(this) < 5:
        return "Answer in whole sentences next time: say why, or ask something back."
    if counts.spoken_turns and this.talk_ratio < 0.3:
        return "Say more than the tutor next time: tell a little story."
    if this.fillers_per_hundred_words > 8:
        return "Pause in silence instead of saying \u201cum\u201d; nobody will interrupt you."
    if before.counts.turns and this.new_words == 0:
        return "Choose a role-play you have not played: it brings new words."
    return "Have another conversation tomorrow, and use what is new to you today."


_PRACTISE: Final[Mapping[SlipKind, str]] = {
    SlipKind.GRAMMAR: "Look at the grammar of your corrections before the next conversation.",
    SlipKind.VOCABULARY: "Look at the words of your corrections before the next conversation.",
    SlipKind.PRONUNCIATION: "Say the words of your corrections aloud before the next conversation.",
    SlipKind.OTHER: "Look at your corrections before the next conversation.",
}


def _per_turn(progress: Progress) -> float:
    return progress.counts.words / progress.counts.turns if progress.counts.turns else 0.0


def _turns(number: int) -> str:
    return "one turn" if number == 1 else f"{number} turns"


def _different(progress: Progress) -> str:
    return "one word" if progress.distinct_words == 1 else f"{progress.distinct_words} different words"
