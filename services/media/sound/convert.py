"""Makes one file of stretches of others: another format, a part of it, louder, slower at the same pitch."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import numpy as np

from mesh.errors import BadAudioError
from services.media.sound.formats import FORMATS
from services.media.sound.jobs import Bounds, Convert, Made, Part
from services.media.sound.loudness import MEASURING, gain_db
from services.media.sound.reading import Filter, opened
from services.media.sound.writing import Samples, Sink, sink, sum_of

#: Told how much is done, 0 to 1.
Tell = Callable[[float], None]

_LAYOUTS: Final = {1: "mono", 2: "stereo"}


def convert(job: Convert, bounds: Bounds, tell: Tell) -> list[Made]:
    """Does the job; the one file that it made.

    Raises:
        BadAudioError: a part can't be read, is out of bounds, or holds nothing in the stretch asked for.
    """
    rate_hz, channels = _form(job, bounds)
    passes = len(job.parts) * (2 if job.normalize else 1)
    steps = iter(range(passes))

    def step() -> Tell:
        done = next(steps)
        return lambda share: tell((done + share) / passes)

    target, samples = Path(job.target), 0
    with sink(target, job.format, rate_hz, channels) as out:
        for number, part in enumerate(job.parts):
            if number:
                samples += _pause(out, int(job.pause_s * rate_hz), channels)
            filters = [*_shaping(job, part, bounds, step), _wanted(rate_hz, channels)]
            for block in _blocks(part, bounds, filters, channels, step()):
                out.write(block)
                samples += len(block)
    return [Made(target.name, target.stat().st_size, sum_of(target), rate_hz, channels, samples)]


def _form(job: Convert, bounds: Bounds) -> tuple[int, int]:
    with opened(job.parts[0], bounds) as source:
        wanted_hz = job.rate_hz or source.stream.rate
        return FORMATS[job.format].rate_hz(wanted_hz), job.channels or min(2, source.stream.channels)


def _shaping(job: Convert, part: Part, bounds: Bounds, step: Callable[[], Tell]) -> Iterator[Filter]:
    if job.normalize:
        with opened(part, bounds) as source:
            gain = gain_db(source.frames([MEASURING], step()))
        yield ("volume", f"{gain:.2f}dB")
    if job.speed != 1.0:
        yield ("atempo", f"{job.speed:.4f}")


def _wanted(rate_hz: int, channels: int) -> Filter:
    return ("aformat", f"sample_fmts=s16:sample_rates={rate_hz}:channel_layouts={_LAYOUTS[channels]}")


def _blocks(part: Part, bounds: Bounds, filters: list[Filter], channels: int, tell: Tell) -> Iterator[Samples]:
    empty = True
    with opened(part, bounds) as source:
        for frame in source.frames(filters, tell):
            empty = False
            yield frame.to_ndarray().astype(np.int16, copy=False).reshape(-1, channels)
    if empty:
        raise BadAudioError("There is no sound in the stretch asked for; choose another one.", field="from_sample")


def _pause(out: Sink, samples: int, channels: int) -> int:
    out.write(np.zeros((samples, channels), np.int16))
    return samples
