"""What is counted of a conversation, a quarter of an hour at a time; counts of two quarters add up to those of both."""

import operator
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, NamedTuple, TypeGuard

from services.history.domain.happenings import (
    NOTHING_USED,
    Content,
    Happening,
    Heard,
    Remarked,
    Said,
    Slip,
    Used,
    UsedBesides,
)
from services.history.domain.histogram import bucket_of
from services.history.domain.languages import is_english, told_language
from services.history.domain.named import Named, added, name_of
from services.history.domain.topics import topic_of
from services.history.domain.words import words

#: Every time zone of today begins its days on a quarter of an hour.
QUARTER_US: Final = 15 * 60 * 1_000_000
#: Silence between two words that is a pause.
_PAUSE_MS: Final = 250
#: No pause within a turn is longer, whatever the times of words say.
_LONGEST_PAUSE_MS: Final = 3_600_000
#: A learner who answers later than this was away, not thinking.
_LONGEST_GAP_US: Final = 60 * 1_000_000

_FILLERS: Final = frozenset({"um", "uhm", "uh", "er", "erm", "hmm", "mm", "ehm"})
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
    #: Of turns in English only, as is the next.
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
    cost_micros: int = 0
    english_turns: int = 0
    english_words: int = 0


NOTHING: Final = Counts()


@dataclass(frozen=True, slots=True)
class Measures:
    """What is known of a stretch of talk."""

    counts: Counts = NOTHING
    #: The words said, a bit for each by its number in the learner's vocabulary.
    vocabulary: int = 0
    #: What is counted by name, such as "wait 23" for replies that were waited for as long: see `named`.
    named: Named = field(default_factory=dict)

    def __add__(self, other: "Measures") -> "Measures":
        """Those of both stretches."""
        return Measures(
            Counts(*map(operator.add, self.counts, other.counts)),
            self.vocabulary | other.vocabulary,
            added((self.named, other.named)),
        )


@dataclass(frozen=True, slots=True, order=True)
class Quarter:
    """A quarter of an hour of a conversation: when it begins, and which."""

    start_us: int
    conversation_id: str


@dataclass(slots=True)
class Counted:
    """What was counted of a quarter so far. Words are apart: they need their numbers."""

    numbers: Counter[str] = field(default_factory=Counter)
    named: Counter[str] = field(default_factory=Counter)
    words: set[str] = field(default_factory=set)

    def measures(self, numbers: Mapping[str, int]) -> Measures:
        """The measures, with the words by their numbers; a word without one is one too many, and is left out."""
        vocabulary = 0
        for word in self.words:
            if word in numbers:
                vocabulary |= 1 << numbers[word]
        return Measures(Counts(**self.numbers), vocabulary, dict(self.named))


def count(
    happenings: Iterable[Happening], heard_until: Mapping[str, int], languages: Mapping[str, str]
) -> dict[Quarter, Counted]:
    """Counts what happened, in order within each conversation.

    `heard_until` tells, by conversation, when the last reply before ended, 0 where there was none; `languages`, which
    is learnt.
    """
    until = dict(heard_until)
    counted: dict[Quarter, Counted] = {}
    for happening in happenings:
        content = happening.content
        if not _is_counted(content):
            continue
        language = languages.get(happening.conversation_id, "")
        quarter = quarter_of(happening)
        if (so_far := counted.get(quarter)) is None:
            so_far = counted[quarter] = Counted()
        if isinstance(content, Said):
            _count_turn(so_far, content, language)
            if not content.typed:
                _count_speech(so_far, content, happening.time_us, until.get(happening.conversation_id, 0))
        elif isinstance(content, Heard):
            until[happening.conversation_id] = happening.time_us
            _count_reply(so_far, content)
        elif isinstance(content, UsedBesides):
            _count_use(so_far, content.used)
        elif isinstance(content, Slip):
            _count_slip(so_far, content, language)
        elif is_english(language):
            so_far.named.update(name_of("sound", *sounds) for sounds in content.swapped_sounds)
    return counted


def _is_counted(content: Content) -> TypeGuard[Said | Heard | Slip | Remarked | UsedBesides]:
    if isinstance(content, Remarked):
        return bool(content.swapped_sounds)
    return isinstance(content, Said | Heard | Slip | UsedBesides)


def quarter_of(happening: Happening) -> Quarter:
    """The quarter of an hour it happened in."""
    return Quarter(happening.time_us // QUARTER_US * QUARTER_US, happening.conversation_id)


def _count_turn(counted: Counted, said: Said, language: str) -> None:
    spoken, numbers = words(said.text), counted.numbers
    counted.words.update(spoken)
    counted.named[name_of("turns", told_language(language))] += 1
    numbers["turns"] += 1
    numbers["words"] += len(spoken)
    if not said.typed:
        numbers["spoken_words"] += len(spoken)
    if is_english(language):
        numbers["english_turns"] += 1
        numbers["english_words"] += len(spoken)
        numbers["fillers"] += sum(map(_FILLERS.__contains__, spoken))
        numbers["repairs"] += _is_repaired(said.text.casefold(), spoken)


def _count_speech(counted: Counted, said: Said, time_us: int, heard_until_us: int) -> None:
    numbers, pauses = counted.numbers, _pauses(said.words_ms)
    numbers["spoken_turns"] += 1
    numbers["spoken_ms"] += said.spoken_ms
    numbers["pauses"] += len(pauses)
    numbers["pause_ms"] += sum(pauses)
    gap_us = time_us - said.spoken_ms * 1000 - heard_until_us
    if heard_until_us > 0 and gap_us <= _LONGEST_GAP_US:
        numbers["gaps"] += 1
        numbers["gap_ms"] += max(0, gap_us // 1000)


def _count_slip(counted: Counted, slip: Slip, language: str) -> None:
    counted.numbers[f"{slip.kind.value}_slips"] += 1
    topic = topic_of(slip) if is_english(language) else None
    if topic is not None:
        counted.named[name_of("topic", topic.value)] += 1


def _count_reply(counted: Counted, heard: Heard) -> None:
    numbers = counted.numbers
    numbers["replies"] += 1
    numbers["heard_ms"] += heard.heard_ms
    numbers["interruptions"] += heard.interrupted
    if heard.wait_ms is not None:
        counted.named[name_of("wait", bucket_of(heard.wait_ms))] += 1
    if heard.used is not NOTHING_USED:
        _count_use(counted, heard.used)


def _count_use(counted: Counted, used: Used) -> None:
    named = counted.named
    counted.numbers["cost_micros"] += used.cost_micros
    for cost in used.costs:
        named[name_of("cost", cost.provider, used.currency)] += cost.cost_micros
        if cost.unknown:
            named[name_of("unknown", cost.provider, used.currency)] += 1
    for each in used.attempts:
        named[name_of("tried", each.provider, each.role, each.outcome)] += each.count
        if each.cause:
            named[name_of("cause", each.provider, each.role, each.cause)] += each.count
        if each.first_ms is not None:
            named[name_of("first", each.provider, each.role, bucket_of(each.first_ms))] += 1


def _pauses(words_ms: Sequence[tuple[int, int]]) -> list[int]:
    between = (after[0] - before[1] for before, after in pairwise(words_ms))
    return [min(silence, _LONGEST_PAUSE_MS) for silence in between if silence >= _PAUSE_MS]


def _is_repaired(text: str, spoken: Sequence[str]) -> bool:
    if any(word == again and word not in _DOUBLED for word, again in pairwise(spoken)):
        return True
    return _MARKED_REPAIR.search(text) is not None
