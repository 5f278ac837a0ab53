"""Everything kept about a person is exported, and forgotten for ever."""

from collections import defaultdict
from pathlib import Path

from vivavoce.media.v1 import media_service_pb2 as service_pb

from mesh.errors import NotAllowedError, NotFoundError
from services.media.settings import Settings
from tests.services.calls import refused
from tests.services.media.conftest import LEARNER, TUTOR, MediaMesh, append, media_mesh, sound, start


async def forget(mesh: MediaMesh, user_id: str = "usr_test", request_id: str = "req_1") -> int:
    request = service_pb.ForgetUserRequest(user_id=user_id, request_id=request_id)
    answer = await mesh.stub.ForgetUser(request, metadata=mesh.authority.service_metadata("user"))
    return answer.recording_count


async def exported(mesh: MediaMesh, user_id: str = "usr_test") -> dict[str, bytes]:
    files: defaultdict[str, bytes] = defaultdict(bytes)
    request = service_pb.ExportUserRequest(user_id=user_id)
    async for piece in mesh.stub.ExportUser(request, metadata=mesh.authority.service_metadata("user")):
        assert len(piece.data) <= 256 * 1024
        files[piece.path] += piece.data
    return dict(files)


async def test_forgetting_removes_the_recordings_of_one_person_only(mesh: MediaMesh) -> None:
    for number in range(3):
        await mesh.record(start(f"rec_{number}"), append(LEARNER, 0, 160), append(TUTOR, 0, 160))
    await mesh.record(start("rec_9", "usr_other"), append(LEARNER, 0, 160))
    assert await forget(mesh) == 3
    assert not (await mesh.page(service_pb.ListRecordingsRequest())).recordings
    assert {file.relative_to(mesh.folder).parts[0] for file in mesh.files()} == {"rec_9"}
    assert (await mesh.get("rec_9", "usr_other")).finished


async def test_the_same_request_again_has_the_same_receipt(mesh: MediaMesh) -> None:
    await mesh.record(start(), append(LEARNER, 0, 160))
    assert [await forget(mesh), await forget(mesh), await forget(mesh, request_id="req_2")] == [1, 1, 0]


async def test_a_late_recording_of_a_forgotten_person_is_refused(mesh: MediaMesh) -> None:
    assert await forget(mesh) == 0
    with refused(NotFoundError, field="start_recording.user_id"):
        await mesh.record(start(), append(LEARNER, 0, 160))
    assert mesh.files() == []
    await mesh.record(start("rec_9", "usr_other"))


async def test_a_recording_that_is_being_made_ends_when_its_learner_is_forgotten(mesh: MediaMesh) -> None:
    with refused(NotFoundError):
        async with mesh.recording(start()) as stream:
            await anext(stream)
            await forget(mesh)
            await stream.send(append(LEARNER, 0, 160))
            await stream.done_sending()
            async for _ in stream:
                pass
    assert mesh.files() == []


async def test_an_export_holds_every_track_of_every_recording(mesh: MediaMesh) -> None:
    for number in range(51):
        await mesh.record(start(f"rec_{number}"), append(LEARNER, 0, 160 + number))
    await mesh.record(start("rec_other", "usr_other"))
    files = await exported(mesh)
    assert len(files) == 51 * 3
    assert files["recordings/rec_7/learner.wav"][44:] == sound(0, 167)
    assert b'"conversation_id": "cnv_1"' in files["recordings/rec_7/recording.json"]


async def test_an_export_of_someone_without_recordings_is_empty(mesh: MediaMesh) -> None:
    assert await exported(mesh) == {}


async def test_a_person_may_not_forget_or_export_by_themselves(tmp_path: Path) -> None:
    async with media_mesh(Settings(data_dir=tmp_path, archive_processes=0)) as mesh:
        with refused(NotAllowedError):
            request = service_pb.ForgetUserRequest(user_id="usr_test", request_id="req_1")
            await mesh.stub.ForgetUser(request, metadata=mesh.authority.user_metadata())
        with refused(NotAllowedError):
            call = mesh.stub.ExportUser(
                service_pb.ExportUserRequest(user_id="usr_test"), metadata=mesh.authority.user_metadata()
            )
            await call.read()
