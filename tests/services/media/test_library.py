"""Recordings are listed, downloaded and deleted, each learner's own."""

from pathlib import Path

import pytest
from vivavoce.media.v1 import media_service_pb2 as service_pb

from mesh.errors import InvalidFieldError, NotFoundError, UnauthenticatedError, VivavoceError
from services.media.settings import Settings
from tests.services.calls import refused
from tests.services.media.conftest import LEARNER, TUTOR, MediaMesh, append, media_mesh, sound, start

Request = service_pb.ListRecordingsRequest


async def test_pages_hold_each_recording_once_latest_first(mesh: MediaMesh) -> None:
    for number in range(5):
        await mesh.record(start(f"rec_{number}", conversation_id=f"cnv_{number % 2}"))
    seen, token = [], ""
    while True:
        answer = await mesh.page(Request(page_size=2, page_token=token))
        seen.append([each.recording_id for each in answer.recordings])
        token = answer.next_page_token
        if not token:
            break
    assert seen == [["rec_4", "rec_3"], ["rec_2", "rec_1"], ["rec_0"]]
    narrowed = await mesh.page(Request(conversation_id="cnv_1"))
    assert [each.recording_id for each in narrowed.recordings] == ["rec_3", "rec_1"]


async def test_a_page_token_is_good_for_its_own_list_only(mesh: MediaMesh) -> None:
    await mesh.record(start("rec_1"))
    await mesh.record(start("rec_2"))
    token = (await mesh.page(Request(page_size=1))).next_page_token
    with refused(InvalidFieldError, field="page_token"):
        await mesh.page(Request(page_token=token), "usr_other")
    with refused(InvalidFieldError, field="page_token"):
        await mesh.page(Request(page_token=token, conversation_id="cnv_1"))
    with refused(InvalidFieldError, field="page_token"):
        await mesh.page(Request(page_token="garbled"))


async def test_nothing_is_listed_of_others_nor_of_odd_names(mesh: MediaMesh) -> None:
    await mesh.record(start())
    assert not (await mesh.page(Request(), "usr_other")).recordings
    assert not (await mesh.page(Request(conversation_id="\x00"))).recordings


@pytest.mark.parametrize(
    ("recording_id", "user_id"), [("rec_1", "usr_other"), ("rec_2", "usr_test"), ("\x00", "usr_test")]
)
async def test_the_recordings_of_others_and_none_are_not_found(
    mesh: MediaMesh, recording_id: str, user_id: str
) -> None:
    await mesh.record(start(), append(LEARNER, 0, 160))
    with refused(NotFoundError, field="recording_id"):
        await mesh.get(recording_id, user_id)
    with refused(NotFoundError, field="recording_id"):
        await mesh.download(recording_id=recording_id, user_id=user_id)
    with refused(NotFoundError, field="recording_id"):
        await mesh.delete(recording_id, user_id)
    assert (await mesh.heard()).size == 160


async def test_pieces_are_at_most_64_kib_and_a_long_gap_is_silence(mesh: MediaMesh) -> None:
    await mesh.record(start(), append(TUTOR, 0, 100), append(TUTOR, 1_000_000, 24_000))
    pieces = await mesh.download(TUTOR)
    assert max(map(len, pieces)) <= 64 * 1024
    assert (await mesh.heard(TUTOR)).tobytes() == sound(0, 100) + bytes(2 * 999_900) + sound(1_000_000, 24_000)
    assert sum(file.stat().st_size for file in mesh.files()) == 2 * 24_100


@pytest.mark.parametrize(("from_sample", "to_sample"), [(0, 1), (47_990, 48_010), (100_000, 0), (159_999, 999_999)])
async def test_a_stretch_is_cut_to_the_sample(from_sample: int, to_sample: int, tmp_path: Path) -> None:
    async with media_mesh(Settings(data_dir=tmp_path, archive_processes=0)) as mesh:
        await mesh.record(start(), *(append(LEARNER, second * 16_000, 16_000) for second in range(10)))
        end = min(to_sample or 160_000, 160_000)
        heard = await mesh.heard(LEARNER, from_sample, to_sample)
        assert heard.tobytes() == sound(from_sample, end - from_sample)


@pytest.mark.parametrize(
    ("from_sample", "to_sample", "field"), [(161, 0, "from_sample"), (20, 10, "to_sample"), (-1, 0, "from_sample")]
)
async def test_a_stretch_that_makes_no_sense_is_refused(
    from_sample: int, to_sample: int, field: str, tmp_path: Path
) -> None:
    async with media_mesh(Settings(data_dir=tmp_path, archive_processes=0)) as mesh:
        await mesh.record(start(), append(LEARNER, 0, 160))
        with refused(InvalidFieldError, field=field):
            await mesh.download(LEARNER, from_sample, to_sample)


async def test_a_recording_without_sound_is_an_empty_file(mesh: MediaMesh) -> None:
    await mesh.record(start())
    assert (await mesh.heard()).size == 0


async def test_deletion_leaves_no_file_and_no_row(mesh: MediaMesh) -> None:
    await mesh.record(start("rec_1"), append(LEARNER, 0, 160), append(TUTOR, 0, 160))
    await mesh.record(start("rec_2"), append(LEARNER, 0, 160))
    await mesh.delete("rec_1")
    assert {file.relative_to(mesh.folder).parts[0] for file in mesh.files()} == {"rec_2"}
    assert [each.recording_id for each in (await mesh.page(Request())).recordings] == ["rec_2"]
    with refused(NotFoundError):
        await mesh.get("rec_1")
    # The name is free again: no row is left that knows it.
    assert (await mesh.record(start("rec_1", "usr_other")))[-1].recording_finished.recording.finished


async def test_a_damaged_file_is_noticed(tmp_path: Path) -> None:
    async with media_mesh(Settings(data_dir=tmp_path, archive_processes=0)) as mesh:
        await mesh.record(start(), append(LEARNER, 0, 160))
        (file,) = mesh.files()
        file.write_bytes(bytes(320))
        with refused(VivavoceError, reason="INTERNAL"):
            await mesh.download()


async def test_the_library_is_for_the_signed_in(tmp_path: Path) -> None:
    async with media_mesh(Settings(data_dir=tmp_path, archive_processes=0)) as mesh:
        with refused(UnauthenticatedError):
            await mesh.stub.ListRecordings(Request())
