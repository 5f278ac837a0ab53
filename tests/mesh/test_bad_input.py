"""What the whole mesh answers to clients that do it wrong, and that nothing of them stays."""

import asyncio
from contextlib import suppress

import grpc
import pytest
from vivavoce.conversation.v1 import converse_pb2 as converse_pb
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from cli.compose import RunningMesh
from cli.talking.learner import join
from cli.talking.sound import Sound
from cli.talking.wires import open_grpc
from mesh.errors import (
    BadAudioError,
    InvalidFieldError,
    NotFoundError,
    PreconditionError,
    UnauthenticatedError,
    VivavoceError,
)
from tests.mesh.clients import Request, audio, converse, next_of, open_raw, sent_until_closed, socket_address, start
from tests.mesh.conftest import Watch
from tests.mesh.hosting import IN_PROCESSES
from tests.mesh.noise import white_noise

FRAME = bytes(640)
#: A proxy in between may give up on a body nobody reads before it has passed on the edge's goodbye.
TOO_LARGE = {1009, 1006} if IN_PROCESSES else {1009}


async def error_of(channel: grpc.aio.Channel, token: str, *requests: Request) -> VivavoceError:
    """What ends a session on which `requests` are sent."""
    try:
        async with converse(channel, token, *requests) as stream, asyncio.timeout(10):
            async for _ in stream:
                pass
    except VivavoceError as error:
        return error
    pytest.fail("the session ended without an error")


async def test_without_a_token_nobody_talks(channel: grpc.aio.Channel) -> None:
    error = await error_of(channel, "", start())
    assert isinstance(error, UnauthenticatedError)
    assert error.reason == "TOKEN_MISSING"


@pytest.mark.parametrize("wrong", ["nonsense", "a.b.c"])
async def test_a_wrong_token_is_refused_over_grpc(channel: grpc.aio.Channel, wrong: str) -> None:
    error = await error_of(channel, wrong, start())
    assert isinstance(error, UnauthenticatedError)
    assert error.reason == "TOKEN_INVALID"


async def test_a_wrong_token_is_refused_before_the_socket_opens(mesh: RunningMesh) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await connect(socket_address(mesh), additional_headers={"Authorization": "Bearer nonsense"}, proxy=None)
    assert refused.value.response.status_code == 401


async def test_an_unknown_conversation_is_not_found(channel: grpc.aio.Channel, token: str, watch: Watch) -> None:
    assert isinstance(await error_of(channel, token, start(conversation_id="cnv_nobodys")), NotFoundError)
    await watch.settled()


async def test_another_persons_conversation_is_not_found(
    mesh: RunningMesh, channel: grpc.aio.Channel, token: str
) -> None:
    async with converse(channel, token, start()) as stream:
        started = await next_of(stream, "session_started")
        conversation_id = started.session_started.conversation.conversation_id
        stranger = await mesh.guest_token()
        error = await error_of(channel, stranger, start(conversation_id=conversation_id))
    assert isinstance(error, NotFoundError)


async def test_sound_before_the_start_is_refused(channel: grpc.aio.Channel, token: str, watch: Watch) -> None:
    error = await error_of(channel, token, audio(FRAME))
    assert isinstance(error, PreconditionError)
    assert error.reason == "STREAM_NOT_CONFIGURED"
    await watch.settled()


async def test_a_second_start_is_refused(channel: grpc.aio.Channel, token: str, watch: Watch) -> None:
    error = await error_of(channel, token, start(), start())
    assert isinstance(error, PreconditionError)
    assert error.reason == "STREAM_ALREADY_CONFIGURED"
    await watch.settled()


async def test_a_sample_rate_nobody_has_is_refused_by_name(channel: grpc.aio.Channel, token: str) -> None:
    error = await error_of(channel, token, start(input_hz=12_345))
    assert isinstance(error, InvalidFieldError)
    assert error.field == "start_session.input_audio.sample_rate_hz"


async def test_half_a_sample_is_refused(channel: grpc.aio.Channel, token: str, watch: Watch) -> None:
    error = await error_of(channel, token, start(), audio(FRAME + b"\0"))
    assert isinstance(error, BadAudioError)
    assert error.field == "append_audio.pcm"
    await watch.settled()


async def test_a_gap_in_the_sound_is_refused(channel: grpc.aio.Channel, token: str) -> None:
    error = await error_of(channel, token, start(), audio(FRAME), audio(FRAME, first_sample=4_800))
    assert isinstance(error, BadAudioError)
    assert error.field == "append_audio.first_sample"


async def test_more_than_a_second_of_sound_at_once_is_refused(channel: grpc.aio.Channel, token: str) -> None:
    error = await error_of(channel, token, start(), audio(bytes(2 * 16_001)))
    assert isinstance(error, InvalidFieldError)


async def test_sound_far_faster_than_real_time_is_refused(channel: grpc.aio.Channel, token: str) -> None:
    frames = [audio(bytes(2 * 16_000), first_sample=16_000 * second) for second in range(20)]
    assert (await error_of(channel, token, start(), *frames)).reason == "AUDIO_TOO_FAST"


async def test_ten_megabytes_at_once_are_refused_over_grpc(mesh: RunningMesh, token: str, watch: Watch) -> None:
    # Longer than the client itself would send: what a client of another make can do.
    async with grpc.aio.insecure_channel(mesh.grpc, options=[("grpc.max_send_message_length", -1)]) as generous:
        error = await error_of(generous, token, start(), audio(bytes(10_000_000)))
    assert error.code.value in ("RESOURCE_EXHAUSTED", "INVALID_ARGUMENT")
    await watch.settled()


async def test_ten_megabytes_at_once_close_the_socket(mesh: RunningMesh, token: str, watch: Watch) -> None:
    async with open_raw(mesh, token) as socket:
        assert await sent_until_closed(socket, start().SerializeToString(), bytes(10_000_000)) in TOO_LARGE
    await watch.settled()


async def test_bytes_that_are_no_message_close_the_socket(mesh: RunningMesh, token: str) -> None:
    async with open_raw(mesh, token) as socket:
        assert await sent_until_closed(socket, b"\xff\xff\xff\xff") == 4400


async def test_silence_starts_nothing_and_the_session_goes_on(
    channel: grpc.aio.Channel, token: str, watch: Watch
) -> None:
    async with converse(channel, token, start()) as stream:
        for number in range(4):
            await stream.send(audio(bytes(2 * 16_000), first_sample=16_000 * number))
        await stream.send(Request(ping=converse_pb.Ping(nonce=7)))
        kinds = []
        async with asyncio.timeout(10):
            async for response in stream:
                kinds.append(response.WhichOneof("event"))
                if kinds[-1] == "pong":
                    break
        assert "speech_started" not in kinds
        await stream.send(Request(end_session=converse_pb.EndSession()))
        await next_of(stream, "session_ended")
    await watch.settled()


async def test_noise_is_no_turn_and_the_learner_is_told_nothing_was_understood(
    channel: grpc.aio.Channel, token: str, watch: Watch
) -> None:
    async with (
        open_grpc(channel, token) as wire,
        join(wire, start().start_session.new_conversation, input_hz=16_000, client="test") as learner,
    ):
        await learner.hear_opener()
        answer = await learner.say(Sound(white_noise(1.5, 16_000), 16_000))
        await learner.end()
    assert (answer.transcript, answer.outcome) == ("", "unheard")
    await watch.settled()


async def test_a_client_that_vanishes_leaves_nothing_running(mesh: RunningMesh, token: str, watch: Watch) -> None:
    async with open_raw(mesh, token) as socket:
        await socket.send(start().SerializeToString())
        await socket.recv()
        await socket.send(audio(FRAME).SerializeToString())
        # No goodbye: the machine lost its power.
        socket.transport.abort()
    await watch.settled()


async def test_a_call_that_is_cancelled_leaves_nothing_running(
    channel: grpc.aio.Channel, token: str, watch: Watch
) -> None:
    with suppress(ConnectionAbortedError):
        async with converse(channel, token, start()) as stream:
            await next_of(stream, "reply_audio")
            raise ConnectionAbortedError
    await watch.settled()


async def test_others_talk_on_while_one_client_does_it_wrong(channel: grpc.aio.Channel, token: str) -> None:
    async with converse(channel, token, start()) as stream:
        await next_of(stream, "session_started")
        await error_of(channel, token, start(), audio(b"\0"))
        await stream.send(Request(ping=converse_pb.Ping(nonce=3)))
        assert (await next_of(stream, "pong")).pong.nonce == 3
