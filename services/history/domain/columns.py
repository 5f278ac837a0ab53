"""Quarters of an hour side by side in columns: a year of a busy learner has ten thousand, and is summed up at once."""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final, NamedTuple

import numpy as np

from services.history.domain.arrays import Held, Numbers, Rows
from services.history.domain.measures import Counts, Measures


class Tally(NamedTuple):
    """What was counted of a quarter of an hour of a conversation."""

    start_us: int
    conversation_id: str
    scenario_id: str
    measures: Measures


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Tallies in order of time: row n of each column belongs to the nth. Names stand once, and are told by number."""

    conversations: tuple[str, ...]
    #: The role-play of each conversation.
    scenarios: tuple[str, ...]
    #: What is counted by name.
    names: tuple[str, ...]
    start_us: Numbers
    conversation: Rows
    #: A row of the numbers of `Counts` for each.
    counts: Numbers
    #: The words said in it, by number, and how many they are; the words of all rows stand in a row.
    word_count: Rows
    word: Rows
    #: What is counted by name, likewise.
    named_count: Rows
    name: Rows
    named: Numbers

    def __len__(self) -> int:
        """How many tallies."""
        return len(self.start_us)

    def of_conversations(self, conversation_ids: Container[str]) -> Held:
        """Which rows are those of some conversations."""
        numbers = [number for number, name in enumerate(self.conversations) if name in conversation_ids]
        return np.isin(self.conversation, numbers)


def columns_of(tallies: Sequence[Tally]) -> Columns:
    """The columns of tallies in order of time."""
    scenarios = {tally.conversation_id: tally.scenario_id for tally in tallies}
    numbers = {name: number for number, name in enumerate(scenarios)}
    named = [tally.measures.named for tally in tallies]
    names = {name: number for number, name in enumerate(dict.fromkeys(chain.from_iterable(named)))}
    words = [_numbers_of(tally.measures.vocabulary) for tally in tallies]
    return Columns(
        conversations=tuple(scenarios),
        scenarios=tuple(scenarios.values()),
        names=tuple(names),
        start_us=_column([tally.start_us for tally in tallies]),
        conversation=_rows([numbers[tally.conversation_id] for tally in tallies]),
        counts=_column([tally.measures.counts for tally in tallies]).reshape(-1, len(Counts._fields)),
        word_count=_rows([len(each) for each in words]),
        word=np.concatenate([_NO_ROWS, *words]).astype(np.uint16),
        named_count=_rows([len(each) for each in named]),
        name=_rows([names[name] for each in named for name in each]),
        named=_column([number for each in named for number in each.values()]),
    )


def joined(parts: Sequence[Columns]) -> Columns:
    """Columns one after the other; what has the same name in several of them is the same."""
    scenarios = {
        name: scenario for part in parts for name, scenario in zip(part.conversations, part.scenarios, strict=True)
    }
    conversations = {name: number for number, name in enumerate(scenarios)}
    names = {name: number for number, name in enumerate(dict.fromkeys(chain.from_iterable(p.names for p in parts)))}
    each = [columns_of(()), *parts]
    return Columns(
        conversations=tuple(scenarios),
        scenarios=tuple(scenarios.values()),
        names=tuple(names),
        start_us=np.concatenate([part.start_us for part in each]),
        conversation=np.concatenate(
            [_rows([conversations[name] for name in part.conversations])[part.conversation] for part in each]
        ),
        counts=np.concatenate([part.counts for part in each]),
        word_count=np.concatenate([part.word_count for part in each]),
        word=np.concatenate([part.word for part in each]),
        named_count=np.concatenate([part.named_count for part in each]),
        name=np.concatenate([_rows([names[name] for name in part.names])[part.name] for part in each]),
        named=np.concatenate([part.named for part in each]),
    )


def _numbers_of(vocabulary: int) -> Rows:
    """The numbers of the bits that are set."""
    written = vocabulary.to_bytes((vocabulary.bit_length() + 7) // 8, "little")
    return np.flatnonzero(np.unpackbits(np.frombuffer(written, np.uint8), bitorder="little"))


def _column(values: Sequence[Any]) -> Numbers:
    return np.array(values, np.int64)


def _rows(values: Sequence[int]) -> Rows:
    return np.array(values, np.int32)


_NO_ROWS: Final = _rows(())
