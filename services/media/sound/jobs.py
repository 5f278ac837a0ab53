"""What a sound process is asked to do, and what it answers: one JSON object a line."""

import json
from dataclasses import asdict, dataclass
from typing import Any, Final, TypeAlias, assert_never


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much a job may take. The system keeps those of memory, processor and disk."""

    longest_s: int
    most_channels: int
    memory_bytes: int
    cpu_s: int
    output_bytes: int
    #: Seconds by the clock, from when its process begins.
    wall_s: float


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a file, in samples of the file; 0 as `to_sample` is the end."""

    path: str
    #: "mulaw" for sound without a header; empty where the file tells by itself.
    raw: str = ""
    from_sample: int = 0
    to_sample: int = 0


@dataclass(frozen=True, slots=True)
class Convert:
    """Makes one file of parts, one after the other."""

    parts: tuple[Part, ...]
    target: str
    format: str
    #: 0 keeps that of the first part.
    rate_hz: int = 0
    #: 1 or 2; 0 keeps that of the first part, and makes two of more.
    channels: int = 0
    #: Brings it to the loudness of speech, as far as that does not clip.
    normalize: bool = False
    #: 0.5 is half as fast; the pitch stays.
    speed: float = 1.0
    #: Silence between parts.
    pause_s: float = 0.0


@dataclass(frozen=True, slots=True)
class SegmentFile:
    """A segment of a track as it lies on disk: samples without a header."""

    path: str
    first_sample: int
    sha256: str


@dataclass(frozen=True, slots=True)
class TrackFiles:
    """A track, its segments in order; what lies between them is silence."""

    name: str
    rate_hz: int
    segments: tuple[SegmentFile, ...]


@dataclass(frozen=True, slots=True)
class Assemble:
    """Makes the lasting files of a recording in a folder."""

    tracks: tuple[TrackFiles, ...]
    folder: str
    #: What else is known of it, for who has the files alone.
    about: dict[str, str | int]


Job: TypeAlias = Convert | Assemble


@dataclass(frozen=True, slots=True)
class Made:
    """A file that was made."""

    name: str
    size_bytes: int
    sha256: str
    rate_hz: int = 0
    channels: int = 0
    samples: int = 0


_KINDS: Final = {"convert": Convert, "assemble": Assemble}


def write_job(job: Job, bounds: Bounds) -> bytes:
    """The line that asks for it."""
    match job:
        case Convert():
            kind = "convert"
        case Assemble():
            kind = "assemble"
        case _:
            assert_never(job)
    return json.dumps({"kind": kind, "job": asdict(job), "bounds": asdict(bounds)}).encode() + b"\n"


def read_job(line: str) -> tuple[Job, Bounds]:
    """What the line asks for."""
    asked = json.loads(line)
    job: dict[str, Any] = asked["job"]
    bounds = Bounds(**asked["bounds"])
    if _KINDS[asked["kind"]] is Convert:
        return Convert(**{**job, "parts": tuple(Part(**part) for part in job["parts"])}), bounds
    tracks = tuple(
        TrackFiles(track["name"], track["rate_hz"], tuple(SegmentFile(**each) for each in track["segments"]))
        for track in job["tracks"]
    )
    return Assemble(tracks, job["folder"], job["about"]), bounds
