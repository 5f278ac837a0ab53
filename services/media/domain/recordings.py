"""Recordings as they are kept: first a manifest of segments, then lasting files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from services.media.domain.tracks import Track


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording of one session."""

    recording_id: str
    user_id: str
    conversation_id: str
    session_id: str
    rates_hz: Mapping[Track, int]
    begin_time_us: int
    finished: bool = False
    #: Whether its lasting files are in the store; until then its segments lie on the machine that made it.
    archived: bool = False


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a track that is kept, and the sum that shows it is whole."""

    track: Track
    first_sample: int
    samples: int
    sha256: str

    @property
    def end_sample(self) -> int:
        """The sample after the last."""
        return self.first_sample + self.samples


@dataclass(frozen=True, slots=True)
class Line:
    """Where a line was spoken: a turn of the learner's, or what was heard of a reply."""

    line_id: str
    track: Track
    first_sample: int
    end_sample: int


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A lasting file of a recording, and the sum that shows it is whole."""

    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Kept:
    """How much of a track is kept: every sample before this one, in so many bytes."""

    samples: int = 0
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class KeptRecording:
    """A recording and how much of each track is kept."""

    recording: Recording
    kept: Mapping[Track, Kept]


@dataclass(frozen=True, slots=True)
class Archived:
    """What archiving a recording made."""

    files: Sequence[KeptFile]
    #: Samples of each track, silence between segments included.
    samples: Mapping[Track, int] = field(default_factory=dict)


class Recordings(Protocol):
    """Keeps the manifests of recordings while they are made. Each call is one transaction, on disk when it returns."""

    async def start(self, recording: Recording) -> KeptRecording:
        """Adds a recording, or returns the one that was started before by the same id.

        Raises:
            AlreadyExistsError: the id is another recording's.
            ConflictError: another machine makes it.
            NotFoundError: the learner was forgotten.
        """
        ...

    async def keep(self, recording_id: str, segment: Segment, now_us: int) -> None:
        """Adds a segment.

        Raises:
            NotFoundError: the recording was deleted or is finished.
        """
        ...

    async def mark(self, recording_id: str, line: Line) -> None:
        """Adds a line, or replaces it. Nothing where the recording was deleted."""
        ...

    async def finish(self, recording_id: str) -> KeptRecording | None:
        """Marks it as finished; None where it was deleted."""
        ...

    async def segments(self, recording_id: str, track: Track) -> list[Segment]:
        """The segments of a track, in order."""
        ...

    async def forsaken(self, before_us: int) -> list[str]:
        """Recordings of this machine's that are not finished and that nothing was added to since."""
        ...

    async def unarchived(self) -> list[Recording]:
        """Finished recordings of this machine's that wait to be archived, oldest first."""
        ...

    async def archive(self, recording_id: str, archived: Archived) -> None:
        """Puts its files in the place of its segments.

        Raises:
            NotFoundError: the recording was deleted.
        """
        ...

    async def known(self, recording_ids: Sequence[str]) -> set[str]:
        """Which of them there are."""
        ...

    async def is_empty(self) -> bool:
        """Whether there is no recording at all."""
        ...


class Library(Protocol):
    """Looks recordings up, and says which are to be removed. Each call is one transaction."""

    async def find(self, user_id: str, recording_id: str) -> KeptRecording | None:
        """The recording of that person."""
        ...

    async def page(
        self, user_id: str, conversation_id: str, after: tuple[int, str] | None, limit: int
    ) -> list[KeptRecording]:
        """Those of that person, and of that conversation where one is given, latest first."""
        ...

    async def lines(self, recording_id: str) -> list[Line]:
        """Its lines, in any order."""
        ...

    async def files(self, recording_id: str) -> dict[str, KeptFile]:
        """Its lasting files by name."""
        ...

    async def condemn(self, recording_id: str) -> None:
        """From now on it is to be removed, and nobody finds it."""
        ...

    async def condemn_expired(self, now_us: int, longest_keep_days: int) -> int:
        """Does so with those whose time is over: their learner's wish, or the most; 0 is no limit. How many."""
        ...

    async def condemned(self) -> list[str]:
        """Recordings to be removed that can be by this machine: its own, and those in the store."""
        ...

    async def delete(self, recording_id: str) -> None:
        """Removes its rows."""
        ...

    async def forget(self, user_id: str, request_id: str, now_us: int) -> int:
        """Condemns all of a person's, for ever; how many recordings there were at the first such request.

        Raises:
            ConflictError: another call does the same.
        """
        ...

    async def left_of(self, user_id: str) -> list[str]:
        """Recordings that are still there of a person, condemned or not."""
        ...

    async def keep_days(self, user_id: str) -> int:
        """How many days the person wishes recordings to be kept; 0 is no wish."""
        ...

    async def set_keep_days(self, user_id: str, days: int) -> None:
        """Notes the wish."""
        ...
