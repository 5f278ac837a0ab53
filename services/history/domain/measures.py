"""What is counted of a conversation, a quarter of an hour at a time; counts of two quarters add up to those of both."""

import operator
import re
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple

from services.history.domain.happenings import Happening, Heard, Said, Slip, SlipKind
from services.history.domain.histogram import one_wait
from services.history.domain.words import words

#: Every time zone of today begins its days on a quarter of an hour.
QUARTER_US: Final = 15 * 60 * 1_000_000
#: Silence between two words that is a pause.
_PAUSE_MS: Final = 250
#: A learner who answers later than this was away, not thinking.
_LONGEST_GAP_US: Final = 60 * 1_000_000

_FILLERS: Final = frozenset({"um", "uhm", "uh", "er", "erm", "hmm", "mm", "ehm", "äh", "ähm", "euh"})
_MARKED_REPAIR: Final = re.compile(r"\b(?:i mean|no,? wait|or rather|sorry,? i meant|let me rephrase)\b")
#: Words that are doubled on purpose, or by grammar.
_DOUBLED: Final = frozenset({"very", "no", "yes", "bye", "that", "had", "so", "really", "ha", "well", "there", "now"})


class Counts(NamedTuple):
    """Numbers that add up."""

    turns: int = 0
    spoken_turns: int = 0
    spoken_ms: int = 0
    words: int = 0
    #: Words of spoken turns: those that have a pace.
    spoken_words: int = 0
    pauses: int = 0
    pause_ms: int = 0
    fillers: int = 0
    #: Turns in which the learner mended what they were saying.
    repairs: int = 0
    replies: int = 0
    heard_ms: int = 0
    interruptions: int = 0
    #: Turns that answered a reply within a minute, and how long they took to begin.
    gaps: int = 0
    gap_ms: int = 0
    grammar_slips: int = 0
    vocabulary_slips: int = 0
    pronunciation_slips: int = 0
    other_slips: int = 0
    #: The newest is the last: what was packed without it reads as none of it.
    cost_micros: int = 0


NOTHING: Final = Counts()
#: Bytes of one number where all stand side by side.
_LANE: Final = 8


def packed(counts: Counts) -> int:
    """The numbers side by side in one integer, so that adding two of those adds them all."""
    return int.from_bytes(struct.pack(_LANES, *counts), "little")


def unpacked(lanes: int) -> Counts:
    """The numbers that stand side by side in an integer."""
    return Counts._make(struct.unpack(_LANES, lanes.to_bytes(_LANE * len(Counts._fields), "little")))


_LANES: Final = f"<{len(Counts._fields)}Q"


@dataclass(frozen=True, slots=True)
class Measures:
    """What is known of a stretch of talk."""

    counts: Counts = NOTHING
    #: How long replies were waited for: see `histogram`.
    waits: int = 0
    #: The words said, a bit for each by its number in the learner's vocabulary.
    vocabulary: int = 0

    def __add__(self, other: "Measures") -> "Measures":
        """Those of both stretches."""
        return Measures(
            Counts(*map(operator.add, self.counts, other.counts)),
            self.waits + other.waits,
            self.vocabulary | other.vocabulary,
        )


@dataclass(frozen=True, slots=True, order=True)
class Quarter:
    """A quarter of an hour of a conversation: when it begins, and which."""

    start_us: int
    conversation_id: str


def count(happenings: Iterable[Happening], heard_until: Mapping[str, int]) -> dict[Quarter, Measures]:
    """Counts what happened, in order within each conversation; words are not in it, they need their numbers.

    `heard_until` tells, by conversation, when the last reply before ended; 0 where there was none.
    """
    until = dict(heard_until)
    counted: dict[Quarter, Measures] = {}
    for happening in happenings:
        measures = _measured(happening, until.get(happening.conversation_id, 0))
        if measures is None:
            continue
        if isinstance(happening.content, Heard):
            until[happening.conversation_id] = happening.time_us
        quarter = quarter_of(happening)
        before = counted.get(quarter)
        counted[quarter] = measures if before is None else before + measures
    return counted


def quarter_of(happening: Happening) -> Quarter:
    """The quarter of an hour it happened in."""
    return Quarter(happening.time_us // QUARTER_US * QUARTER_US, happening.conversation_id)


def words_said(happenings: Iterable[Happening]) -> dict[Quarter, set[str]]:
    """The different words of the learner, by quarter."""
    said: dict[Quarter, set[str]] = {}
    for happening in happenings:
        if isinstance(happening.content, Said):
            said.setdefault(quarter_of(happening), set()).update(words(happening.content.text))
    return said


def with_words(
    counted: Mapping[Quarter, Measures], said: Mapping[Quarter, set[str]], numbers: Mapping[str, int]
) -> dict[Quarter, Measures]:
    """The same with the words in it, by their numbers; a word without one is one too many, and is left out."""
    whole = dict(counted)
    for quarter, different in said.items():
        bits = 0
        for word in different:
            if word in numbers:
                bits |= 1 << numbers[word]
        whole[quarter] = whole[quarter] + Measures(vocabulary=bits)
    return whole


def _measured(happening: Happening, heard_until_us: int) -> Measures | None:
    match happening.content:
        case Said() as said:
            return Measures(_of_turn(said, happening.time_us, heard_until_us))
        case Heard() as heard:
            counts = Counts(
                replies=1,
                heard_ms=heard.heard_ms,
                interruptions=int(heard.interrupted),
                cost_micros=heard.cost_micros,
            )
            return Measures(counts, one_wait(heard.wait_ms) if heard.wait_ms is not None else 0)
        case Slip(kind):
            return Measures(_SLIPS[kind])
        case _:
            return None


def _of_turn(said: Said, time_us: int, heard_until_us: int) -> Counts:
    different = words(said.text)
    pauses = _pauses(said.words_ms)
    gap_us = time_us - said.spoken_ms * 1000 - heard_until_us
    answered = not said.typed and heard_until_us > 0 and gap_us <= _LONGEST_GAP_US
    return Counts(
        turns=1,
        spoken_turns=int(not said.typed),
        spoken_ms=said.spoken_ms,
        words=len(different),
        spoken_words=0 if said.typed else len(different),
        pauses=len(pauses),
        pause_ms=sum(pauses),
        fillers=sum(word in _FILLERS for word in different),
        repairs=int(_is_repaired(said.text.casefold(), different)),
        gaps=int(answered),
        gap_ms=max(0, gap_us // 1000) if answered else 0,
    )


def _pauses(words_ms: Sequence[tuple[int, int]]) -> list[int]:
    between = (after[0] - before[1] for before, after in pairwise(words_ms))
    return [silence for silence in between if silence >= _PAUSE_MS]


def _is_repaired(text: str, spoken: Sequence[str]) -> bool:
    if any(word == again and word not in _DOUBLED for word, again in pairwise(spoken)):
        return True
    return _MARKED_REPAIR.search(text) is not None


_SLIPS: Final = {
    SlipKind.OTHER: Counts(other_slips=1),
    SlipKind.GRAMMAR: Counts(grammar_slips=1),
    SlipKind.VOCABULARY: Counts(vocabulary_slips=1),
    SlipKind.PRONUNCIATION: Counts(pronunciation_slips=1),
}
