"""A learner's client: speaks, types, plays what comes, and remembers what it was told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
from vivavoce.conversation.v1 import conversation_pb2 as conversation_pb
from vivavoce.conversation.v1 import conversation_service_pb2 as service_pb
from vivavoce.conversation.v1 import converse_pb2 as converse_pb
from vivavoce.conversation.v1.conversation_service_pb2_grpc import ConversationServiceStub
from vivavoce.type.v1 import audio_pb2 as audio_pb

from mesh.streams import DuplexStream, Metadata, client_stream

FRAME = 320  # 20 ms at 16 kHz
LOUD = b"\x00\x30" * FRAME
QUIET = bytes(2 * FRAME)
IN = audio_pb.AudioFormat(sample_rate_hz=16_000)
OUT = audio_pb.AudioFormat(sample_rate_hz=24_000)

Stream = DuplexStream[service_pb.ConverseRequest, service_pb.ConverseResponse]


class Learner:
    def __init__(self, stream: Stream, *, plays: bool = True) -> None:
        self._stream = stream
        self.position = 0
        self.plays = plays
        self.events: list[service_pb.ConverseResponse] = []

    async def send(self, **event: object) -> None:
        await self._stream.send(service_pb.ConverseRequest(**event))  # type: ignore[arg-type]  # One of its events.

    async def start(
        self,
        *,
        conversation_id: str = "",
        settings: conversation_pb.ConversationSettings | None = None,
    ) -> converse_pb.SessionStarted:
        start = converse_pb.StartSession(input_audio=IN, output_audio=OUT, client="test")
        if conversation_id:
            start.conversation_id = conversation_id
        else:
            start.new_conversation.CopyFrom(settings or conversation_pb.ConversationSettings())
        await self.send(start_session=start)
        return (await self.until("session_started")).session_started

    async def resume(self, token: str, last_sequence: int = 0) -> converse_pb.SessionStarted:
        start = converse_pb.StartSession(input_audio=IN, output_audio=OUT, client="test")
        start.resume.resume_token = token
        start.resume.last_sequence = last_sequence
        await self.send(start_session=start)
        started = (await self.until("session_started")).session_started
        self.position = started.next_input_sample
        return started

    async def speak(self, frames: int = 10, *, pcm: bytes = LOUD) -> None:
        for _ in range(frames):
            await self.send(append_audio=converse_pb.AppendAudio(first_sample=self.position, pcm=pcm))
            self.position += len(pcm) // 2

    async def be_silent(self, frames: int = 1) -> None:
        await self.speak(frames, pcm=QUIET)

    async def say_something(self) -> None:
        await self.speak()
        await self.be_silent()

    async def done_sending(self) -> None:
        await self._stream.done_sending()

    async def next(self) -> service_pb.ConverseResponse:
        message = await anext(self._stream)
        self.events.append(message)
        if self.plays and message.WhichOneof("event") == "reply_audio":
            audio = message.reply_audio
            await self.report(audio.reply_id, audio.first_sample + len(audio.pcm) // 2)
        return message

    async def report(self, reply_id: str, samples: int) -> None:
        await self.send(report_played=converse_pb.ReportPlayed(reply_id=reply_id, samples=samples))

    async def until(self, kind: str, within_s: float = 5.0) -> service_pb.ConverseResponse:
        async with asyncio.timeout(within_s):
            while True:
                message = await self.next()
                if message.WhichOneof("event") == kind:
                    return message

    async def to_the_end(self, within_s: float = 5.0) -> list[str]:
        async with asyncio.timeout(within_s):
            try:
                while True:
                    await self.next()
            except StopAsyncIteration:
                return self.kinds()

    def kinds(self) -> list[str]:
        return [str(message.WhichOneof("event")) for message in self.events]


@asynccontextmanager
async def learner(channel: grpc.aio.Channel, metadata: Metadata, *, plays: bool = True) -> AsyncIterator[Learner]:
    async with client_stream(ConversationServiceStub(channel).Converse, metadata=metadata, outbox=256) as stream:
        yield Learner(stream, plays=plays)
