"""The media service is killed while it records: what it acknowledged is there, and whole."""

import asyncio
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from vivavoce.media.v1.media_service_pb2_grpc import MediaServiceStub

from mesh.channel import open_channel
from mesh.errors import VivavoceError
from mesh.testing import Authority, new_private_key_pem
from mesh.tokens import Jwk, TokenSigner, TokenVerifier
from services.media.settings import Settings
from tests.services.media.conftest import LEARNER, TUTOR, MediaMesh, RecordStream, append, sound, start

ROOT = Path(__file__).resolve().parents[3]
#: In the suite, and by `make soak`.
FEW, MANY = 3, 25
#: Ten minutes: more than is taken before a kill.
LONGEST_TENTHS = 6000


@dataclass(frozen=True, slots=True)
class Process:
    """The media service as a process."""

    mesh: MediaMesh
    kill: Callable[[], None]


@asynccontextmanager
async def media_process(folder: Path, signer: TokenSigner, private_key: Path) -> AsyncIterator[Process]:
    """The service in a process of its own, killed at the latest at the end of the block."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.services.media.media_process", folder, private_key),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )

    async def keys() -> list[Jwk]:
        return [signer.jwk()]

    try:
        assert process.stdout is not None
        address = (await process.stdout.readline()).decode().strip()
        async with open_channel(address) as channel:
            authority = Authority(signer, TokenVerifier(keys))
            settings = Settings(data_dir=folder)
            yield Process(MediaMesh(MediaServiceStub(channel), authority, settings), process.kill)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def talk(stream: RecordStream) -> None:
    """Both tracks from the beginning, in steps of a tenth of a second, as fast as they are taken."""
    for step in range(LONGEST_TENTHS):
        await stream.send(append(LEARNER, step * 1600, 1600))
        await stream.send(append(TUTOR, step * 2400, 2400))


async def record_until_killed(process: Process, kept: Counter[int], after_s: float) -> None:
    """Talks until both tracks have grown, and kills the service a moment later."""
    before = kept.copy()
    doomed = False
    async with process.mesh.recording(start()) as stream:
        talking = asyncio.create_task(talk(stream))
        try:
            async for answer in stream:
                told = answer.track_kept
                kept[told.track] = max(kept[told.track], told.kept_samples)
                if not doomed and all(kept[track] > before[track] for track in (LEARNER, TUTOR)):
                    asyncio.get_running_loop().call_later(after_s, process.kill)
                    doomed = True
        finally:
            talking.cancel()
            await asyncio.wait([talking])


async def test_what_was_acknowledged_survives_a_kill_at_any_moment(tmp_path: Path) -> None:
    await kill_while_recording(tmp_path, FEW)


@pytest.mark.soak
@pytest.mark.timeout(600)
async def test_what_was_acknowledged_survives_many_kills(tmp_path: Path) -> None:
    await kill_while_recording(tmp_path, MANY)


@pytest.mark.soak
@pytest.mark.timeout(600)
async def test_recordings_are_archived_whole_however_often_that_is_cut_off(tmp_path: Path) -> None:
    await kill_while_archiving(tmp_path, MANY)


async def test_a_recording_is_archived_whole_though_that_was_cut_off(tmp_path: Path) -> None:
    await kill_while_archiving(tmp_path, 2)


async def kill_while_archiving(tmp_path: Path, rounds: int) -> None:
    """Each round adds a recording, and ends while it, or one before it, is being archived."""
    chance = random.Random(11)
    pem = new_private_key_pem()
    signer, private_key = TokenSigner(pem, "test"), tmp_path / "key.pem"
    private_key.write_bytes(pem)
    for number in range(rounds):
        async with media_process(tmp_path, signer, private_key) as process:
            seconds = (append(LEARNER, each * 16_000, 16_000) for each in range(20))
            await process.mesh.record(start(f"rec_{number}"), *seconds)
            await asyncio.sleep(chance.random() * 0.8)
            process.kill()
    async with media_process(tmp_path, signer, private_key) as process:
        for number in range(rounds):
            recording_id = f"rec_{number}"
            await process.mesh.archived(recording_id, within_s=120)
            # Reading checks the sums of the files.
            heard = await process.mesh.heard(LEARNER, recording_id=recording_id)
            assert heard.tobytes() == sound(0, 20 * 16_000)
        assert process.mesh.files() == []


async def kill_while_recording(tmp_path: Path, rounds: int) -> None:
    chance = random.Random(7)
    pem = new_private_key_pem()
    signer, private_key = TokenSigner(pem, "test"), tmp_path / "key.pem"
    private_key.write_bytes(pem)
    kept: Counter[int] = Counter()
    for _ in range(rounds):
        async with media_process(tmp_path, signer, private_key) as process:
            with pytest.raises(VivavoceError):
                await record_until_killed(process, kept, chance.random() / 10)
    async with media_process(tmp_path, signer, private_key) as process:
        for track in (LEARNER, TUTOR):
            # Reading checks the sum of every segment.
            heard = await process.mesh.heard(track)
            assert heard.size >= kept[track] > 0
            assert heard.tobytes() == sound(0, heard.size)
