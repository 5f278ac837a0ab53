"""Sound is joined while the mesh is behind, never otherwise; order and positions always hold."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st
from vivavoce.conversation.v1 import conversation_service_pb2 as conversation_pb
from vivavoce.conversation.v1 import converse_pb2 as converse_pb

from edge.uplink import joined, open_uplink
from tests.edge.conftest import House, Session, ping, pong, sound, start

FRAME = bytes(640)


def test_adjacent_sound_is_joined_up_to_the_bound() -> None:
    first = sound(0, FRAME)
    assert joined(first, sound(320, FRAME), 1920)
    assert joined(first, sound(640, FRAME), 1920)
    assert not joined(first, sound(960, FRAME), 1920)
    assert len(first.append_audio.pcm) == 1920


def test_sound_after_a_gap_is_left_alone() -> None:
    assert not joined(sound(0, FRAME), sound(321, FRAME), 1920)


def test_sound_with_half_a_sample_reaches_the_service_as_it_came() -> None:
    assert not joined(sound(0, FRAME + b"\x00"), sound(320, FRAME), 1920)


def test_packets_are_left_as_they_came() -> None:
    packets = conversation_pb.ConverseRequest(append_audio=converse_pb.AppendAudio(opus_packets=[b"one"]))
    assert not joined(packets, packets, 1920)


def test_nothing_but_sound_is_joined() -> None:
    other = conversation_pb.ConverseRequest(ping=converse_pb.Ping(nonce=1))
    assert not joined(sound(0, FRAME), other, 1920)
    assert not joined(other, sound(0, FRAME), 1920)


@given(st.lists(st.integers(1, 700), max_size=30))
def test_joining_keeps_every_sample_in_its_place(sizes: list[int]) -> None:
    sent, position, kept = b"", 0, list[conversation_pb.ConverseRequest]()
    for index, size in enumerate(sizes):
        pcm = bytes([index % 256, size % 256]) * size
        message = sound(position, pcm)
        if not (kept and joined(kept[-1], message, 1920)):
            kept.append(message)
        sent, position = sent + pcm, position + size
    assert b"".join(each.append_audio.pcm for each in kept) == sent
    assert all(len(each.append_audio.pcm) <= 1920 for each in kept)


class SlowStream:
    """A stream that takes a message only when the test lets it."""

    def __init__(self) -> None:
        self.taken: list[conversation_pb.ConverseRequest] = []
        self.open = asyncio.Semaphore(0)

    def offer(self, message: conversation_pb.ConverseRequest) -> bool:
        return False

    async def send(self, message: conversation_pb.ConverseRequest) -> None:
        await self.open.acquire()
        self.taken.append(conversation_pb.ConverseRequest.FromString(message.SerializeToString()))


async def test_while_the_stream_is_behind_frames_wait_joined_and_in_order() -> None:
    stream = SlowStream()
    async with open_uplink(stream, 16_000) as uplink:
        await uplink.put(sound(0, FRAME))
        await asyncio.sleep(0)
        for index in range(1, 8):
            await uplink.put(sound(index * 320, FRAME))
        await uplink.put(conversation_pb.ConverseRequest(ping=converse_pb.Ping(nonce=1)))
        await uplink.put(sound(8 * 320, FRAME))
        for _ in range(10):
            stream.open.release()
        await uplink.emptied()
    sizes = [len(each.append_audio.pcm) // 640 for each in stream.taken]
    assert sizes == [1, 3, 3, 1, 0, 1]
    assert [each.append_audio.first_sample for each in stream.taken] == [0, 320, 1280, 2240, 0, 2560]


async def test_when_too_much_waits_the_reader_waits_too() -> None:
    stream = SlowStream()
    async with open_uplink(stream, 16_000) as uplink:

        async def put_many() -> None:
            for nonce in range(200):
                await uplink.put(conversation_pb.ConverseRequest(ping=converse_pb.Ping(nonce=nonce)))

        putting = asyncio.create_task(put_many())
        await asyncio.sleep(0.01)
        assert not putting.done()
        for _ in range(200):
            stream.open.release()
        await putting
        await uplink.emptied()
    assert [each.ping.nonce for each in stream.taken] == list(range(200))


async def test_a_stream_that_keeps_up_gets_each_frame_by_itself(house: House) -> None:
    heard: list[int] = []

    async def note(session: Session) -> None:
        async for request in session:
            if request.WhichOneof("event") == "append_audio":
                heard.append(len(request.append_audio.pcm))
            if request.WhichOneof("event") == "ping":
                await session.send(pong(request.ping.nonce))

    house.conversations.script = note
    async with house.socket() as socket:
        await socket.send(start().SerializeToString())
        for index in range(20):
            await socket.send(sound(index * 320, FRAME).SerializeToString())
            await socket.send(ping(index))
            await socket.recv()
    assert heard == [640] * 20
