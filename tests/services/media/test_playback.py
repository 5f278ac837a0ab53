"""Recordings are played: by links that end, lines beside each other, slower at the same pitch."""

import asyncio
import io
import shutil
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from vivavoce.media.v1 import media_pb2 as media_pb
from vivavoce.media.v1 import media_service_pb2 as service_pb

from mesh.clock import SystemClock
from mesh.errors import InvalidFieldError, NotAllowedError, NotFoundError, UnavailableError
from services.media.domain.playback import Playback
from services.media.links import LIFETIME_S, Links
from services.media.settings import Settings
from tests.services.calls import refused
from tests.services.media.conftest import LEARNER, TUTOR, MediaMesh, append, media_mesh, start
from tests.services.media.test_archive import mark, record_both

Request = service_pb.GetPlaybackRequest
SECOND = {LEARNER: 16_000, TUTOR: 24_000}


def tone(hz: float, track: media_pb.Track.ValueType, second: int) -> service_pb.RecordRequest:
    """A second of a tone."""
    rate = SECOND[track]
    samples = (8000 * np.sin(2 * np.pi * hz * np.arange(rate) / rate)).astype("<i2")
    appended = media_pb.AppendTrack(track=track, first_sample=second * rate, pcm=samples.tobytes())
    return service_pb.RecordRequest(append_track=appended)


@pytest.fixture(scope="module")
def talked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data of a talk: the learner says 440 Hz for two seconds, then the tutor 880 Hz for two."""
    folder = tmp_path_factory.mktemp("talked")

    async def record() -> None:
        async with media_mesh(Settings(data_dir=folder)) as mesh:
            await mesh.record(
                start(),
                *(tone(440, LEARNER, second) for second in range(2)),
                mark("trn_1", LEARNER, 0, 32_000),
                *(tone(880, TUTOR, second) for second in (2, 3)),
                mark("rep_1", TUTOR, 48_000, 96_000),
            )
            await mesh.archived()

    asyncio.run(record())
    return folder


@pytest.fixture
async def talk(talked: Path, tmp_path: Path) -> AsyncIterator[MediaMesh]:
    """A service that has the talk."""
    folder = shutil.copytree(talked, tmp_path / "talk")
    async with media_mesh(Settings(data_dir=folder)) as mesh:
        yield mesh


async def link_of(mesh: MediaMesh, request: Request, user_id: str = "usr_test") -> str:
    answer = await mesh.stub.GetPlayback(request, metadata=mesh.authority.user_metadata(user_id))
    return answer.url.removeprefix("/v1/playback/")


async def played(mesh: MediaMesh, link: str, first: int = 0, count: int = 0) -> tuple[service_pb.PlayedFile, bytes]:
    answers = [
        each async for each in mesh.stub.Play(service_pb.PlayRequest(link=link, first_byte=first, byte_count=count))
    ]
    return answers[0].file, b"".join(each.content for each in answers)


async def heard(mesh: MediaMesh, request: Request) -> tuple[NDArray[np.float64], int]:
    """What a WAV file of it sounds like."""
    request.format = "wav"
    _, content = await played(mesh, await link_of(mesh, request))
    samples, rate = soundfile.read(io.BytesIO(content))
    return samples, rate


def pitch_hz(samples: NDArray[np.float64], rate: int) -> float:
    """The loudest frequency."""
    return float(np.abs(np.fft.rfft(samples)).argmax() * rate / len(samples))


async def test_a_link_plays_the_whole_and_any_range_of_it(talk: MediaMesh) -> None:
    link = await link_of(talk, Request(recording_id="rec_1"))
    file, content = await played(talk, link)
    assert (file.content_type, file.name) == ("audio/ogg; codecs=opus", "rec_1.opus")
    assert len(content) == file.size_bytes
    assert (await played(talk, link, 10, 20))[1] == content[10:30]
    assert (await played(talk, link, -7))[1] == content[-7:]
    assert (await played(talk, link, 0, -1))[1] == b""
    with refused(InvalidFieldError, field="first_byte"):
        await played(talk, link, len(content))


@pytest.mark.parametrize("format_", ["opus", "mp3", "aac", "flac", "wav"])
async def test_every_format_plays(format_: str, talk: MediaMesh) -> None:
    link = await link_of(talk, Request(recording_id="rec_1", track=TUTOR, format=format_))
    _, content = await played(talk, link)
    with av.open(io.BytesIO(content), "r") as container:
        samples = sum(frame.samples for frame in container.decode(container.streams.audio[0]))
        assert samples / container.streams.audio[0].rate == pytest.approx(4, abs=0.1)


async def test_the_learners_line_plays_and_then_the_tutors(talk: MediaMesh) -> None:
    samples, rate = await heard(talk, Request(recording_id="rec_1", line_id="trn_1", beside_line_id="rep_1"))
    assert len(samples) / rate == pytest.approx(2 + 0.6 + 2, abs=0.05)
    assert pitch_hz(samples[: int(1.9 * rate)], rate) == pytest.approx(440, abs=3)
    assert pitch_hz(samples[-int(1.9 * rate) :], rate) == pytest.approx(880, abs=3)


@pytest.mark.parametrize("speed", [0.5, 0.75, 1.5])
async def test_a_slow_replay_takes_longer_and_keeps_its_pitch(speed: float, talk: MediaMesh) -> None:
    samples, rate = await heard(talk, Request(recording_id="rec_1", line_id="trn_1", speed=speed))
    assert len(samples) / rate == pytest.approx(2 / speed, rel=0.05)
    assert pitch_hz(samples, rate) == pytest.approx(440, abs=5)


async def test_a_conversation_of_several_sessions_plays_as_one(talk: MediaMesh) -> None:
    await record_both(talk, "rec_2")
    request = service_pb.GetConversationPlaybackRequest(conversation_id="cnv_1", format="wav")
    answer = await talk.stub.GetConversationPlayback(request, metadata=talk.authority.user_metadata())
    _, content = await played(talk, answer.url.removeprefix("/v1/playback/"))
    info = soundfile.info(io.BytesIO(content))
    assert (info.duration, info.channels) == (pytest.approx(8, abs=0.1), 2)
    other = service_pb.GetConversationPlaybackRequest(conversation_id="cnv_2")
    with refused(NotFoundError, field="conversation_id"):
        await talk.stub.GetConversationPlayback(other, metadata=talk.authority.user_metadata())


@pytest.mark.parametrize(
    ("request_", "kind", "field"),
    [
        (Request(recording_id="rec_1", line_id="trn_9"), NotFoundError, "line_id"),
        (Request(recording_id="rec_1", line_id="trn_1", beside_line_id="rep_9"), NotFoundError, "beside_line_id"),
        (Request(recording_id="rec_1", beside_line_id="rep_1"), InvalidFieldError, "line_id"),
        (Request(recording_id="rec_1", line_id="trn_1", track=TUTOR), InvalidFieldError, "track"),
        (Request(recording_id="rec_1", speed=0.2), InvalidFieldError, "speed"),
        (Request(recording_id="rec_1", speed=2.0), InvalidFieldError, "speed"),
        (Request(recording_id="rec_1", speed=float("nan")), InvalidFieldError, "speed"),
        (Request(recording_id="rec_1", format="wma"), InvalidFieldError, "format"),
        (Request(recording_id="rec_9"), NotFoundError, "recording_id"),
    ],
)
async def test_what_can_not_be_played_is_told(
    request_: Request, kind: type[InvalidFieldError | NotFoundError], field: str, talk: MediaMesh
) -> None:
    with refused(kind, field=field):
        await link_of(talk, request_)


async def test_nobody_gets_a_link_to_the_recording_of_another(talk: MediaMesh) -> None:
    with refused(NotFoundError, field="recording_id"):
        await link_of(talk, Request(recording_id="rec_1"), "usr_other")


async def test_a_link_that_was_changed_plays_nothing(talk: MediaMesh) -> None:
    link = await link_of(talk, Request(recording_id="rec_1"))
    for bad in ("garbled!", "x", link[:-2], ("B" if link[0] == "A" else "A") + link[1:], link[:60] + "A" + link[61:]):
        with refused(InvalidFieldError, field="link"):
            await played(talk, bad)


class Later(SystemClock):
    """A clock that is ahead."""

    def wall(self) -> datetime:
        return super().wall() + timedelta(seconds=LIFETIME_S + 1)


async def test_a_link_ends_after_an_hour() -> None:
    playback = Playback("usr_test", "rec_1", speed=0.75)
    link, _ = Links(b"key", SystemClock()).make(playback)
    assert Links(b"key", SystemClock()).read(link) == playback
    with pytest.raises(NotAllowedError):
        Links(b"key", Later()).read(link)
    with pytest.raises(InvalidFieldError):
        Links(b"other", SystemClock()).read(link)


async def test_a_link_to_a_deleted_recording_plays_nothing_and_no_replay_of_it_is_left(talk: MediaMesh) -> None:
    links = [await link_of(talk, Request(recording_id="rec_1", speed=speed)) for speed in (1.0, 0.5)]
    for link in links:
        await played(talk, link)
    await talk.delete()
    for link in links:
        with refused(NotFoundError):
            await played(talk, link)
    assert talk.all_files() == []


async def test_a_recording_that_is_not_archived_is_still_being_prepared(mesh: MediaMesh) -> None:
    await mesh.record(start(), append(LEARNER, 0, 160))
    with refused(UnavailableError):
        await link_of(mesh, Request(recording_id="rec_1"))


async def test_a_replay_is_made_once(talk: MediaMesh) -> None:
    request = Request(recording_id="rec_1", speed=0.5)
    first = await played(talk, await link_of(talk, request))
    (made,) = talk.settings.shelf().iterdir()
    inode = made.stat().st_ino
    assert await played(talk, await link_of(talk, request)) == first
    assert [file.stat().st_ino for file in talk.settings.shelf().iterdir()] == [inode]
