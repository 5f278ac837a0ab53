"""Clients that tests of the whole mesh share."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, TypeVar

import grpc
from vivavoce.ai_engine.v1 import ai_engine_service_pb2 as engine_pb
from vivavoce.ai_engine.v1.ai_engine_service_pb2_grpc import AiEngineServiceStub
from vivavoce.conversation.v1 import conversation_pb2 as settings_pb
from vivavoce.conversation.v1 import conversation_service_pb2 as conversation_pb
from vivavoce.conversation.v1 import converse_pb2 as converse_pb
from vivavoce.conversation.v1.conversation_service_pb2_grpc import ConversationServiceStub
from vivavoce.type.v1 import audio_pb2 as audio_pb
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from cli.compose import RunningMesh
from cli.talking.sound import Sound
from mesh.channel import call_metadata
from mesh.streams import DuplexStream, client_stream

_SYNTHESIS_S: Final = 20.0
T = TypeVar("T")
Stream = DuplexStream[conversation_pb.ConverseRequest, conversation_pb.ConverseResponse]
Request = conversation_pb.ConverseRequest


def start(
    settings: settings_pb.ConversationSettings | None = None,
    *,
    conversation_id: str = "",
    input_hz: int = 16_000,
) -> Request:
    """The first message of a session."""
    first = converse_pb.StartSession(
        input_audio=audio_pb.AudioFormat(encoding=audio_pb.AUDIO_ENCODING_PCM_S16LE, sample_rate_hz=input_hz),
        output_audio=audio_pb.AudioFormat(encoding=audio_pb.AUDIO_ENCODING_PCM_S16LE, sample_rate_hz=24_000),
        client="test",
    )
    if conversation_id:
        first.conversation_id = conversation_id
    else:
        first.new_conversation.CopyFrom(settings or settings_pb.ConversationSettings())
    return Request(start_session=first)


def audio(pcm: bytes, first_sample: int = 0) -> Request:
    """A frame."""
    return Request(append_audio=converse_pb.AppendAudio(first_sample=first_sample, pcm=pcm))


@asynccontextmanager
async def converse(channel: grpc.aio.Channel, token: str, *first: Request) -> AsyncIterator[Stream]:
    """A stream on which `first` was sent."""
    method = ConversationServiceStub(channel).Converse
    async with client_stream(method, metadata=call_metadata(token)) as stream:
        for request in first:
            await stream.send(request)
        yield stream


async def next_of(
    stream: AsyncIterator[conversation_pb.ConverseResponse], event: str
) -> conversation_pb.ConverseResponse:
    """The next event of a kind; passes over the others."""
    async with asyncio.timeout(15):
        async for response in stream:
            if response.WhichOneof("event") == event:
                return response
    raise AssertionError(f"the stream ended without {event}")


async def spoken(channel: grpc.aio.Channel, token: str, line: str) -> Sound:
    """A line as the local synthesizer speaks it, without silence around it."""
    request = engine_pb.SynthesizeLineRequest(text=line)
    answer = await AiEngineServiceStub(channel).SynthesizeLine(
        request, metadata=call_metadata(token), timeout=_SYNTHESIS_S
    )
    return Sound(answer.pcm, answer.audio_format.sample_rate_hz).at_rate(16_000).trimmed()


async def eventually(look: Callable[[], Awaitable[T | None]], within_s: float = 10.0) -> T:
    """What `look` finds, as soon as it finds something: what happens behind the scenes tells nobody when it is done."""
    async with asyncio.timeout(within_s):
        while True:
            if found := await look():
                return found
            await asyncio.sleep(0.05)


async def sent_until_closed(socket: ClientConnection, *frames: bytes) -> int:
    """The code with which the server closes the socket on which `frames` are sent."""
    try:
        for frame in frames:
            await socket.send(frame)
        async with asyncio.timeout(10):
            while True:
                await socket.recv()
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else 1006


def open_raw(mesh: RunningMesh, token: str) -> connect:
    """A bare socket, with which anything can be sent."""
    return connect(socket_address(mesh), additional_headers={"Authorization": f"Bearer {token}"}, proxy=None)


def socket_address(mesh: RunningMesh) -> str:
    return f"ws{mesh.web.removeprefix('http')}/v1/converse"
