"""Finds the values of slots in a turn: exactly first, then by likeness of letters and sound."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from services.ai_engine.tutor.phrasing import listed
from services.ai_engine.tutor.quantities import number_at, number_words, time_at
from services.ai_engine.tutor.script import Slot, SlotValue
from services.ai_engine.tutor.sound import likeness
from services.ai_engine.tutor.words import Token, normalised

#: Longest value kept, in characters.
LONGEST_VALUE = 60

#: Words that show that somebody corrects what they said before.
CHANGES_MIND = frozenset(
    {"actually", "instead", "change", "rather", "no", "not", "sorry", "wait", "prefer", "better", "mean"}
)

_AWAITED_LIKENESS = 0.84
_LIKENESS = 0.92
_SHORTEST_FUZZY = 5
#: In longer turns chance likenesses abound, and looking for them takes long.
_MOST_WORDS_GUESSED = 40
_NEGATIONS = frozenset({"not", "no", "without"})
_WISHES = frozenset({"want", "like", "need", "take", "have", "any", "the", "a", "an", "would"})
_REPLACED = (("instead", "of"), ("rather", "than"))
_PHRASE_ENDS = frozenset(
    {"and", "but", "because", "please", "thanks", "thank", "so", "then", "what", "how", "is", "are", "it", "i", "you"}
)
_OF_THE_CLOCK = frozenset({"oclock", "am", "pm"})
#: Words before a phrase after which a name follows, whatever it is.
_NAMING = frozenset({"name", "call", "called"})
#: Words that follow "I am" without being a name or a place.
_NOT_A_PHRASE = frozenset({
    "a", "an", "the", "am", "is", "are", "was", "be", "been", "not", "no", "yes", "okay", "sorry", "sure", "fine",
    "good", "well", "great", "here", "there", "very", "so", "too", "really", "just", "from", "in", "at", "on", "to",
    "of", "for", "happy", "tired", "hungry", "ready", "late", "looking", "going", "trying", "new", "nice", "hello",
    "hi", "hey", "please", "thanks", "thank", "do", "does", "did", "can", "could", "would", "will", "shall",
    "should", "what", "where", "when", "why", "how", "who", "which", "i", "you", "we", "they", "he", "she", "it",
    "my", "your", "this", "that",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """What a turn says about slots."""

    #: Slot to value, in the order they are awaited.
    filled: dict[str, str]
    #: Slot to the value the learner turned down ("not coffee").
    declined: dict[str, str]
    #: Slots whose value is only a likely mishearing.
    guessed: frozenset[str]


def find(slots: Iterable[Slot], spoken: tuple[Token, ...], text: str, awaited: str) -> Found:
    """Looks for each slot; `slots` in order of preference, for values that several of them know.

    Phrases come last: they take anything, so they get what nothing else knows.
    """
    words = [token.word for token in spoken]
    taken: set[int] = set()
    filled: dict[str, str] = {}
    declined: dict[str, str] = {}
    guessed: set[str] = set()
    for slot in sorted(slots, key=lambda one: one.kind == "phrase"):
        match slot.kind:
            case "list":
                if _find_listed(slot, words, taken, filled, declined, awaited=slot.id == awaited):
                    guessed.add(slot.id)
            case "number":
                _keep(slot, _number(slot, words, awaited=slot.id == awaited), filled, taken)
            case "time":
                _keep(slot, _time(slot, words, awaited=slot.id == awaited), filled, taken)
            case "phrase":
                _keep(slot, _phrase(slot, spoken, text, awaited=slot.id == awaited), filled, taken)
    return Found(filled, declined, frozenset(guessed))


@dataclass(frozen=True, slots=True)
class _Span:
    value: str
    start: int
    end: int


def _keep(slot: Slot, span: _Span | None, filled: dict[str, str], taken: set[int]) -> None:
    if span is not None and taken.isdisjoint(range(span.start, span.end)):
        filled[slot.id] = span.value[:LONGEST_VALUE]
        taken.update(range(span.start, span.end))


def _find_listed(
    slot: Slot, words: list[str], taken: set[int], filled: dict[str, str], declined: dict[str, str], *, awaited: bool
) -> bool:
    """Whether only a likely mishearing was found."""
    spans = [span for span in _exact(slot.values, words) if taken.isdisjoint(range(span.start, span.end))]
    guessing = not spans and len(words) <= _MOST_WORDS_GUESSED
    if guessing:
        near = _near(slot.values, words, awaited=awaited)
        spans = [near] if near is not None and taken.isdisjoint(range(near.start, near.end)) else []
    wanted: list[_Span] = []
    for span in spans:
        taken.update(range(span.start, span.end))
        if _negated(words, span.start):
            declined[slot.id] = span.value
        elif slot.several and wanted and CHANGES_MIND.isdisjoint(words[wanted[-1].end : span.start]):
            wanted.append(span)
        else:
            # The last one said counts: people correct themselves that way round.
            wanted = [span]
    if wanted:
        filled[slot.id] = listed(tuple(dict.fromkeys(span.value for span in wanted)))
    return guessing and bool(wanted)


def _exact(values: tuple[SlotValue, ...], words: list[str]) -> list[_Span]:
    """All values said word for word, the longest winning where they overlap, in spoken order."""
    spans: list[_Span] = []
    for value in values:
        for surface in value.heard:
            sequence = normalised(surface).split()
            spans.extend(
                _Span(value.name, index, index + len(sequence))
                for index in range(len(words) - len(sequence) + 1)
                if sequence and _same(words[index : index + len(sequence)], sequence)
            )
    kept: list[_Span] = []
    for span in sorted(spans, key=lambda one: (one.start - one.end, one.start)):
        if all(span.end <= other.start or other.end <= span.start for other in kept):
            kept.append(span)
    return sorted(kept, key=lambda one: one.start)


def _same(said: Sequence[str], meant: Sequence[str]) -> bool:
    return list(said[:-1]) == list(meant[:-1]) and said[-1] in (meant[-1], f"{meant[-1]}s", f"{meant[-1]}es")


def _near(values: tuple[SlotValue, ...], words: list[str], *, awaited: bool) -> _Span | None:
    """The likeliest misheard value, or None."""
    least = _AWAITED_LIKENESS if awaited else _LIKENESS
    best: tuple[float, _Span] | None = None
    for value in values:
        for surface in value.heard:
            meant = normalised(surface)
            if len(meant.replace(" ", "")) < _SHORTEST_FUZZY:
                continue
            size = meant.count(" ") + 1
            for length in range(max(1, size - 1), size + 3):
                for index in range(len(words) - length + 1):
                    score = likeness(" ".join(words[index : index + length]), meant, by_sound=awaited)
                    if score >= least and (best is None or score > best[0]):
                        best = score, _Span(value.name, index, index + length)
    return best[1] if best is not None else None


def _negated(words: list[str], start: int) -> bool:
    if any(tuple(words[max(0, start - 2) : start]) == pair for pair in _REPLACED):
        return True
    before = words[max(0, start - 3) : start]
    while before and before[-1] in _WISHES:
        before.pop()
    return bool(before) and before[-1] in _NEGATIONS and (before[-1] != "no" or before == words[start - 1 : start])


def _number(slot: Slot, words: list[str], *, awaited: bool) -> _Span | None:
    units = frozenset(slot.units)
    for generous in (False, True):
        # A sound-alike counts where it stands closest to its unit ("for to nights").
        for index in sorted(range(len(words)), reverse=generous):
            number = number_at(words, index, generous=generous)
            if number is not None and any(word in units for word in words[number[1] : number[1] + 2]):
                return _Span(number_words(number[0]), index, number[1])
    for index in range(len(words)) if awaited else ():
        number = number_at(words, index, generous=len(words) <= 2)
        if number is not None and not _OF_THE_CLOCK.intersection(words[number[1] : number[1] + 1]):
            return _Span(number_words(number[0]), index, number[1])
    return None


def _time(slot: Slot, words: list[str], *, awaited: bool) -> _Span | None:
    for index in range(len(words)):
        time = time_at(words, index)
        if time is None:
            continue
        marked = index > 0 and words[index - 1] in (*slot.units, "at", "until", "till", "around", "about", "by")
        telling = any(sign in f" {time[0]} " for sign in (":", " am ", " pm ", "o'clock", " past ", "quarter to"))
        if awaited or marked or telling:
            return _Span(time[0], index, time[1])
    return None


def _phrase(slot: Slot, spoken: tuple[Token, ...], text: str, *, awaited: bool) -> _Span | None:
    words = [token.word for token in spoken]
    for after in slot.after:
        sequence = normalised(after).split()
        for index in range(len(words) - len(sequence)):
            if words[index : index + len(sequence)] == sequence:
                named = not _NAMING.isdisjoint(sequence)
                span = _phrase_from(slot, spoken, text, index + len(sequence), sure=named)
                if span is not None:
                    return span
    if awaited and 0 < len(words) <= slot.most_words:
        return _phrase_from(slot, spoken, text, 0, sure=False)
    return None


def _phrase_from(slot: Slot, spoken: tuple[Token, ...], text: str, start: int, *, sure: bool) -> _Span | None:
    if spoken[start].word.isdecimal() or (not sure and spoken[start].word in _NOT_A_PHRASE):
        return None
    end = start
    while (
        end < len(spoken)
        and end - start < slot.most_words
        and spoken[end].part == spoken[start].part
        and spoken[end].word not in _PHRASE_ENDS
    ):
        end += 1
    if end == start:
        return None
    said = text[spoken[start].start : spoken[end - 1].end].strip()
    return _Span(said[:1].upper() + said[1:], start, end)
