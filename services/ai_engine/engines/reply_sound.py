"""Makes one reply's sound of the pieces synthesisers give: one rate, positions without gaps, small messages."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from mesh.audio import BYTES_PER_SAMPLE, StreamResampler, samples
from services.ai_engine.domain.roles import Word
from services.ai_engine.domain.run import ReplyAudioProduced, WordTime

#: The first piece is short, so that it leaves at once; the others are long, so that there are few.
_FIRST_S: Final = 0.04
_PIECE_S: Final = 0.2


class ReplySound:
    """The sound of one reply, in order."""

    def __init__(self, reply_id: str, *, from_hz: int, to_hz: int, first_sample: int = 0, announced: int = 0) -> None:
        """`first_sample`: where it goes on, if another has begun; `announced`: words of it that were told already."""
        self._reply_id = reply_id
        self._from_hz = from_hz
        self._to_hz = to_hz
        self._resampler = StreamResampler(from_hz, to_hz)
        self._words: deque[WordTime] = deque()
        #: Samples of synthesised speech so far, and at the start of the clause, at the synthesiser's rate.
        self._taken = 0
        self._clause = 0
        self._first_sample = first_sample
        self._announced = announced
        self.total_samples = first_sample

    @property
    def untold(self) -> int:
        """Words that were taken and have not begun to sound."""
        return len(self._words)

    def begin_clause(self) -> None:
        """Says that the word times of what comes next count from here."""
        self._clause = self._taken

    def feed(self, pcm: bytes, words: Sequence[Word]) -> Iterator[ReplyAudioProduced]:
        """Takes a piece of synthesised speech and gives what can be sent of it."""
        passed, self._announced = self._announced, max(0, self._announced - len(words))
        self._words.extend(self._word_time(word) for word in words[passed:])
        # Resampled piece by piece: a long clause in one go would hold up the event loop.
        step = max(1, int(self._from_hz * _PIECE_S)) * BYTES_PER_SAMPLE
        for begin in range(0, len(pcm), step):
            piece = pcm[begin : begin + step]
            self._taken += samples(piece)
            yield from self._pieces(self._resampler.feed(piece), last=False)

    def flush(self, pcm: bytes = b"") -> Iterator[ReplyAudioProduced]:
        """Takes the last piece; gives it and what was held back, with the words that are left."""
        self._taken += samples(pcm)
        rest = self._resampler.feed(pcm) + self._resampler.flush()
        if rest:
            yield from self._pieces(rest, last=True)

    def _pieces(self, pcm: bytes, *, last: bool) -> Iterator[ReplyAudioProduced]:
        begin = 0
        while begin < len(pcm):
            length_s = _PIECE_S if self.total_samples else _FIRST_S
            piece = pcm[begin : begin + int(self._to_hz * length_s) * BYTES_PER_SAMPLE]
            begin += len(piece)
            yield self._piece(piece, last=last and begin >= len(pcm))

    def _piece(self, pcm: bytes, *, last: bool) -> ReplyAudioProduced:
        first, self.total_samples = self.total_samples, self.total_samples + samples(pcm)
        words: list[WordTime] = []
        while self._words and (last or self._words[0].start_sample < self.total_samples):
            word = self._words.popleft()
            if last:
                # By estimate a word may sound when all is over.
                begin, end = (min(at, self.total_samples) for at in (word.start_sample, word.end_sample))
                word = replace(word, start_sample=begin, end_sample=end)
            words.append(word)
        return ReplyAudioProduced(self._reply_id, first, pcm, tuple(words))

    def _word_time(self, word: Word) -> WordTime:
        clause_s = self._clause / self._from_hz
        begin, end = (
            self._first_sample + round((clause_s + time_s) * self._to_hz) for time_s in (word.start_s, word.end_s)
        )
        return WordTime(word.text, begin, end, word.confidence)
