"""Recording over a stream: kept in segments, acknowledged when on disk, resumed and finished."""

import asyncio
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from vivavoce.media.v1 import media_pb2 as media_pb
from vivavoce.media.v1 import media_service_pb2 as service_pb
from vivavoce.type.v1 import audio_pb2 as audio_pb

from mesh.clock import VirtualClock
from mesh.errors import (
    AlreadyExistsError,
    BadAudioError,
    ConflictError,
    ExhaustedError,
    InvalidFieldError,
    NotAllowedError,
    NotFoundError,
    PreconditionError,
    UnavailableError,
    VivavoceError,
)
from mesh.streams import client_stream
from mesh.testing import no_leaked_tasks
from services.media.settings import Settings
from tests.services.calls import refused, until
from tests.services.media.conftest import LEARNER, TUTOR, MediaMesh, RecordStream, append, media_mesh, sound, start


class Vanished(Exception):  # noqa: N818 (not a fault)
    """Makes a client's stream break off."""


def seconds(track: media_pb.Track.ValueType, rate_hz: int, first: int, last: int) -> list[service_pb.RecordRequest]:
    """Sound from one second to another, in tenths."""
    tenth = rate_hz // 10
    return [append(track, number * tenth, tenth) for number in range(first * 10, last * 10)]


async def kept(stream: RecordStream, track: media_pb.Track.ValueType, samples: int) -> None:
    """Waits until so much is acknowledged."""
    async for answer in stream:
        if answer.track_kept.track == track and answer.track_kept.kept_samples >= samples:
            return
    raise AssertionError("the stream ended before")


async def test_both_tracks_are_read_back_as_they_were_sent(mesh: MediaMesh) -> None:
    learner, tutor = seconds(LEARNER, 16_000, 0, 8), seconds(TUTOR, 24_000, 2, 7)
    answers = await mesh.record(start(), *(each for pair in zip(learner, tutor, strict=False) for each in pair))
    assert answers[0].recording_started.recording_id == "rec_1"
    finished = answers[-1].recording_finished.recording
    assert finished == await mesh.get()
    assert finished.finished
    assert (await mesh.heard(LEARNER)).tobytes() == sound(0, 50 * 1600)
    assert (await mesh.heard(TUTOR)).tobytes() == bytes(2 * 48_000) + sound(48_000, 5 * 24_000)
    assert {each.track: each.samples for each in finished.tracks} == {LEARNER: 80_000, TUTOR: 168_000}
    assert {each.track: each.size_bytes for each in finished.tracks} == {LEARNER: 160_000, TUTOR: 240_000}


async def test_kept_sound_is_acknowledged_cumulatively_and_no_segment_lasts_five_seconds(mesh: MediaMesh) -> None:
    answers = await mesh.record(start(), *seconds(LEARNER, 16_000, 0, 20))
    told = [answer.track_kept.kept_samples for answer in answers if answer.HasField("track_kept")]
    assert told == sorted(set(told))
    assert told[-1] == 20 * 16_000
    assert max(b - a for a, b in zip([0, *told], told, strict=False)) < 5 * 16_000
    assert max(file.stat().st_size for file in mesh.files()) < 5 * 32_000


async def test_sound_that_trickles_is_kept_within_five_seconds(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with (
        media_mesh(Settings(data_dir=tmp_path, archive_processes=0), clock) as mesh,
        mesh.recording(start()) as stream,
    ):
        await stream.send(append(LEARNER, 0, 160))
        while (await anext(stream)).WhichOneof("event") != "recording_started":
            pass
        waiting = asyncio.create_task(kept(stream, LEARNER, 160))
        for _ in range(9):
            await asyncio.sleep(0.01)
            await clock.elapse(0.5)
        await waiting


async def test_what_a_vanished_stream_brought_is_kept_and_the_recording_goes_on(mesh: MediaMesh) -> None:
    with suppress(Vanished):
        async with mesh.recording(start(), *seconds(LEARNER, 16_000, 0, 4)) as stream:
            await kept(stream, LEARNER, 48_000)
            raise Vanished
    known: list[int] = []

    async def goes_on() -> bool:
        with suppress(ConflictError):
            async with mesh.recording(start()) as stream:
                assert (await anext(stream)).HasField("recording_started")
                known.append((await anext(stream)).track_kept.kept_samples)
                # It sends more than it has to, as one that did not hear the last acknowledgement.
                for request in seconds(LEARNER, 16_000, 2, 6):
                    await stream.send(request)
        return bool(known)

    await until(goes_on)
    assert known[0] >= 48_000
    assert (await mesh.heard()).tobytes() == sound(0, 96_000)


async def test_a_finished_recording_is_answered_as_it_is(mesh: MediaMesh) -> None:
    first = await mesh.record(start(), append(LEARNER, 0, 1600))
    again = await mesh.record(start(), append(LEARNER, 1600, 1600))
    assert again[-1] == first[-1]
    assert (await mesh.heard()).size == 1600


async def test_the_id_of_another_recording_is_refused(mesh: MediaMesh) -> None:
    await mesh.record(start())
    for other in (start(user_id="usr_other"), start(conversation_id="cnv_2")):
        with refused(AlreadyExistsError, field="start_recording.recording_id"):
            await mesh.record(other)


async def test_a_recording_is_made_by_one_stream_at_a_time(mesh: MediaMesh) -> None:
    async with mesh.recording(start()) as stream:
        await anext(stream)
        with refused(ConflictError):
            await mesh.record(start())
        # One that still sends while it is refused is told too, of whatever kind gRPC makes it.
        with refused(VivavoceError):
            await mesh.record(start(), *seconds(LEARNER, 16_000, 0, 10))
        await stream.done_sending()
    assert (await mesh.record(start()))[-1].recording_finished.recording.finished


async def test_more_recordings_than_allowed_are_refused(tmp_path: Path) -> None:
    async with media_mesh(Settings(data_dir=tmp_path, most_recordings=1)) as mesh, mesh.recording(start()) as stream:
        await anext(stream)
        with refused(ExhaustedError, reason="OVERLOADED"):
            await mesh.record(start("rec_2"))
        await stream.done_sending()


def appended(**fields: object) -> service_pb.RecordRequest:
    return service_pb.RecordRequest(append_track=media_pb.AppendTrack(**fields))  # type: ignore[arg-type]  # Odd ones.


@pytest.mark.parametrize(
    ("bad", "kind"),
    [
        (appended(track=LEARNER, first_sample=1600, pcm=b"\x00"), BadAudioError),
        (appended(track=LEARNER, first_sample=1600, pcm=bytes(96_002)), BadAudioError),
        (append(LEARNER, 1599, 10), BadAudioError),
        (append(LEARNER, 2**62, 10), BadAudioError),
        (appended(track=LEARNER, first_sample=-1), InvalidFieldError),
        (appended(track=7, first_sample=1600), InvalidFieldError),
        (appended(first_sample=1600), InvalidFieldError),
        (service_pb.RecordRequest(), InvalidFieldError),
        (start(), PreconditionError),
    ],
)
async def test_a_bad_message_ends_the_stream_and_what_came_before_is_kept(
    bad: service_pb.RecordRequest, kind: type[VivavoceError], tmp_path: Path
) -> None:
    async with media_mesh(Settings(data_dir=tmp_path, archive_processes=0)) as mesh:
        with refused(kind):
            await mesh.record(start(), append(LEARNER, 0, 1600), bad)

        async def kept_it() -> bool:
            return (await mesh.get()).tracks[0].samples > 0

        await until(kept_it)
        assert (await mesh.heard()).tobytes() == sound(0, 1600)
        assert not (await mesh.get()).finished


def encoded() -> service_pb.RecordRequest:
    request = start()
    request.start_recording.tutor_audio.encoding = audio_pb.AUDIO_ENCODING_OPUS
    return request


@pytest.mark.parametrize(
    ("first", "kind"),
    [
        (append(LEARNER, 0, 1), PreconditionError),
        (encoded(), InvalidFieldError),
        (start("../../etc"), InvalidFieldError),
        (start("REC"), InvalidFieldError),
        (start(""), InvalidFieldError),
        (start(user_id=""), InvalidFieldError),
    ],
)
async def test_a_bad_first_message_starts_nothing(
    first: service_pb.RecordRequest, kind: type[VivavoceError], tmp_path: Path
) -> None:
    async with media_mesh(Settings(data_dir=tmp_path, archive_processes=0)) as mesh:
        with refused(kind):
            await mesh.record(first)
        assert mesh.files() == []


async def test_a_stream_without_a_message_is_refused(tmp_path: Path) -> None:
    async with media_mesh(Settings(data_dir=tmp_path, archive_processes=0)) as mesh:
        with refused(PreconditionError, reason="STREAM_NOT_CONFIGURED"):
            await mesh.record()


async def test_a_learner_may_not_record(tmp_path: Path) -> None:
    async with media_mesh(Settings(data_dir=tmp_path, archive_processes=0)) as mesh:
        with refused(NotAllowedError):
            async with client_stream(mesh.stub.Record, metadata=mesh.authority.user_metadata()) as stream:
                await anext(stream)


async def test_a_recording_deleted_while_it_is_made_ends_and_leaves_nothing(mesh: MediaMesh) -> None:
    with refused(NotFoundError):
        async with mesh.recording(start(), *seconds(LEARNER, 16_000, 0, 4)) as stream:
            await kept(stream, LEARNER, 1)
            await mesh.delete()
            for request in seconds(LEARNER, 16_000, 4, 6):
                await stream.send(request)
            async for _ in stream:
                pass

    async def nothing_is_left() -> bool:
        return not mesh.files()

    await until(nothing_is_left)


async def test_a_disk_that_can_not_be_written_is_told_and_what_was_kept_stays(tmp_path: Path) -> None:
    async with media_mesh(Settings(data_dir=tmp_path, archive_processes=0)) as mesh:
        with refused(UnavailableError):
            async with mesh.recording(start(), *seconds(LEARNER, 16_000, 0, 3)) as stream:
                await kept(stream, LEARNER, 48_000)
                (mesh.folder / "rec_1" / "learner").rename(tmp_path / "away")
                (mesh.folder / "rec_1" / "learner").write_text("in the way")
                for request in seconds(LEARNER, 16_000, 3, 6):
                    await stream.send(request)
                async for _ in stream:
                    pass
        (mesh.folder / "rec_1" / "learner").unlink()
        (tmp_path / "away").rename(mesh.folder / "rec_1" / "learner")
        assert (await mesh.heard()).tobytes() == sound(0, 48_000)


async def test_a_stream_that_vanishes_leaves_nothing_running(tmp_path: Path) -> None:
    async with media_mesh(Settings(data_dir=tmp_path, archive_processes=0)) as mesh:
        await mesh.record(start("rec_0"))
        async with no_leaked_tasks():
            call = mesh.stub.Record(metadata=mesh.authority.service_metadata("conversation"))
            await call.write(start())
            await call.read()
            call.cancel()


async def test_a_forsaken_recording_is_finished_at_the_next_start(database_url: str, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, database_url=database_url, forsaken_after_s=0, archive_processes=0)
    async with media_mesh(settings) as mesh:
        call = mesh.stub.Record(metadata=mesh.authority.service_metadata("conversation"))
        for request in (start(), append(LEARNER, 0, 1600)):
            await call.write(request)
        await call.read()
        call.cancel()
    stray, part = mesh.folder / "rec_1/learner/000000009000.pcm", mesh.folder / "rec_1/learner/000000009000.pcm.part"
    stray.parent.mkdir(parents=True, exist_ok=True)
    stray.write_bytes(bytes(10))
    part.write_bytes(bytes(10))
    async with media_mesh(settings) as mesh:
        found = await mesh.get()
        assert found.finished
        heard = await mesh.heard()
        assert np.array_equal(heard, np.frombuffer(sound(0, 1600), "<i2")[: heard.size])
        assert not stray.exists()
        assert not part.exists()
