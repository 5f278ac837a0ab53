"""The report on a conversation, written from what was counted: without a language model, and the same every time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from services.history.domain.advice import NextStep, next_step
from services.history.domain.english import LITTLE
from services.history.domain.happenings import Happening, Said, Slip
from services.history.domain.languages import is_english
from services.history.domain.praise import Praise, praise
from services.history.domain.progress import Progress
from services.history.domain.sentences import sentence_around

_CORRECTIONS: Final = 3
_NEW_WORDS: Final = 10


@dataclass(frozen=True, slots=True)
class Report:
    """What is told of a conversation. `said` of a correction is the learner's own sentence."""

    praise: Praise
    corrections: tuple[Slip, ...]
    new_words: tuple[str, ...]
    next_step: NextStep


def write_report(
    happenings: Sequence[Happening], this: Progress, before: Progress, new_words: Sequence[str], language: str = "en"
) -> Report:
    """The report, given what was counted of this conversation and of all before it; `new_words` hardest first."""
    texts = {each.turn_id: each.content.text for each in happenings if isinstance(each.content, Said)}
    of_turn: dict[str, list[Slip]] = {}
    for each in happenings:
        if isinstance(each.content, Slip):
            of_turn.setdefault(each.turn_id, []).append(each.content)
    fragments = [slip for made in of_turn.values() for slip in made]
    slips = [_in_its_sentence(slip, made, texts.get(name, "")) for name, made in of_turn.items() for slip in made]
    return Report(
        praise=praise(this, before, len(slips)),
        corrections=tuple(_worth_most(slips)),
        new_words=tuple(_worth_keeping(new_words, language)[:_NEW_WORDS]),
        next_step=next_step(this, before, fragments),
    )


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


def _worth_keeping(new_words: Sequence[str], language: str) -> Sequence[str]:
    return [word for word in new_words if word not in LITTLE] if is_english(language) else new_words


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
