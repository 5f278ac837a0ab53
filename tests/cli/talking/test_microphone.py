"""Recordings leave the microphone as if they were being spoken."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from vivavoce.conversation.v1 import conversation_service_pb2 as conversation_pb

from cli.talking.microphone import RecordedMicrophone

RATE_HZ = 16_000
FRAME = 320


class RecordingWire:
    """Keeps what is sent, and when."""

    def __init__(self) -> None:
        self.sent: list[tuple[float, int, bytes]] = []

    async def send(self, message: conversation_pb.ConverseRequest) -> None:
        audio = message.append_audio
        self.sent.append((asyncio.get_running_loop().time(), audio.first_sample, audio.pcm))

    async def __aiter__(self) -> AsyncIterator[conversation_pb.ConverseResponse]:
        return
        yield


@asynccontextmanager
async def a_microphone() -> AsyncIterator[tuple[RecordedMicrophone, RecordingWire]]:
    wire = RecordingWire()
    microphone = RecordedMicrophone(wire, RATE_HZ)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(microphone.run())
        yield microphone, wire
        running.cancel()


async def test_frames_follow_one_another_without_a_gap_and_the_last_is_filled_with_silence() -> None:
    spoken = b"\x01\x02" * (2 * FRAME + 100)
    async with a_microphone() as (microphone, wire):
        first = await microphone.say(spoken)
    sent = wire.sent[first // FRAME : first // FRAME + 3]
    assert [position for _, position, _ in wire.sent] == [FRAME * number for number in range(len(wire.sent))]
    assert b"".join(pcm for _, _, pcm in sent) == spoken.ljust(3 * 2 * FRAME, b"\0")


async def test_no_frame_leaves_before_its_last_sample_would_have_been_captured() -> None:
    async with a_microphone() as (microphone, wire):
        await microphone.say(bytes(2 * FRAME * 4))
        captured = [(at, microphone.captured_at(position + FRAME)) for at, position, _ in wire.sent]
    assert all(at >= due - 0.001 for at, due in captured)
