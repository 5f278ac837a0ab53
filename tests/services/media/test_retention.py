"""Recordings are kept as long as the server and their learner wish, and no longer."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from vivavoce.media.v1 import media_service_pb2 as service_pb

from mesh.clock import SystemClock
from mesh.errors import InvalidFieldError
from services.media.settings import Settings
from tests.services.calls import refused
from tests.services.media.conftest import LEARNER, MediaMesh, append, media_mesh, start


class Ahead(SystemClock):
    """A clock that is so many days ahead."""

    def __init__(self, days: float) -> None:
        self._ahead = timedelta(days=days)

    def wall(self) -> datetime:
        return super().wall() + self._ahead


async def wish(mesh: MediaMesh, days: int, user_id: str = "usr_test") -> service_pb.SetRetentionResponse:
    request = service_pb.SetRetentionRequest(keep_days=days)
    return await mesh.stub.SetRetention(request, metadata=mesh.authority.user_metadata(user_id))


async def kept(mesh: MediaMesh) -> list[str]:
    """Whose recordings there still are."""
    found = []
    for user_id in ("usr_test", "usr_other"):
        listed = await mesh.page(service_pb.ListRecordingsRequest(), user_id)
        found += [user_id for _ in listed.recordings]
    return found


@pytest.mark.parametrize(
    ("longest", "wished", "after_days", "left"),
    [
        (0, 0, 5000, ["usr_test", "usr_other"]),
        (30, 0, 29.9, ["usr_test", "usr_other"]),
        (30, 0, 30.1, []),
        (30, 10, 10.1, ["usr_other"]),
        (30, 90, 30.1, []),
        (0, 10, 10.1, ["usr_other"]),
    ],
)
async def test_what_is_older_than_the_server_or_its_learner_wishes_is_removed(
    longest: int, wished: int, after_days: float, left: list[str], database_url: str, tmp_path: Path
) -> None:
    settings = Settings(data_dir=tmp_path, database_url=database_url, keep_days=longest, archive_processes=0)
    async with media_mesh(settings) as mesh:
        await mesh.record(start("rec_1"), append(LEARNER, 0, 160))
        await mesh.record(start("rec_2", "usr_other"), append(LEARNER, 0, 160))
        await wish(mesh, wished)
    async with media_mesh(settings, Ahead(after_days)) as mesh:
        assert await kept(mesh) == left
        assert len(mesh.all_files()) == len(left)


async def test_the_shorter_time_is_told(tmp_path: Path) -> None:
    async with media_mesh(Settings(data_dir=tmp_path, keep_days=30, archive_processes=0)) as mesh:
        await mesh.record(start(), append(LEARNER, 0, 160))
        known = await mesh.get()
        assert known.expire_time.ToDatetime() - known.begin_time.ToDatetime() == timedelta(days=30)
        answer = await wish(mesh, 7)
        assert (answer.keep_days, answer.longest_keep_days) == (7, 30)
        asked = await mesh.stub.GetRetention(service_pb.GetRetentionRequest(), metadata=mesh.authority.user_metadata())
        assert (asked.keep_days, asked.longest_keep_days) == (7, 30)
        known = await mesh.get()
        assert known.expire_time.ToDatetime() - known.begin_time.ToDatetime() == timedelta(days=7)
        with refused(InvalidFieldError, field="keep_days"):
            await wish(mesh, -1)


async def test_what_is_kept_for_good_tells_no_end(tmp_path: Path) -> None:
    async with media_mesh(Settings(data_dir=tmp_path, archive_processes=0)) as mesh:
        await mesh.record(start())
        assert not (await mesh.get()).HasField("expire_time")
