"""Remembers the learner's latest sound, so that what a cut wire swallowed can be sent again."""

from collections import deque
from collections.abc import Iterator
from typing import Final

from vivavoce.conversation.v1 import converse_pb2 as converse_pb

_BYTES_A_SAMPLE: Final = 2


class RecentSound:
    """Pieces with their positions in the session, the oldest forgotten first."""

    def __init__(self, longest_samples: int) -> None:
        self._longest = longest_samples
        self._pieces: deque[converse_pb.AppendAudio] = deque()
        #: Position of the next sample.
        self.next = 0

    def add(self, pcm: bytes) -> converse_pb.AppendAudio:
        """Takes the next piece in; the message that sends it."""
        piece = converse_pb.AppendAudio(first_sample=self.next, pcm=pcm)
        self._pieces.append(piece)
        self.next += len(pcm) // _BYTES_A_SAMPLE
        while self.next - self._pieces[0].first_sample > self._longest:
            self._pieces.popleft()
        return piece

    def again(self, from_sample: int, next_sample: int) -> Iterator[converse_pb.AppendAudio]:
        """What came from a position on, numbered anew from where the server goes on."""
        lost = [piece.pcm for piece in self._pieces if piece.first_sample >= from_sample]
        self._pieces.clear()
        self.next = next_sample
        return map(self.add, lost)
