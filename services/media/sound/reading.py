"""Reads sound files of any origin: known by their first bytes, decoded frame by frame, within bounds."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, TypeAlias

import av
from av.audio.stream import AudioStream
from av.container import InputContainer

from mesh.errors import BadAudioError
from services.media.sound.formats import HEAD_BYTES, RAW_MULAW, demuxer_of
from services.media.sound.jobs import Bounds, Part

#: A filter of FFmpeg and its arguments.
Filter: TypeAlias = tuple[str, str]

_RATES_HZ: Final = range(4_000, 192_001)


@dataclass(frozen=True, slots=True)
class Source:
    """A stretch of a file that is open."""

    part: Part
    file: BinaryIO
    size_bytes: int
    container: InputContainer
    stream: AudioStream
    bounds: Bounds

    def frames(self, filters: Sequence[Filter], tell: Callable[[float], None]) -> Iterator[av.AudioFrame]:
        """The sound of the stretch after `filters`, frame by frame. `tell` hears how much of the file is read, 0 to 1.

        Raises:
            BadAudioError: it is damaged, or longer than the bounds.
        """
        graph = _graph(self.stream, (*_trimming(self.part), *filters))
        most_samples, samples = self.bounds.longest_s * self.stream.rate, 0
        for frame in self.container.decode(self.stream):
            samples += frame.samples
            if samples > most_samples:
                raise _too_long(self.bounds)
            graph.push(frame)
            yield from _pulled(graph)
            tell(min(1.0, self.file.tell() / self.size_bytes))
            if 0 < self.part.to_sample <= samples:
                break
        if samples:
            graph.push(None)
            yield from _pulled(graph)


@contextmanager
def opened(part: Part, bounds: Bounds) -> Iterator[Source]:
    """The file and its first sound. FFmpeg's complaints within the block are told in our words.

    Raises:
        BadAudioError: it can't be read, has no sound, or is out of bounds.
    """
    with Path(part.path).open("rb") as file, _readable():
        demuxer = RAW_MULAW if part.raw == RAW_MULAW else demuxer_of(file.read(HEAD_BYTES))
        size_bytes = file.seek(0, os.SEEK_END)
        file.seek(0)
        # Nothing a file says may lead to another file or to the network.
        options = {"protocol_whitelist": "", **({"sample_rate": "8000"} if demuxer == RAW_MULAW else {})}
        with av.open(file, "r", format=demuxer, options=options) as container:
            if not container.streams.audio:
                raise BadAudioError("The file holds no sound.", field="content")
            stream = container.streams.audio[0]
            if stream.codec_context is None:
                raise BadAudioError("The file holds sound of a kind we do not know.", field="content")
            stream.codec_context.thread_count = 1
            _check(stream, bounds)
            yield Source(part, file, size_bytes, container, stream, bounds)


@contextmanager
def _readable() -> Iterator[None]:
    """Says in our words that FFmpeg can't read something."""
    try:
        yield
    except (av.FFmpegError, UnicodeDecodeError, OverflowError) as error:
        raise BadAudioError("The sound is damaged and can't be read; send a whole file.", field="content") from error


def _check(stream: AudioStream, bounds: Bounds) -> None:
    if stream.rate not in _RATES_HZ:
        raise BadAudioError(f"The sound has {stream.rate} samples a second; send 4,000 to 192,000.", field="content")
    if not 1 <= stream.channels <= bounds.most_channels:
        raise BadAudioError(
            f"The sound has {stream.channels} channels; send 1 to {bounds.most_channels}.", field="content"
        )
    if stream.duration and stream.time_base and stream.duration * stream.time_base > bounds.longest_s:
        raise _too_long(bounds)


def _too_long(bounds: Bounds) -> BadAudioError:
    return BadAudioError(f"The sound is longer than {bounds.longest_s} s; send a shorter stretch.", field="content")


def _trimming(part: Part) -> Iterator[Filter]:
    if part.from_sample or part.to_sample:
        end = f":end_sample={part.to_sample}" if part.to_sample else ""
        yield ("atrim", f"start_sample={part.from_sample}{end}")
        yield ("asetpts", "PTS-STARTPTS")


def _graph(stream: AudioStream, filters: Sequence[Filter]) -> av.filter.Graph:
    graph = av.filter.Graph()
    last = graph.add_abuffer(template=stream)
    for name, arguments in (*filters, ("abuffersink", "")):
        following = graph.add(name, arguments)
        last.link_to(following)
        last = following
    graph.configure()
    return graph


def _pulled(graph: av.filter.Graph) -> Iterator[av.AudioFrame]:
    while True:
        try:
            frame = graph.pull()
        except (av.BlockingIOError, av.EOFError):
            return
        assert isinstance(frame, av.AudioFrame), "only sound goes in"
        yield frame
