"""The session's stream to the engine."""

import asyncio
from collections.abc import AsyncIterator

from vivavoce.ai_engine.v1 import ai_engine_service_pb2 as service_pb
from vivavoce.ai_engine.v1 import engine_pb2 as engine_pb
from vivavoce.ai_engine.v1.ai_engine_service_pb2_grpc import (
    AiEngineServiceServicer,
    AiEngineServiceStub,
    add_AiEngineServiceServicer_to_server,
)
from vivavoce.type.v1 import audio_pb2 as audio_pb

from mesh.clock import SystemClock
from mesh.local import LocalChannel
from mesh.server import Service
from mesh.streams import DuplexStream, serve_stream
from mesh.testing import new_authority, until
from services.conversation.live.engine_link import EngineLink

FRAME = bytes(640)
PCM = audio_pb.AudioFormat(encoding=audio_pb.AUDIO_ENCODING_PCM_S16LE, sample_rate_hz=16_000)


class Listener(AiEngineServiceServicer):
    """An engine that only hears."""

    def __init__(self) -> None:
        self.heard = b""

    def Run(self, requests: AsyncIterator[service_pb.RunRequest], _: object) -> AsyncIterator[service_pb.RunResponse]:
        return serve_stream(requests, self._listen)

    async def _listen(self, stream: DuplexStream[service_pb.RunResponse, service_pb.RunRequest]) -> None:
        async for request in stream:
            if request.HasField("configure"):
                await stream.send(service_pb.RunResponse(configured=engine_pb.Configured()))
            self.heard += request.append_audio.pcm


async def ignore(_: object) -> None:
    pass


async def test_sound_that_came_faster_than_it_left_leaves_also_when_no_more_comes() -> None:
    engine, authority = Listener(), new_authority()  # type: ignore[abstract]  # Nobody calls the rest.
    service = Service(
        "vivavoce.ai_engine.v1.AiEngineService", lambda server: add_AiEngineServiceServicer_to_server(engine, server)
    )
    async with asyncio.timeout(20), LocalChannel([service], authority.verifier) as channel:
        link = EngineLink(
            AiEngineServiceStub(channel).Run,
            lambda: authority.service_metadata("conversation"),
            engine_pb.Configure(input_audio=PCM, output_audio=PCM),
            post=ignore,
            arrived_at=float,
            open_s=5,
            clock=SystemClock(),
        )
        running = asyncio.create_task(link.run())
        await link.configured
        for number in range(100):
            await link.hear(number * 320, FRAME)
        await until(lambda: len(engine.heard) == 100 * len(FRAME))
        await link.close()
        await running
