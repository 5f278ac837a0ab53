"""Sound is changed from every format into every other; what can't be read is told, and harms nobody."""

import asyncio
import io
import json
import resource
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest
import soundfile
from vivavoce.media.v1 import media_pb2 as media_pb
from vivavoce.media.v1 import media_service_pb2 as service_pb

from mesh.errors import (
    BadAudioError,
    ExhaustedError,
    InvalidFieldError,
    NotAllowedError,
    PreconditionError,
    VivavoceError,
)
from mesh.streams import client_stream
from services.media.settings import Settings
from services.media.sound.jobs import Bounds, Convert, Part
from services.media.workshop import Room, Workshop
from tests.services.calls import refused
from tests.services.media.conftest import MediaMesh, media_mesh
from tests.services.media.sound.samples import RATE, by_soundfile, good, hostile, tone

if TYPE_CHECKING:
    from mesh.streams import DuplexStream

Changes = media_pb.SoundChanges
FORMATS = ["wav", "flac", "opus", "mp3", "aac"]
KINDS = list(good())
ROOT = Path(__file__).resolve().parents[3]
BOUNDS = Bounds(longest_s=60, most_channels=8, memory_bytes=512 * 2**20, cpu_s=20, output_bytes=64 * 2**20, wall_s=60.0)
#: Broken files of each kind in the suite; `make soak` tries more.
FEW, MANY = 30, 100


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[MediaMesh]:
    async with media_mesh(Settings(data_dir=tmp_path, longest_sound_s=60)) as mesh:
        yield mesh


async def transcoded(
    mesh: MediaMesh, content: bytes, format_: str, changes: Changes | None = None
) -> service_pb.TranscodeResponse:
    request = service_pb.TranscodeRequest(content=content, format=format_, changes=changes)
    return await mesh.stub.Transcode(request, metadata=mesh.authority.user_metadata())


def read(content: bytes) -> tuple["np.ndarray[tuple[int, ...], np.dtype[np.float64]]", int]:
    """What another reader hears: all channels, and the rate."""
    with av.open(io.BytesIO(content), "r") as container:
        stream = container.streams.audio[0]
        resampler = av.AudioResampler(format="flt", layout=stream.layout)
        frames = [made for frame in container.decode(stream) for made in resampler.resample(frame)]
        samples = np.concatenate([frame.to_ndarray().reshape(-1, stream.channels) for frame in frames])
        return samples.astype(np.float64), stream.rate


@pytest.mark.parametrize(("kind", "format_"), list(zip(KINDS, [*FORMATS, *FORMATS], strict=True)))
async def test_every_kind_is_read_and_every_format_written(kind: str, format_: str, service: MediaMesh) -> None:
    answer = await transcoded(service, good()[kind], format_)
    samples, rate = read(answer.content)
    assert answer.sound.sample_rate_hz == rate
    assert len(samples) / rate == pytest.approx(0.5, abs=0.15)
    spectrum = np.abs(np.fft.rfft(samples[:, 0]))
    assert spectrum.argmax() * rate / len(samples) == pytest.approx(440, abs=8)


async def test_raw_mulaw_is_read_where_it_is_said_to_be(service: MediaMesh) -> None:
    wav = by_soundfile("AU", "ULAW")
    raw = wav[24:]
    answer = await transcoded(service, raw, "wav", Changes(raw_mulaw=True))
    assert (answer.sound.sample_rate_hz, answer.sound.samples) == (8000, len(raw))
    with refused(BadAudioError):
        await transcoded(service, raw, "wav")


@pytest.mark.parametrize(("from_sample", "to_sample"), [(0, 100), (1234, 5678), (7000, 0)])
async def test_a_trim_is_exact_to_the_sample(from_sample: int, to_sample: int, service: MediaMesh) -> None:
    changes = Changes(from_sample=from_sample, to_sample=to_sample)
    answer = await transcoded(service, by_soundfile("FLAC", "PCM_16"), "wav", changes)
    samples, _ = soundfile.read(io.BytesIO(answer.content), dtype="int16")
    assert np.array_equal(samples, tone()[from_sample : to_sample or None, 0])


@pytest.mark.parametrize("factor", [0.02, 0.5])
async def test_quiet_and_loud_speech_become_equally_loud(factor: float, service: MediaMesh) -> None:
    file = io.BytesIO()
    soundfile.write(file, (tone(3) * factor).astype(np.int16), RATE, format="WAV")
    answer = await transcoded(service, file.getvalue(), "wav", Changes(normalize=True))
    samples, _ = soundfile.read(io.BytesIO(answer.content))
    # A tone of 440 Hz is about as loud, in LUFS, as its level in dB.
    level = 20 * np.log10(np.sqrt(np.mean(samples**2)))
    assert level == pytest.approx(-18, abs=1.5)
    assert np.abs(samples).max() < 10 ** (-0.9 / 20)


async def test_rate_and_channels_are_changed(service: MediaMesh) -> None:
    answer = await transcoded(service, by_soundfile("WAV", "PCM_16"), "flac", Changes(sample_rate_hz=8000, channels=2))
    samples, rate = read(answer.content)
    assert (rate, samples.shape) == (8000, (4000, 2))


async def test_a_large_file_comes_in_pieces_and_its_progress_is_told(service: MediaMesh) -> None:
    content = by_soundfile("WAV", "PCM_16", 50)
    answers = await streamed(service, content, "opus")
    shares = [each.progress for each in answers if each.WhichOneof("event") == "progress"]
    assert shares == sorted(set(shares))
    assert len(shares) > 3
    assert shares[-1] == 1.0
    (sound,) = [each.sound_changed for each in answers if each.HasField("sound_changed")]
    made = b"".join(each.content for each in answers)
    assert sound.size_bytes == len(made)
    assert len(read(made)[0]) / 48_000 == pytest.approx(50, abs=0.1)


async def streamed(mesh: MediaMesh, content: bytes, format_: str) -> list[service_pb.TranscodeFileResponse]:
    begin = service_pb.TranscodeFileRequest(start_transcoding=service_pb.StartTranscoding(format=format_))
    stream: DuplexStream[service_pb.TranscodeFileRequest, service_pb.TranscodeFileResponse]
    async with client_stream(mesh.stub.TranscodeFile, metadata=mesh.authority.user_metadata()) as stream:
        await stream.send(begin)
        for first in range(0, len(content), 500_000):
            await stream.send(service_pb.TranscodeFileRequest(content=content[first : first + 500_000]))
        await stream.done_sending()
        return [answer async for answer in stream]


async def test_a_stream_that_does_not_say_what_it_wants_is_refused(service: MediaMesh) -> None:
    with refused(PreconditionError, reason="STREAM_NOT_CONFIGURED"):
        async with client_stream(service.stub.TranscodeFile, metadata=service.authority.user_metadata()) as stream:
            await stream.send(service_pb.TranscodeFileRequest(content=b"sound"))
            await anext(stream)
    with refused(InvalidFieldError):
        await streamed(service, b"", "wma")


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        (Changes(from_sample=10, to_sample=5), InvalidFieldError),
        (Changes(from_sample=1_000_000), BadAudioError),
        (Changes(channels=3), InvalidFieldError),
        (Changes(sample_rate_hz=-1), InvalidFieldError),
    ],
)
async def test_changes_that_make_no_sense_are_refused(
    changes: Changes, kind: type[VivavoceError], service: MediaMesh
) -> None:
    with refused(kind):
        await transcoded(service, good()["WAV"], "wav", changes)


async def test_sound_that_is_too_long_is_refused(service: MediaMesh) -> None:
    with refused(BadAudioError):
        await transcoded(service, by_soundfile("FLAC", "PCM_16", 61), "wav")


async def test_an_answer_that_fits_no_message_is_refused(tmp_path: Path) -> None:
    async with media_mesh(Settings(data_dir=tmp_path)) as mesh:
        quiet = io.BytesIO()
        soundfile.write(quiet, np.zeros(300 * RATE, np.int16), RATE, format="FLAC")
        with refused(ExhaustedError):
            await transcoded(mesh, quiet.getvalue(), "wav", Changes(sample_rate_hz=48_000))


async def test_who_may_not_talk_may_not_transcode(service: MediaMesh) -> None:
    with refused(NotAllowedError):
        request = service_pb.TranscodeRequest(content=b"x", format="wav")
        await service.stub.Transcode(request, metadata=service.authority.user_metadata(scopes="read"))


async def test_nothing_of_what_was_sent_stays(service: MediaMesh) -> None:
    await transcoded(service, good()["WAV"], "opus")
    with refused(BadAudioError):
        await transcoded(service, b"RIFF0000WAVE", "opus")
    assert service.all_files() == []


async def test_hostile_files_are_told_or_read_and_nobody_falls(tmp_path: Path) -> None:
    """All in one confined process, which a crash, or memory without bound, would end: a harder test than one each."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.services.media.sound.hostile_process", tmp_path, str(FEW)),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    told, _ = await process.communicate()
    assert process.returncode == 0
    outcomes = json.loads(told)
    assert len(outcomes["said"]) >= 200
    refusals = [said for said in outcomes["said"].values() if said != "read"]
    assert 50 < len(refusals) < len(outcomes["said"]) - 20
    assert outcomes["most_memory"] < 700 * 2**20


@pytest.mark.soak
@pytest.mark.timeout(900)
async def test_many_hostile_files_are_told_or_read_each_by_a_process_of_its_own(tmp_path: Path) -> None:
    outcomes: list[str] = []

    async def one(workshop: Workshop, number: int, content: bytes) -> None:
        file = tmp_path / f"source-{number}"
        file.write_bytes(content)
        try:
            await workshop.make(Convert((Part(str(file)),), str(tmp_path / f"target-{number}"), "wav"), BOUNDS)
            outcomes.append("read")
        except BadAudioError as error:
            outcomes.append(error.message)

    files = list(hostile(MANY))
    async with Workshop(Room(processes=2, queue=10_000)) as workshop, asyncio.TaskGroup() as group:
        for number, (_, content) in enumerate(files):
            group.create_task(one(workshop, number, content))
    assert len(outcomes) == len(files) > 1000
    # The largest of all processes that ended so far, in KiB.
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 < 700 * 2**20


@pytest.mark.parametrize(
    "bounds",
    [
        Bounds(60, 8, memory_bytes=1 * 2**20, cpu_s=20, output_bytes=2**26, wall_s=60),
        Bounds(60, 8, memory_bytes=2**29, cpu_s=20, output_bytes=1000, wall_s=60),
        Bounds(60_000, 8, memory_bytes=2**29, cpu_s=1, output_bytes=2**32, wall_s=60),
    ],
    ids=["memory", "disk", "processor"],
)
async def test_a_process_at_its_bound_ends_and_is_told(bounds: Bounds, tmp_path: Path) -> None:
    file = tmp_path / "source"
    # Six hours of silence in some hundred kilobytes.
    soundfile.write(file, np.zeros(6 * 3600 * 4000, np.int16), 4000, format="FLAC")
    job = Convert((Part(str(file)),), str(tmp_path / "target"), "wav", rate_hz=48_000)
    async with Workshop(Room(1, 1)) as workshop:
        with pytest.raises(BadAudioError):
            await workshop.make(job, bounds)


async def test_cancelling_ends_the_process(tmp_path: Path) -> None:
    file = tmp_path / "source"
    soundfile.write(file, np.zeros(3600 * 4000, np.int16), 4000, format="FLAC")
    began = asyncio.Event()
    job = Convert((Part(str(file)),), str(tmp_path / "target"), "mp3", rate_hz=48_000)
    bounds = Bounds(36_000, 8, 2**29, 60, 2**32, 60)
    async with Workshop(Room(1, 1)) as workshop:
        work = asyncio.create_task(workshop.make(job, bounds, lambda _: began.set()))
        async with asyncio.timeout(20):
            await began.wait()
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
    size = (tmp_path / "target").stat().st_size
    await asyncio.sleep(0.3)
    assert (tmp_path / "target").stat().st_size == size
