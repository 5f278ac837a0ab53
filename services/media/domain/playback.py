"""What a link plays: a recording, one of its tracks or lines, or a whole conversation."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final

from mesh.errors import InvalidFieldError, NotFoundError
from services.media.domain.recordings import Line

#: Between the learner's line and the tutor's.
PAUSE_S: Final = 0.6
_SLOWEST: Final = 0.5
_SUFFIXES: Final = {"opus": "opus", "mp3": "mp3", "aac": "m4a", "flac": "flac", "wav": "wav"}


@dataclass(frozen=True, slots=True)
class Playback:
    """What is played. Either a recording is named, or a conversation."""

    user_id: str
    recording_id: str = ""
    conversation_id: str = ""
    #: Value of a track; empty for both in stereo.
    track: str = ""
    line_id: str = ""
    beside_line_id: str = ""
    speed: float = 1.0
    format: str = "opus"

    def __post_init__(self) -> None:
        """Refuses what contradicts itself.

        Raises:
            InvalidFieldError: it does.
        """
        if self.speed < _SLOWEST:
            raise InvalidFieldError(f"speed is {_SLOWEST} to 1.5; 0 means 1.", field="speed")
        if self.beside_line_id and not self.line_id:
            raise InvalidFieldError("Name by line_id the line that comes first.", field="line_id")
        if self.line_id and self.track:
            raise InvalidFieldError("A line has its track; leave track unset.", field="track")

    @property
    def file(self) -> str:
        """The lasting file that is just this; empty where it has to be made."""
        if self.conversation_id or self.line_id or self.speed != 1.0:
            return ""
        if self.track:
            return f"{self.track}.{self.format}" if self.format in ("opus", "flac") else ""
        return "mix.opus" if self.format == "opus" else ""

    @property
    def name(self) -> str:
        """What the file is called by who keeps it."""
        return f"{self.recording_id or self.conversation_id}.{_SUFFIXES[self.format]}"

    def write(self) -> str:
        """As text, the same for the same playback."""
        return json.dumps({name: value for name, value in asdict(self).items() if value}, separators=(",", ":"))

    @staticmethod
    def read(text: str) -> "Playback":
        """The playback that was written."""
        return Playback(**json.loads(text))


@dataclass(frozen=True, slots=True)
class Stretch:
    """Samples of a lasting file, from one up to another; 0 as the latter is the end."""

    recording_id: str
    file: str
    from_sample: int = 0
    to_sample: int = 0


def stretches(playback: Playback, recording_ids: Sequence[str], lines: Sequence[Line]) -> list[Stretch]:
    """What a file that has to be made is made of. `lines` are those of the recording.

    Raises:
        NotFoundError: the recording has no such line.
    """
    if playback.line_id:
        by_id = {line.line_id: line for line in lines}
        wanted = {"line_id": playback.line_id, "beside_line_id": playback.beside_line_id}
        return [_line(playback.recording_id, by_id, field, line_id) for field, line_id in wanted.items() if line_id]
    file = f"{playback.track}.flac" if playback.track else "mix.opus"
    return [Stretch(recording_id, file) for recording_id in recording_ids]


def _line(recording_id: str, by_id: dict[str, Line], field: str, line_id: str) -> Stretch:
    line = by_id.get(line_id)
    if line is None or line.first_sample >= line.end_sample:
        raise NotFoundError("The recording has no such line; GetRecording tells its lines.", field=field)
    return Stretch(recording_id, f"{line.track.value}.flac", line.first_sample, line.end_sample)
