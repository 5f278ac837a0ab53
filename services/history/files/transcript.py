"""What was said and heard in a conversation, as those who write files of it need it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vivavoce.history.v1 import history_pb2 as history_pb


@dataclass(frozen=True, slots=True)
class Line:
    """A turn or a reply: when it sounded, in milliseconds since the conversation began, and when its words did."""

    learner: bool
    text: str
    start_ms: int
    end_ms: int
    #: Words with the milliseconds, since the conversation began, at which they sound.
    words: tuple[tuple[int, str], ...] = ()


#: A typed turn, which took no time, is shown so long.
_TYPED_MS = 2000


def lines(events: Sequence[history_pb.HistoryEvent], begin_us: int) -> Iterator[Line]:
    """The lines, in order. An event tells when a line was over; how long it sounded tells when it began."""
    for event in events:
        end_ms = max(0, (event.time.ToMicroseconds() - begin_us) // 1000)
        match event.WhichOneof("event"):
            case "turn_taken":
                yield _turn(event.turn_taken, end_ms)
            case "reply_given":
                reply = event.reply_given
                if reply.heard_text:
                    yield Line(False, reply.heard_text, max(0, end_ms - reply.heard_ms), end_ms)
            case _:
                pass


def _turn(turn: history_pb.TurnTaken, end_ms: int) -> Line:
    rate = turn.sample_rate_hz
    if turn.typed or rate <= 0:
        return Line(True, turn.text, end_ms, end_ms + _TYPED_MS)
    start_ms = max(0, end_ms - max(0, turn.end_sample - turn.start_sample) * 1000 // rate)
    words = tuple((start_ms + max(0, word.start_sample) * 1000 // rate, word.text) for word in turn.words)
    return Line(True, turn.text, start_ms, end_ms, words)
