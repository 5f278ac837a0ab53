"""Adds up rows of columns by group: counts, words and what is counted by name."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from services.history.domain.arrays import Bits, Held, Numbers, Rows
from services.history.domain.columns import Columns
from services.history.domain.named import beginning_of

#: Levels of words, from A1; 0 is that of words whose level is not known.
LEVELS: Final = range(7)
#: Cells of a table of groups and words that are looked at together.
_CELLS: Final = 1 << 23


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """A row for each group."""

    names: tuple[str, ...]
    counts: Numbers
    named: Numbers
    #: The different words said, a bit for each by its number, in bytes.
    vocabulary: Bits
    #: How many words each is the first to hold of all there ever were.
    new_words: Numbers
    #: How many of the different words have which level.
    words_by_level: Numbers

    @classmethod
    def of(cls, columns: Columns, held: Held, group: Rows, groups: int, levels: bytes) -> Self:
        """The sums of the rows that are held, given the group of each; `levels` are those of words by their number."""
        group_of = np.full(len(columns), -1, np.int32)
        group_of[held] = group
        by_word, by_name = np.repeat(group_of, columns.word_count), np.repeat(group_of, columns.named_count)
        said, named = by_word >= 0, by_name >= 0
        width = max(len(levels), int(columns.word.max(initial=0)) + 1)
        vocabulary = _vocabulary(by_word[said], columns.word[said], groups, width)
        return cls(
            names=columns.names,
            counts=_added(group, columns.counts[held], groups),
            named=_by_name(by_name[named], columns.name[named], columns.named[named], groups, len(columns.names)),
            vocabulary=vocabulary,
            new_words=_new_words(by_word, columns.word, groups, width),
            words_by_level=_by_level(vocabulary, levels),
        )

    def whole(self, levels: bytes) -> "Sums":
        """Those of all groups together, in one row."""
        vocabulary = np.bitwise_or.reduce(self.vocabulary, axis=0, keepdims=True)
        return Sums(
            names=self.names,
            counts=self.counts.sum(axis=0, keepdims=True),
            named=self.named.sum(axis=0, keepdims=True),
            vocabulary=vocabulary,
            new_words=self.new_words.sum(keepdims=True),
            words_by_level=_by_level(vocabulary, levels),
        )

    def named_below(self, *parts: str) -> dict[str, Numbers]:
        """What is counted by names with that beginning, by their rest: a number for each group."""
        beginning = beginning_of(*parts)
        return {
            name.removeprefix(beginning): self.named[:, place]
            for place, name in enumerate(self.names)
            if name.startswith(beginning)
        }


def _added(group: Rows, numbers: Numbers, groups: int) -> Numbers:
    sums = np.zeros((groups, numbers.shape[1]), np.int64)
    np.add.at(sums, group, numbers)
    return sums


def _by_name(group: Rows, name: Rows, number: Numbers, groups: int, names: int) -> Numbers:
    sums = np.zeros(groups * names, np.int64)
    np.add.at(sums, group.astype(np.intp) * names + name, number)
    return sums.reshape(groups, names)


def _vocabulary(group: Rows, word: Rows, groups: int, width: int) -> Bits:
    """The different words of each group, some groups at a time: as a table of all it would be large."""
    vocabulary = np.zeros((groups, (width + 7) // 8), np.uint8)
    if np.any(group[1:] < group[:-1]):
        order = np.argsort(group, kind="stable")
        group, word = group[order], word[order]
    at_once = max(1, _CELLS // max(1, width))
    for first in range(0, groups, at_once):
        begin, end = np.searchsorted(group, (first, first + at_once))
        said = np.zeros(min(at_once, groups - first) * width, np.bool_)
        said[(group[begin:end] - first) * width + word[begin:end]] = True
        vocabulary[first : first + at_once] = np.packbits(said.reshape(-1, width), axis=1, bitorder="little")
    return vocabulary


def _new_words(group: Rows, word: Rows, groups: int, width: int) -> Numbers:
    """How many words are in each group for the first time; words are in order of time, and -1 is no group."""
    first = np.full(width, -1, np.intp)
    # Of several values for one place the last is kept: backwards, that is the group in which the word came first.
    first[word[::-1]] = group[::-1]
    return np.bincount(first[first >= 0], minlength=groups)


def _by_level(vocabulary: Bits, levels: bytes) -> Numbers:
    known = np.frombuffer(levels, np.uint8)
    counted = np.zeros((len(vocabulary), len(LEVELS)), np.int64)
    for level in LEVELS:
        mask = np.packbits(known == level, bitorder="little")
        counted[:, level] = np.bitwise_count(vocabulary[:, : len(mask)] & mask).sum(axis=1)
    return counted
