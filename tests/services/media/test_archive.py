"""Finished recordings get their lasting form: the same sound, smaller, that plays; and nothing else stays."""

import dataclasses
import io
import json
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from vivavoce.media.v1 import media_pb2 as media_pb
from vivavoce.media.v1 import media_service_pb2 as service_pb

from mesh.errors import InvalidFieldError, NotFoundError, VivavoceError
from services.media.settings import Settings
from tests.services.calls import refused, until
from tests.services.media.conftest import LEARNER, TUTOR, MediaMesh, append, media_mesh, sound, start
from tests.services.media.test_people import exported, forget


def mark(line_id: str, track: media_pb.Track.ValueType, first_sample: int, end_sample: int) -> service_pb.RecordRequest:
    line = media_pb.MarkLine(line_id=line_id, track=track, first_sample=first_sample, end_sample=end_sample)
    return service_pb.RecordRequest(mark_line=line)


async def record_both(mesh: MediaMesh, recording_id: str = "rec_1", user_id: str = "usr_test") -> media_pb.Recording:
    """The learner from the first second on, the tutor from the third, with silence between."""
    await mesh.record(
        start(recording_id, user_id),
        *(append(LEARNER, second * 16_000, 16_000) for second in range(4)),
        *(append(TUTOR, 24_000 * second, 24_000) for second in (2, 3)),
    )
    return await mesh.archived(recording_id, user_id)


async def test_an_archived_recording_downloads_to_the_same_sample(any_archive: MediaMesh) -> None:
    known = await record_both(any_archive)
    assert (await any_archive.heard(LEARNER)).tobytes() == sound(0, 64_000)
    assert (await any_archive.heard(TUTOR)).tobytes() == bytes(2 * 48_000) + sound(48_000, 48_000)
    assert (await any_archive.heard(TUTOR, 47_990, 48_020)).tobytes() == bytes(20) + sound(48_000, 20)
    assert {each.track: each.samples for each in known.tracks} == {LEARNER: 64_000, TUTOR: 96_000}
    with refused(InvalidFieldError, field="from_sample"):
        await any_archive.download(LEARNER, 64_001)


async def test_the_archive_holds_the_files_and_the_segments_are_gone(archive: MediaMesh) -> None:
    await record_both(archive)

    async def segments_are_gone() -> bool:
        return archive.files() == []

    await until(segments_are_gone)
    folder = archive.settings.archive() / "rec_1"
    assert {file.name for file in folder.iterdir()} == {
        *("learner.flac", "learner.opus", "learner.peaks", "tutor.flac", "tutor.opus", "tutor.peaks"),
        *("mix.opus", "recording.json"),
    }
    with av.open(folder / "mix.opus") as mix:
        stream = mix.streams.audio[0]
        assert (stream.channels, stream.rate) == (2, 48_000)
        assert abs(sum(frame.samples for frame in mix.decode(stream)) - 4 * 48_000) < 1000
    described = json.loads((folder / "recording.json").read_text())
    assert described["conversation_id"] == "cnv_1"
    assert set(described["files"]) == {file.name for file in folder.iterdir()} - {"recording.json"}


async def test_both_voices_are_in_the_mix_each_on_its_side(tmp_path: Path) -> None:
    async with media_mesh(Settings(data_dir=tmp_path)) as mesh:
        await record_both(mesh)
        with av.open(mesh.settings.archive() / "rec_1" / "mix.opus") as mix:
            frames = [frame.to_ndarray() for frame in mix.decode(audio=0)]
        left, right = np.concatenate(frames, axis=1) if frames[0].shape[0] == 2 else np.hstack(frames).reshape(-1, 2).T
        loud = [[float(np.abs(side[part]).mean()) for side in (left, right)] for part in (slice(0, 90_000),)]
        assert loud[0][0] > loud[0][1] * 1.5 > 0


async def test_a_line_is_told_where_it_was_spoken(any_archive: MediaMesh) -> None:
    await any_archive.record(
        start(),
        append(LEARNER, 0, 16_000),
        mark("trn_1", LEARNER, 1_600, 8_000),
        append(TUTOR, 0, 24_000),
        mark("rep_1", TUTOR, 12_000, 20_000),
        mark("trn_1", LEARNER, 1_600, 9_000),
    )
    told = [(each.line_id, each.track, each.first_sample, each.end_sample) for each in (await any_archive.get()).lines]
    assert told == [("trn_1", LEARNER, 1_600, 9_000), ("rep_1", TUTOR, 12_000, 20_000)]


@pytest.mark.parametrize(
    "bad", [mark("", LEARNER, 0, 1), mark("trn_1", LEARNER, 2, 1), mark("trn_1", media_pb.TRACK_UNSPECIFIED, 0, 1)]
)
async def test_a_line_that_makes_no_sense_ends_the_stream(bad: service_pb.RecordRequest, mesh: MediaMesh) -> None:
    with refused(InvalidFieldError):
        await mesh.record(start(), bad)


async def test_the_picture_of_a_track_has_its_lowest_and_highest(tmp_path: Path) -> None:
    async with media_mesh(Settings(data_dir=tmp_path)) as mesh:
        await record_both(mesh)
        request = service_pb.GetWaveformRequest(recording_id="rec_1", track=TUTOR, columns=4)
        answer = await mesh.stub.GetWaveform(request, metadata=mesh.authority.user_metadata())
        assert len(answer.lowest) == len(answer.highest) == 4
        assert answer.highest[:2] == [0, 0]
        assert min(answer.highest[2:]) > 50


async def test_a_recording_without_sound_is_archived_too(archive: MediaMesh) -> None:
    await archive.record(start())
    await archive.archived()
    assert (await archive.heard()).size == 0
    request = service_pb.GetWaveformRequest(recording_id="rec_1", track=TUTOR)
    assert not (await archive.stub.GetWaveform(request, metadata=archive.authority.user_metadata())).lowest


async def test_deletion_leaves_nothing_of_an_archived_recording(any_archive: MediaMesh) -> None:
    await record_both(any_archive)
    await record_both(any_archive, "rec_2")
    await any_archive.delete()
    assert {file.parts[-2] for file in any_archive.all_files()} == {"rec_2"}
    with refused(NotFoundError):
        await any_archive.get()


async def test_forgetting_leaves_nothing_of_archived_recordings(any_archive: MediaMesh) -> None:
    await record_both(any_archive)
    assert await forget(any_archive) == 1
    assert any_archive.all_files() == []


async def test_an_export_brings_the_archived_tracks_as_flac(archive: MediaMesh) -> None:
    await record_both(archive)
    files = await exported(archive)
    assert set(files) == {f"recordings/rec_1/{name}" for name in ("recording.json", "learner.flac", "tutor.flac")}
    samples, rate = soundfile.read(io.BytesIO(files["recordings/rec_1/learner.flac"]), dtype="int16")
    assert (rate, samples.tobytes()) == (16_000, sound(0, 64_000))


async def test_a_damaged_file_of_the_archive_is_noticed(tmp_path: Path) -> None:
    async with media_mesh(Settings(data_dir=tmp_path)) as mesh:
        await record_both(mesh)
        file = mesh.settings.archive() / "rec_1" / "learner.flac"
        file.write_bytes(file.read_bytes()[:-1] + b"\0")
        with refused(VivavoceError, reason="INTERNAL"):
            await mesh.download()


async def test_a_damaged_segment_is_not_archived_and_nothing_is_lost(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, archive_processes=0)
    async with media_mesh(settings) as mesh:
        await mesh.record(start(), append(LEARNER, 0, 160))
        (file,) = mesh.files()
        file.write_bytes(bytes(320))
        await mesh.record(start("rec_2"), append(LEARNER, 0, 160))
    async with media_mesh(Settings(data_dir=tmp_path)) as mesh:
        await mesh.archived("rec_2")
        assert not (await mesh.get("rec_1")).archived
        assert file.exists()


async def test_a_recording_interrupted_while_it_is_archived_is_archived_after_the_next_start(tmp_path: Path) -> None:
    async with media_mesh(Settings(data_dir=tmp_path, archive_processes=0)) as mesh:
        await mesh.record(start(), append(LEARNER, 0, 160))
        # As a crash leaves it: some files made, some stored, nothing noted.
        for folder in (mesh.settings.spool() / "rec_1" / "made", mesh.settings.archive() / "rec_1"):
            folder.mkdir(parents=True)
            (folder / "learner.flac").write_bytes(b"half")
            (folder / "tutor.flac.part").write_bytes(b"half")
    async with media_mesh(Settings(data_dir=tmp_path)) as mesh:
        await mesh.archived()
        assert (await mesh.heard()).tobytes() == sound(0, 160)


async def test_what_another_machine_removed_meanwhile_goes_at_the_next_start(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, archive_processes=0)
    stray = settings.spool() / "rec_gone" / "learner" / "000000000000.pcm"
    stored = settings.archive() / "rec_gone" / "mix.opus"
    async with media_mesh(settings) as mesh:
        await mesh.record(start())
    for file in (stray, stored):
        file.parent.mkdir(parents=True)
        file.write_bytes(bytes(10))
    async with media_mesh(settings) as mesh:
        assert mesh.all_files() == []


async def test_a_database_that_knows_nothing_costs_no_recording(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, archive_processes=0)
    async with media_mesh(settings) as mesh:
        await mesh.record(start(), append(LEARNER, 0, 160))
    other = dataclasses.replace(settings, database_url=f"sqlite:///{tmp_path / 'other.db'}")
    async with media_mesh(other) as mesh:
        assert len(mesh.files()) == 1
