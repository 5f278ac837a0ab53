"""The media service on a real server, and its clients."""

import asyncio
import dataclasses
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from vivavoce.media.v1 import media_pb2 as media_pb
from vivavoce.media.v1 import media_service_pb2 as service_pb
from vivavoce.media.v1.media_service_pb2_grpc import MediaServiceStub
from vivavoce.type.v1 import audio_pb2 as audio_pb

from cli.stores.seaweedfs import SeaweedFs
from mesh.channel import open_channel
from mesh.clock import Clock, SystemClock
from mesh.ids import new_id
from mesh.peers import Peers
from mesh.streams import DuplexStream, client_stream
from mesh.testing import Authority, new_authority, serve
from mesh.tokens import ServiceTokens
from services.media.app import open_service
from services.media.settings import Settings
from tests.stores import OURS

if TYPE_CHECKING:
    from vivavoce.media.v1.media_service_pb2_grpc import MediaServiceAsyncStub

RecordStream = DuplexStream[service_pb.RecordRequest, service_pb.RecordResponse]

LEARNER, TUTOR = media_pb.TRACK_LEARNER, media_pb.TRACK_TUTOR
#: Rates of the tracks in these tests.
RATES = {LEARNER: 16_000, TUTOR: 24_000}


def sound(first_sample: int, samples: int) -> bytes:
    """Samples that tell their position: never zero, so that silence is told from sound."""
    return ((np.arange(first_sample, first_sample + samples) % 30_000) + 1).astype("<i2").tobytes()


def start(recording_id: str = "rec_1", user_id: str = "usr_test", **changes: str) -> service_pb.RecordRequest:
    started = media_pb.StartRecording(
        recording_id=recording_id,
        conversation_id=changes.get("conversation_id", "cnv_1"),
        session_id="ses_1",
        user_id=user_id,
        learner_audio=audio_pb.AudioFormat(sample_rate_hz=RATES[LEARNER]),
        tutor_audio=audio_pb.AudioFormat(encoding=audio_pb.AUDIO_ENCODING_PCM_S16LE, sample_rate_hz=RATES[TUTOR]),
    )
    return service_pb.RecordRequest(start_recording=started)


def append(track: media_pb.Track.ValueType, first_sample: int, samples: int) -> service_pb.RecordRequest:
    appended = media_pb.AppendTrack(track=track, first_sample=first_sample, pcm=sound(first_sample, samples))
    return service_pb.RecordRequest(append_track=appended)


@dataclass(frozen=True, slots=True)
class MediaMesh:
    """What a test of the media service needs."""

    stub: "MediaServiceAsyncStub"
    authority: Authority
    settings: Settings

    @property
    def folder(self) -> Path:
        """Where segments lie."""
        return self.settings.spool()

    @asynccontextmanager
    async def recording(self, *first: service_pb.RecordRequest) -> AsyncIterator[RecordStream]:
        """A stream on which `first` were sent."""
        metadata = self.authority.service_metadata("conversation")
        async with client_stream(self.stub.Record, metadata=metadata) as stream:
            for request in first:
                await stream.send(request)
            yield stream

    async def record(self, *requests: service_pb.RecordRequest) -> list[service_pb.RecordResponse]:
        """Records to the end; returns all answers."""
        async with self.recording(*requests) as stream:
            await stream.done_sending()
            return [answer async for answer in stream]

    async def get(self, recording_id: str = "rec_1", user_id: str = "usr_test") -> media_pb.Recording:
        request = service_pb.GetRecordingRequest(recording_id=recording_id)
        return (await self.stub.GetRecording(request, metadata=self.authority.user_metadata(user_id))).recording

    async def page(
        self, request: service_pb.ListRecordingsRequest, user_id: str = "usr_test"
    ) -> service_pb.ListRecordingsResponse:
        return await self.stub.ListRecordings(request, metadata=self.authority.user_metadata(user_id))

    async def download(
        self,
        track: media_pb.Track.ValueType = LEARNER,
        from_sample: int = 0,
        to_sample: int = 0,
        *,
        recording_id: str = "rec_1",
        user_id: str = "usr_test",
    ) -> list[bytes]:
        request = service_pb.DownloadRecordingRequest(
            recording_id=recording_id, track=track, from_sample=from_sample, to_sample=to_sample
        )
        call = self.stub.DownloadRecording(request, metadata=self.authority.user_metadata(user_id))
        return [piece.content async for piece in call]

    async def heard(
        self,
        track: media_pb.Track.ValueType = LEARNER,
        from_sample: int = 0,
        to_sample: int = 0,
        recording_id: str = "rec_1",
    ) -> NDArray[np.int16]:
        """A stretch of a track, as another program reads the file."""
        file = b"".join(await self.download(track, from_sample, to_sample, recording_id=recording_id))
        samples, rate = soundfile.read(io.BytesIO(file), dtype="int16")
        assert rate == RATES[track]
        read: NDArray[np.int16] = samples
        return read

    async def delete(self, recording_id: str = "rec_1", user_id: str = "usr_test") -> None:
        request = service_pb.DeleteRecordingRequest(recording_id=recording_id)
        await self.stub.DeleteRecording(request, metadata=self.authority.user_metadata(user_id))

    async def archived(
        self, recording_id: str = "rec_1", user_id: str = "usr_test", within_s: float = 30
    ) -> media_pb.Recording:
        """The recording once it is archived."""
        async with asyncio.timeout(within_s):
            while not (known := await self.get(recording_id, user_id)).archived:  # noqa: ASYNC110 (another process works)
                await asyncio.sleep(0.02)
        return known

    def files(self) -> list[Path]:
        """The segments, and what is made of them."""
        return sorted(path for path in self.folder.rglob("*") if path.is_file())

    def all_files(self) -> list[Path]:
        """All sound that is kept anywhere."""
        folders = (self.settings.spool(), self.settings.archive(), self.settings.shelf())
        return sorted(path for folder in folders for path in folder.rglob("*") if path.is_file())


@asynccontextmanager
async def media_mesh(settings: Settings, clock: Clock | None = None) -> AsyncIterator[MediaMesh]:
    authority = new_authority()
    async with (
        Peers({}, ServiceTokens(authority.signer, "media")) as peers,
        open_service(settings, peers, clock or SystemClock()) as service,
        serve([service], authority) as server,
        open_channel(server.address) as channel,
    ):
        yield MediaMesh(MediaServiceStub(channel), authority, settings)


@pytest.fixture
async def mesh(database_url: str, tmp_path: Path) -> AsyncIterator[MediaMesh]:
    """Recordings stay as they were made: nothing is archived."""
    async with media_mesh(Settings(data_dir=tmp_path, database_url=database_url, archive_processes=0)) as running:
        yield running


@pytest.fixture
async def archive(tmp_path: Path) -> AsyncIterator[MediaMesh]:
    """Recordings are archived as soon as they are finished."""
    async with media_mesh(Settings(data_dir=tmp_path)) as running:
        yield running


@pytest.fixture
async def any_archive(database_url: str, tmp_path: Path) -> AsyncIterator[MediaMesh]:
    """The same, on either database."""
    async with media_mesh(Settings(data_dir=tmp_path, database_url=database_url)) as running:
        yield running


@pytest.fixture
def in_bucket(seaweed: SeaweedFs, tmp_path: Path) -> Settings:
    """The settings of a service that keeps its files in a bucket, empty at first, below a prefix of its own."""
    return bucket_settings(seaweed, tmp_path)


def bucket_settings(seaweed: SeaweedFs, data_dir: Path, **changes: object) -> Settings:
    settings = Settings(
        data_dir=data_dir,
        store="s3",
        s3_profile="seaweedfs",
        s3_endpoint=seaweed.endpoint,
        s3_bucket=OURS.bucket,
        s3_prefix=f"{new_id('test')}/",
        s3_access_key=OURS.access_key,
        s3_secret_key=OURS.secret_key,
    )
    return dataclasses.replace(settings, **changes)  # type: ignore[arg-type]  # Settings by name.


def lying(seaweed: SeaweedFs, settings: Settings) -> set[str]:
    """What lies in the bucket below the prefix of these settings."""
    return {name for name in seaweed.names(OURS.bucket) if name.startswith(settings.s3_prefix)}
