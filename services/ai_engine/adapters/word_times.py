"""Says when each word of a text sounds, from exact spans of what was read aloud or by estimate."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher


@dataclass(frozen=True, slots=True)
class Span:
    """A word and when it sounds, in seconds."""

    text: str
    start_s: float
    end_s: float


def estimate(text: str, start_s: float, end_s: float) -> list[Span]:
    """Divides the time among the words by their length; a comma or a full stop counts as a letter more."""
    words = text.split()
    whole = sum(len(word) + 1 for word in words)
    spans, begin = [], start_s
    for word in words:
        end = min(end_s, begin + (end_s - start_s) * (len(word) + 1) / whole)
        spans.append(Span(word, begin, end))
        begin = end
    return spans


def spread(words: Sequence[str], read: Sequence[Span]) -> list[Span]:
    """Carries the times of what was read aloud over to the words as written.

    Where both differ ("7:30" was read as "seven thirty"), the written words share the time of the read ones. A word
    that was not read at all gets an instant without length.
    """
    spans: list[Span] = []
    for _, first, last, read_first, read_last in _matches(words, read):
        unread_s = spans[-1].end_s if spans else 0.0
        start_s = read[read_first].start_s if read_last > read_first else unread_s
        end_s = read[read_last - 1].end_s if read_last > read_first else unread_s
        if last - first == read_last - read_first:
            spans += [
                Span(word, span.start_s, span.end_s)
                for word, span in zip(words[first:last], read[read_first:read_last], strict=True)
            ]
        else:
            spans += estimate(" ".join(words[first:last]), start_s, end_s)
    return spans


def _matches(words: Sequence[str], read: Sequence[Span]) -> Iterator[tuple[str, int, int, int, int]]:
    written = [_key(word) for word in words]
    spoken = [_key(span.text) for span in read]
    yield from SequenceMatcher(None, written, spoken, autojunk=False).get_opcodes()


def _key(word: str) -> str:
    return "".join(letter for letter in word.casefold() if letter.isalnum())
