"""The store stops while recordings are made and archived: nobody who records notices, and nothing is lost."""

import asyncio
import dataclasses
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from vivavoce.media.v1 import media_service_pb2 as service_pb

from cli.stores.seaweedfs import SeaweedFs
from mesh.errors import ExhaustedError, UnavailableError
from services.media.settings import Settings
from tests.services.calls import refused
from tests.services.media.conftest import (
    LEARNER,
    MediaMesh,
    RecordStream,
    append,
    bucket_settings,
    lying,
    media_mesh,
    sound,
    start,
)
from tests.services.media.test_archive import record_both
from tests.stores import own_seaweedfs

TENTH = 1600


async def record_in_time(mesh: MediaMesh, recording_id: str, seconds: float) -> float:
    """Records in real time; the longest that one message took to be taken, in seconds."""
    longest = 0.0
    async with mesh.recording(start(recording_id)) as stream:
        heeding = asyncio.create_task(_heed(stream))
        for tenth in range(int(seconds * 10)):
            began_at = time.perf_counter()
            await stream.send(append(LEARNER, tenth * TENTH, TENTH))
            longest = max(longest, time.perf_counter() - began_at)
            await asyncio.sleep(0.1)
        await stream.done_sending()
        await heeding
    return longest


async def _heed(stream: RecordStream) -> None:
    async for _ in stream:
        pass


async def test_a_store_that_hangs_is_ridden_out(seaweed: SeaweedFs, tmp_path: Path) -> None:
    settings = bucket_settings(seaweed, tmp_path)
    async with media_mesh(settings) as mesh:
        seaweed.program.pause()
        try:
            await mesh.record(start("rec_1"), append(LEARNER, 0, TENTH))
            assert await record_in_time(mesh, "rec_2", 3) < 1
            assert not (await mesh.get("rec_2")).archived
            assert (await mesh.get("rec_2")).tracks[0].samples == 30 * TENTH
        finally:
            seaweed.program.resume()
        for recording_id in ("rec_1", "rec_2"):
            await mesh.archived(recording_id, within_s=50)
        assert len(lying(seaweed, settings)) == 10
        assert (await mesh.heard(LEARNER, recording_id="rec_2")).tobytes() == sound(0, 30 * TENTH)


async def test_a_full_spool_refuses_new_recordings_and_loses_none(seaweed: SeaweedFs, tmp_path: Path) -> None:
    settings = bucket_settings(seaweed, tmp_path, s3_endpoint="http://127.0.0.1:9", spool_mb=1)
    async with media_mesh(settings) as mesh:
        seconds = 1024 * 1024 * 0.9 // 32_000
        await mesh.record(start(), *(append(LEARNER, each * 16_000, 16_000) for each in range(int(seconds))))
        with refused(ExhaustedError, reason="OVERLOADED"):
            await mesh.record(start("rec_2"), append(LEARNER, 0, TENTH))
        assert (await mesh.heard()).size == int(seconds) * 16_000
    # The store is back: what waited is archived, and there is room again.
    async with media_mesh(dataclasses.replace(settings, s3_endpoint=seaweed.endpoint)) as mesh:
        await mesh.archived()
        assert (await mesh.record(start("rec_2"), append(LEARNER, 0, TENTH)))[-1].recording_finished.recording.finished


async def test_a_recording_that_fills_the_spool_ends_with_what_it_had(tmp_path: Path) -> None:
    async with media_mesh(Settings(data_dir=tmp_path, spool_mb=1, archive_processes=0)) as mesh:
        with refused(ExhaustedError, reason="OVERLOADED"):
            await mesh.record(start(), *(append(LEARNER, each * 16_000, 16_000) for each in range(60)))
        size = (await mesh.heard()).size
        assert size > 16_000 * 20
        assert (await mesh.heard()).tobytes() == sound(0, size)
        assert sum(file.stat().st_size for file in mesh.files()) <= 2**20


async def test_a_deletion_while_the_store_is_away_is_carried_out_later(seaweed: SeaweedFs, tmp_path: Path) -> None:
    settings = bucket_settings(seaweed, tmp_path)
    async with media_mesh(settings) as mesh:
        await record_both(mesh)
    away = dataclasses.replace(settings, s3_endpoint="http://127.0.0.1:9")
    async with media_mesh(away) as mesh:
        with refused(UnavailableError):
            await mesh.delete()
        assert not (await mesh.page(service_pb.ListRecordingsRequest())).recordings
    assert lying(seaweed, settings)
    async with media_mesh(settings):
        assert not lying(seaweed, settings)


@pytest.fixture
def own_seaweed() -> Iterator[SeaweedFs]:
    with own_seaweedfs() as server:
        yield server


@pytest.mark.soak
@pytest.mark.timeout(300)
async def test_a_store_killed_for_a_minute_midway_is_ridden_out(own_seaweed: SeaweedFs, tmp_path: Path) -> None:
    settings = bucket_settings(own_seaweed, tmp_path)
    async with media_mesh(settings) as mesh:
        talking = asyncio.create_task(record_in_time(mesh, "rec_1", 75))
        await record_both(mesh, "rec_2")
        await asyncio.sleep(5)
        own_seaweed.program.kill()
        await mesh.record(start("rec_3"), append(LEARNER, 0, TENTH))
        await asyncio.sleep(60)
        await asyncio.to_thread(own_seaweed.program.start)
        assert await talking < 1
        for recording_id in ("rec_1", "rec_3"):
            await mesh.archived(recording_id, within_s=120)
        assert (await mesh.heard(LEARNER)).tobytes() == sound(0, 750 * TENTH)
        assert len(lying(own_seaweed, settings)) == 8 + 2 * 5
