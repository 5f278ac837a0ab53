"""A conversation as WebVTT: subtitles for its recording, each word of the learner's with its time."""

from collections.abc import Sequence

from vivavoce.history.v1 import history_pb2 as history_pb

from services.history.files.transcript import Line, lines

BEGINNING = b"WEBVTT\n"


def events(some: Sequence[history_pb.HistoryEvent], begin_us: int) -> bytes:
    """The next cues of the file."""
    return "".join(map(_cue, lines(some, begin_us))).encode()


def _cue(line: Line) -> str:
    end_ms = max(line.end_ms, line.start_ms + 1)
    who = "Learner" if line.learner else "Tutor"
    return f"\n{_time(line.start_ms)} --> {_time(end_ms)}\n<v {who}>{_text(line, end_ms)}\n"


def _text(line: Line, end_ms: int) -> str:
    # A time within a cue lies after its begin, after the time before it, and before its end.
    spoken, before_ms = [], line.start_ms
    for at_ms, word in line.words:
        inside = before_ms < at_ms < end_ms
        spoken.append(f"<{_time(at_ms)}>{_escaped(word)}" if inside else _escaped(word))
        before_ms = at_ms if inside else before_ms
    return " ".join(spoken) or _escaped(line.text)


def _escaped(text: str) -> str:
    plain = " ".join(text.split())
    return plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _time(ms: int) -> str:
    seconds, ms = divmod(ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}.{ms:03}"
