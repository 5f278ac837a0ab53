"""Adds up rows of columns by group: counts, words and what is counted by name."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from services.history.domain.arrays import Bits, Held, Numbers, Rows
from services.history.domain.columns import Columns
from services.history.domain.named import beginning_of

#: Levels of words, from A1; 0 is that of words whose level is not known.
LEVELS: Final = range(7)


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
        group_of = np.full(len(columns), -1, np.intp)
        group_of[held] = group
        vocabulary, new_words = _words(columns, group_of, groups, len(levels))
        return cls(
            names=columns.names,
            counts=_added(group, columns.counts[held], groups),
            named=_by_name(columns, group_of, groups),
            vocabulary=vocabulary,
            new_words=new_words,
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

    def each_below(self, *parts: str) -> list[dict[str, int]]:
        """The same for each group by itself, without those it has none of."""
        each: list[dict[str, int]] = [{} for _ in range(len(self.counts))]
        for name, numbers in self.named_below(*parts).items():
            for group in np.flatnonzero(numbers).tolist():
                each[group][name] = int(numbers[group])
        return each


def _added(group: Rows, numbers: Numbers, groups: int) -> Numbers:
    sums = np.zeros((groups, numbers.shape[1]), np.int64)
    np.add.at(sums, group, numbers)
    return sums


def _by_name(columns: Columns, group_of: Rows, groups: int) -> Numbers:
    names = len(columns.names)
    # Of no group is -1, which counts from the end: what is not held goes into a last row that nobody looks at.
    sums = np.zeros((groups + 1) * names, np.int64)
    np.add.at(sums, np.repeat(group_of * names, columns.named_count) + columns.name, columns.named)
    return sums[: groups * names].reshape(groups, names)


def _words(columns: Columns, group_of: Rows, groups: int, known: int) -> tuple[Bits, Numbers]:
    """The different words of each group, and how many of them came in no row before, whether that is held or not.

    Rows are in order of time, and mostly so are groups: each run of rows of one group is looked at together.
    """
    begins = np.flatnonzero(np.diff(group_of, prepend=-2))
    group_of_run = group_of[begins]
    ends_of_rows = np.cumsum(columns.word_count, dtype=np.intp)
    ends = ends_of_rows[np.append(begins[1:], len(group_of)) - 1] if len(begins) else ends_of_rows
    said = np.zeros(max(known, int(columns.word.max(initial=0)) + 1), np.bool_)
    bits = np.zeros((len(begins), (len(said) + 7) // 8), np.uint8)
    begin = 0
    for run, end in enumerate(ends.tolist()):
        said[:] = False
        said[columns.word[begin:end]] = True
        bits[run] = np.packbits(said, bitorder="little")
        begin = end
    return _of_groups(bits, group_of_run, groups)


def _of_groups(bits: Bits, group: Rows, groups: int) -> tuple[Bits, Numbers]:
    """The words of groups, and how many each is the first to hold, of the words of runs in order of time."""
    before = np.zeros_like(bits)
    np.bitwise_or.accumulate(bits[:-1], axis=0, out=before[1:])
    new = np.bitwise_count(bits & ~before).sum(axis=1, dtype=np.int64)
    vocabulary, new_words = np.zeros((groups, bits.shape[1]), np.uint8), np.zeros(groups, np.int64)
    for run in np.flatnonzero(group >= 0).tolist():
        vocabulary[group[run]] |= bits[run]
        new_words[group[run]] += new[run]
    return vocabulary, new_words


def _by_level(vocabulary: Bits, levels: bytes) -> Numbers:
    known = np.frombuffer(levels, np.uint8)
    counted = np.zeros((len(vocabulary), len(LEVELS)), np.int64)
    for level in LEVELS:
        mask = np.packbits(known == level, bitorder="little")
        counted[:, level] = np.bitwise_count(vocabulary[:, : len(mask)] & mask).sum(axis=1)
    return counted
