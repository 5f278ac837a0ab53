"""Makes the lasting files of a recording: each track as FLAC and Opus and its picture, and both together in stereo."""

import hashlib
import json
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Final

import numpy as np
import soundfile
from numpy.typing import NDArray

from mesh.audio import StreamResampler
from mesh.errors import VivavoceError
from services.media.domain.stores import DESCRIPTION
from services.media.sound.convert import Tell
from services.media.sound.jobs import Assemble, Bounds, Made, Part, TrackFiles
from services.media.sound.loudness import MEASURING, gain_db
from services.media.sound.peaks import Peaks
from services.media.sound.reading import opened
from services.media.sound.writing import Samples, sink, sum_of

_OPUS_HZ: Final = 48_000
#: Who speaks sits a little to one side, and is heard on both.
_NEAR: Final = 0.65
_FAR: Final = 0.35


def assemble(job: Assemble, bounds: Bounds, tell: Tell) -> list[Made]:
    """Does the job; the files it made. A track without sound has none.

    Raises:
        VivavoceError: a segment is damaged, or what was written does not read as what was recorded.
    """
    folder = Path(job.folder)
    made: list[Made] = []
    tracks = [track for track in job.tracks if track.segments]
    for number, track in enumerate(tracks):
        made += _track_files(track, folder)
        tell((number + 1) / (len(tracks) + 1))
    if tracks:
        made.append(_mix(tracks, folder, bounds))
    made.append(_description(job.about, made, folder / DESCRIPTION))
    return made


def _description(about: dict[str, str | int], made: list[Made], file: Path) -> Made:
    files = {each.name: {"size_bytes": each.size_bytes, "sha256": each.sha256} for each in made}
    file.write_text(json.dumps({**about, "files": files}, indent=2), encoding="utf-8")
    return Made(file.name, file.stat().st_size, sum_of(file))


def _track_files(track: TrackFiles, folder: Path) -> Iterator[Made]:
    flac, opus, picture = (folder / f"{track.name}.{extension}" for extension in ("flac", "opus", "peaks"))
    peaks, recorded, samples = Peaks(track.rate_hz), hashlib.sha256(), 0
    with sink(flac, "flac", track.rate_hz, 1) as archive:
        for block in _sound(track):
            recorded.update(block.tobytes())
            samples += len(block)
            archive.write(block.reshape(-1, 1))
            peaks.add(block)
    if _sum_of_sound(flac, track.rate_hz) != recorded.hexdigest():
        raise VivavoceError("The archive does not read as what was recorded; see that the disk is well.")
    with sink(opus, "opus", _OPUS_HZ, 1) as playback:
        for block in _resampled(_sound(track), track.rate_hz):
            playback.write(block.reshape(-1, 1))
    picture.write_bytes(peaks.content())
    for file, rate_hz in ((flac, track.rate_hz), (opus, _OPUS_HZ), (picture, track.rate_hz)):
        yield Made(file.name, file.stat().st_size, sum_of(file), rate_hz, 1, samples * rate_hz // track.rate_hz)


def _sound(track: TrackFiles) -> Iterator[Samples]:
    """The whole track, about a second at a time; silence where nothing was recorded."""
    place = 0
    for segment in track.segments:
        while place < segment.first_sample:
            silence = min(track.rate_hz, segment.first_sample - place)
            yield np.zeros(silence, np.int16)
            place += silence
        content = Path(segment.path).read_bytes()
        if hashlib.sha256(content).hexdigest() != segment.sha256:
            raise VivavoceError("A part of the recording is damaged on disk; restore it from a backup.")
        samples = np.frombuffer(content, "<i2")
        yield samples
        place += len(samples)


def _sum_of_sound(flac: Path, rate_hz: int) -> str:
    read = hashlib.sha256()
    for block in soundfile.blocks(flac, blocksize=rate_hz, dtype="int16"):
        read.update(block.tobytes())
    return read.hexdigest()


def _resampled(blocks: Iterator[Samples], rate_hz: int) -> Iterator[Samples]:
    resampler = StreamResampler(rate_hz, _OPUS_HZ)
    for block in blocks:
        yield np.frombuffer(resampler.feed(block.tobytes()), "<i2")
    yield np.frombuffer(resampler.flush(), "<i2")


def _mix(tracks: list[TrackFiles], folder: Path, bounds: Bounds) -> Made:
    file, samples = folder / "mix.opus", 0
    voices = [_voice(track, folder / f"{track.name}.flac", bounds) for track in tracks]
    with sink(file, "opus", _OPUS_HZ, 2) as out:
        for voiced in zip_longest(*voices, fillvalue=np.zeros(0)):
            length = max(map(len, voiced))
            near, far = (np.pad(block, (0, length - len(block))) for block in (*voiced, np.zeros(0))[:2])
            if tracks[0].name != "learner":
                near, far = far, near
            sides = np.stack((_NEAR * near + _FAR * far, _FAR * near + _NEAR * far), axis=1)
            out.write(np.clip(np.rint(sides), -32768, 32767).astype(np.int16))
            samples += length
    return Made(file.name, file.stat().st_size, sum_of(file), _OPUS_HZ, 2, samples)


def _voice(track: TrackFiles, flac: Path, bounds: Bounds) -> Iterator[NDArray[np.float64]]:
    """The track as loud as speech should be, a second at a time."""
    with opened(Part(str(flac)), bounds) as source:
        gain = 10 ** (gain_db(source.frames([MEASURING], lambda _: None)) / 20)
    waiting = np.zeros(0)
    for block in _resampled(_sound(track), track.rate_hz):
        waiting = np.concatenate((waiting, block * gain))
        while len(waiting) >= _OPUS_HZ:
            yield waiting[:_OPUS_HZ]
            waiting = waiting[_OPUS_HZ:]
    yield waiting
