"""A recording outlives the media service: what it had not kept is sent again, and nothing is lost or doubled."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from vivavoce.media.v1 import media_pb2 as media_pb
from vivavoce.media.v1 import media_service_pb2 as service_pb
from vivavoce.media.v1.media_service_pb2_grpc import MediaServiceStub
from vivavoce.type.v1 import audio_pb2 as audio_pb

from mesh.channel import open_channel
from mesh.clock import SystemClock
from mesh.peers import Peers
from mesh.server import MeshServer
from mesh.testing import Authority, new_authority
from mesh.tokens import ServiceTokens
from services.conversation.domain import events
from services.conversation.live.recording import Recording
from services.media.app import open_service
from services.media.settings import Settings
from tests.services.calls import until
from tests.services.media.conftest import LEARNER, TUTOR, MediaMesh, sound

TENTH = 1600
SECOND = 24_000
START = media_pb.StartRecording(
    recording_id="rec_1",
    conversation_id="cnv_1",
    user_id="usr_test",
    learner_audio=audio_pb.AudioFormat(sample_rate_hz=16_000),
    tutor_audio=audio_pb.AudioFormat(sample_rate_hz=SECOND),
)


@asynccontextmanager
async def media(settings: Settings, authority: Authority, address: str) -> AsyncIterator[None]:
    """The media service on that address for the length of the block; its streams are cut at the end."""
    async with (
        Peers({}, ServiceTokens(authority.signer, "media")) as nobody,
        open_service(settings, nobody, SystemClock()) as service,
        MeshServer([service], authority.verifier, address=address, drain_s=0.0, notice_s=0.0),
    ):
        yield


def free_address() -> str:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{found.getsockname()[1]}"


async def test_media_that_restarts_midway_loses_nothing(tmp_path: Path) -> None:
    authority, address = new_authority(), free_address()
    settings = Settings(data_dir=tmp_path, segment_s=0.5, archive_processes=0)
    told: list[events.Event] = []

    async def tell(event: events.Event) -> None:
        told.append(event)

    async with open_channel(address) as channel:
        stub = MediaServiceStub(channel)
        recording = Recording(
            stub.Record, lambda: authority.service_metadata("conversation"), START, tell, SystemClock()
        )

        async def speak(first: int, last: int) -> None:
            for tenth in range(first, last):
                recording.heard(tenth * TENTH, sound(tenth * TENTH, TENTH))
                await asyncio.sleep(0.001)

        async with media(settings, authority, address):
            running = asyncio.create_task(recording.run())
            await speak(0, 47)
            await until(lambda: _kept(MediaMesh(stub, authority, settings)))
        await speak(47, 80)
        async with media(settings, authority, address):
            await speak(80, 100)
            recording.close()
            async with asyncio.timeout(20):
                await running
            assert told == []
            assert (await MediaMesh(stub, authority, settings).heard(LEARNER)).tobytes() == sound(0, 100 * TENTH)


async def test_of_a_reply_that_nobody_reports_half_a_minute_waits_to_be_recorded(tmp_path: Path) -> None:
    authority, address = new_authority(), free_address()
    settings = Settings(data_dir=tmp_path, archive_processes=0)

    async def tell(event: events.Event) -> None:
        raise AssertionError(event)

    async with open_channel(address) as channel, media(settings, authority, address):
        stub = MediaServiceStub(channel)
        recording = Recording(
            stub.Record, lambda: authority.service_metadata("conversation"), START, tell, SystemClock()
        )
        running = asyncio.create_task(recording.run())
        for second in range(50):
            recording.sent("rep_1", second * SECOND, sound(second * SECOND, SECOND))
        recording.played("rep_1", 50 * SECOND, 0)
        recording.close()
        async with asyncio.timeout(20):
            await running
        heard = await MediaMesh(stub, authority, settings).heard(TUTOR)
    assert heard.tobytes() == sound(20 * SECOND, 30 * SECOND)


async def _kept(mesh: MediaMesh) -> bool:
    request = service_pb.ListRecordingsRequest()
    answer = await mesh.stub.ListRecordings(request, metadata=mesh.authority.user_metadata())
    return any(track.samples for recording in answer.recordings for track in recording.tracks)
