"""The talking socket carries both directions in order, in either form, and ends with its client or its session."""

import asyncio
import json
from contextlib import suppress

import pytest
from vivavoce.conversation.v1 import conversation_service_pb2 as conversation_pb
from vivavoce.conversation.v1 import converse_pb2 as converse_pb
from vivavoce.type.v1 import error_pb2 as error_pb
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from mesh.errors import (
    BadAudioError,
    ConflictError,
    ExhaustedError,
    NotAllowedError,
    NotFoundError,
    PreconditionError,
    ProviderError,
    TimedOutError,
    UnauthenticatedError,
    UnavailableError,
    VivavoceError,
)
from mesh.testing import no_leaked_tasks
from tests.edge.conftest import House, Session, answer, open_house, ping, pong, sound, start
from tests.edge.scripts import Flood, echo_pings, wait_for_ever

START_JSON = json.dumps(
    {
        "startSession": {
            "newConversation": {"scenarioId": "cafe"},
            "inputAudio": {"sampleRateHz": 16000},
            "outputAudio": {"sampleRateHz": 24000},
        }
    }
)


async def closed(socket: ClientConnection) -> tuple[int, str]:
    """The close code and reason of a socket, what it still brings dropped."""
    with suppress(ConnectionClosed):
        async for _ in socket:
            pass
    assert socket.close_code is not None
    return socket.close_code, socket.close_reason or ""


async def test_binary_frames_are_answered_in_binary_and_in_order(either_house: House) -> None:
    either_house.conversations.script = echo_pings
    async with either_house.socket() as socket:
        await socket.send(start().SerializeToString())
        for nonce in range(200):
            await socket.send(ping(nonce))
        assert [(await answer(socket)).pong.nonce for _ in range(200)] == list(range(200))


async def test_text_frames_are_answered_in_protobuf_json(either_house: House) -> None:
    either_house.conversations.script = echo_pings
    async with either_house.socket() as socket:
        await socket.send(START_JSON)
        await socket.send('{"ping": {"nonce": "7"}}')
        assert json.loads(await socket.recv()) == {"pong": {"nonce": "7"}}


async def test_answers_keep_the_form_of_the_first_message(house: House) -> None:
    house.conversations.script = echo_pings
    async with house.socket() as socket:
        await socket.send(START_JSON)
        await socket.send(ping(8))
        assert json.loads(await socket.recv()) == {"pong": {"nonce": "8"}}


async def test_a_second_of_sound_passes_in_either_form(house: House) -> None:
    heard: list[int] = []

    async def listen(session: Session) -> None:
        async for request in session:
            if request.WhichOneof("event") == "append_audio":
                heard.append(len(request.append_audio.pcm))
                await session.send(pong(len(heard)))

    house.conversations.script = listen
    async with house.socket() as socket:
        await socket.send(start(48_000).SerializeToString())
        await socket.send(sound(0, bytes(96_000)).SerializeToString())
        await answer(socket)
        await socket.send(json.dumps({"appendAudio": {"firstSample": "48000", "pcm": "A" * 128_000}}))
        await answer(socket)
    assert heard == [96_000, 96_000]


async def test_a_session_that_ends_closes_the_socket_normally(either_house: House) -> None:
    either_house.conversations.script = echo_pings
    async with either_house.socket() as socket:
        await socket.send(start().SerializeToString())
        await socket.send(conversation_pb.ConverseRequest(end_session=converse_pb.EndSession()).SerializeToString())
        assert (await answer(socket)).session_ended.turn_count == 1
        assert await closed(socket) == (1000, "")


async def test_a_session_ended_for_a_reason_closes_with_its_code(house: House) -> None:
    async def end_idle(session: Session) -> None:
        ended = conversation_pb.ConverseResponse()
        ended.session_ended.failure.reason = error_pb.ERROR_REASON_IDLE
        await session.send(ended)

    house.conversations.script = end_idle
    async with house.socket() as socket:
        await socket.send(start().SerializeToString())
        assert await closed(socket) == (4408, "IDLE")


async def test_the_service_learns_who_calls_from_where_and_in_which_trace(house: House) -> None:
    house.conversations.script = echo_pings
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    headers = {**house.signed_in, "traceparent": trace}
    async with house.socket(additional_headers=headers) as socket:
        await socket.send(start().SerializeToString())
        await socket.send(ping(1))
        await answer(socket)
    seen = house.conversations.metadata
    assert seen["authorization"] == headers["authorization"]
    assert seen["x-forwarded-for"] == "127.0.0.1"
    assert seen["traceparent"].startswith("00-0af7651916cd43dd8448eb211c80319c-")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UnauthenticatedError("Expired."), 4401),
        (NotAllowedError("Not yours."), 4403),
        (NotFoundError("No such conversation."), 4404),
        (BadAudioError("Odd.", field="append_audio.pcm"), 4400),
        (PreconditionError("Start first."), 4400),
        (PreconditionError("Live elsewhere.", reason="CONVERSATION_CLOSED"), 4409),
        (ConflictError("Changed."), 4409),
        (ExhaustedError("Full."), 4429),
        (ExhaustedError("Not read.", reason="TOO_SLOW"), 4408),
        (TimedOutError("Nothing said.", reason="IDLE"), 4408),
        (ProviderError("No voice."), 1013),
        (UnavailableError("Stopping.", reason="DRAINING"), 1012),
    ],
    ids=lambda value: value.reason if isinstance(value, VivavoceError) else "",
)
async def test_a_failed_session_is_told_and_closed_with_the_code_of_its_reason(
    house: House, error: VivavoceError, code: int
) -> None:
    async def fail(session: Session) -> None:
        raise error

    house.conversations.script = fail
    async with house.socket() as socket:
        await socket.send(start().SerializeToString())
        failure = (await answer(socket)).error_raised.failure
        assert error_pb.ErrorReason.Name(failure.reason) == f"ERROR_REASON_{error.reason}"
        assert (failure.message, failure.field) == (error.message, error.field)
        assert await closed(socket) == (code, error.reason)


async def test_a_crash_of_the_service_tells_nothing_of_its_inside(house: House) -> None:
    async def crash(session: Session) -> None:
        raise RuntimeError("the secret plan")

    house.conversations.script = crash
    async with house.socket() as socket:
        await socket.send(START_JSON)
        assert "secret" not in str(await socket.recv())
        assert (await closed(socket))[0] == 1011


async def test_what_was_said_before_a_failure_comes_before_it(either_house: House) -> None:
    async def speak_and_fail(session: Session) -> None:
        for nonce in range(20):
            await session.send(pong(nonce))
        raise NotFoundError("Gone.")

    either_house.conversations.script = speak_and_fail
    async with either_house.socket() as socket:
        await socket.send(start().SerializeToString())
        events = [(await answer(socket)).WhichOneof("event") for _ in range(21)]
        assert events == ["pong"] * 20 + ["error_raised"]


@pytest.mark.parametrize("frame", [b"\xff\xff\xff", b"\x12\x7f", "not json", "[]", '{"pinng": {}}', '{"ping": 3}'])
async def test_a_frame_that_is_no_message_ends_the_session(house: House, frame: str | bytes) -> None:
    house.conversations.script = echo_pings
    async with house.socket() as socket:
        await socket.send(start().SerializeToString())
        await socket.send(ping(1))
        await answer(socket)
        await socket.send(frame)
        assert (await answer(socket)).error_raised.failure.reason == error_pb.ERROR_REASON_INVALID_FIELD
        assert await closed(socket) == (4400, "INVALID_FIELD")
        async with asyncio.timeout(2):
            await house.conversations.ended.wait()


async def test_a_first_frame_that_is_no_message_is_refused_in_its_form(house: House) -> None:
    async with house.socket() as socket:
        await socket.send('{"startSession": {"inputAudio": {"rate": 1}}}')
        failure = json.loads(await socket.recv())["errorRaised"]["failure"]
        assert failure["field"] == "rate"
        assert (await closed(socket))[0] == 4400


async def test_a_client_that_says_nothing_is_closed() -> None:
    async with open_house(start_within_s=0.1) as house, house.socket() as socket:
        assert await closed(socket) == (4408, "IDLE")


async def test_a_huge_frame_is_refused_by_its_size(house: House) -> None:
    house.conversations.script = wait_for_ever
    async with house.socket() as socket:
        await socket.send(start().SerializeToString())
        await house.conversations.began.wait()
        with suppress(ConnectionClosed):
            await socket.send(bytes(10_000_000))
        assert (await closed(socket))[0] == 1009
        async with asyncio.timeout(2):
            await house.conversations.ended.wait()


async def test_text_that_is_not_utf_8_is_refused(house: House) -> None:
    house.conversations.script = wait_for_ever
    async with house.socket() as socket:
        await socket.send(START_JSON)
        await house.conversations.began.wait()
        await socket.send(b"\xff\xfe", text=True)
        assert (await closed(socket))[0] == 1007
        async with asyncio.timeout(2):
            await house.conversations.ended.wait()


async def test_a_client_that_vanishes_ends_its_session_at_once(either_house: House) -> None:
    either_house.conversations.script = wait_for_ever
    async with no_leaked_tasks():
        socket = await either_house.socket()
        await socket.send(start().SerializeToString())
        await either_house.conversations.began.wait()
        socket.transport.abort()
        async with asyncio.timeout(1):
            await either_house.conversations.ended.wait()
        await socket.wait_closed()


async def test_what_a_client_says_before_it_leaves_politely_still_counts(either_house: House) -> None:
    said: list[str | None] = []

    async def note(session: Session) -> None:
        said.extend([request.WhichOneof("event") async for request in session])

    either_house.conversations.script = note
    async with either_house.socket() as socket:
        await socket.send(start().SerializeToString())
        for nonce in range(50):
            await socket.send(ping(nonce))
        await socket.send(conversation_pb.ConverseRequest(end_session=converse_pb.EndSession()).SerializeToString())
    async with asyncio.timeout(2):
        await either_house.conversations.ended.wait()
    assert said == ["start_session", *["ping"] * 50, "end_session"]


async def test_a_client_that_never_reads_is_closed_and_harms_nobody() -> None:
    async def flood_or_echo(session: Session) -> None:
        deaf = (await anext(session)).start_session.client == "deaf"
        await (Flood() if deaf else echo_pings)(session)

    async with open_house(stalled_after_s=0.5) as house, no_leaked_tasks(5.0):
        house.conversations.script = flood_or_echo
        deaf = await house.socket(max_queue=1, close_timeout=0.1)
        first = start()
        first.start_session.client = "deaf"
        await deaf.send(first.SerializeToString())
        async with house.socket() as other:
            await other.send(start().SerializeToString())
            async with asyncio.timeout(8):
                for nonce in range(10_000):
                    await other.send(ping(nonce))
                    assert (await answer(other)).pong.nonce == nonce
                    if house.conversations.ended.is_set():
                        break
        assert house.conversations.live <= 1
        async with asyncio.timeout(5):
            # Its connection is gone, not only its session: reading on finds the end, and why.
            assert await closed(deaf) == (1011, "TOO_SLOW")


async def test_sessions_leave_nothing_running(either_house: House) -> None:
    either_house.conversations.script = echo_pings
    async with no_leaked_tasks():
        for way in ("polite", "end", "abort", "garbage"):
            socket = await either_house.socket()
            await socket.send(start().SerializeToString())
            await socket.send(ping(1))
            await answer(socket)
            match way:
                case "polite":
                    await socket.close()
                case "end":
                    await socket.send('{"endSession": {}}')
                case "abort":
                    socket.transport.abort()
                case _:
                    await socket.send("garbage")
            await socket.wait_closed()
    assert either_house.conversations.live == 0


async def test_an_edge_that_stops_says_so_to_open_sockets() -> None:
    async with open_house() as house:
        house.conversations.script = wait_for_ever
        socket = await house.socket()
        await socket.send(start().SerializeToString())
    assert (await closed(socket))[0] == 1012


async def test_a_service_that_is_away_is_told_as_such(house: House) -> None:
    # The keys are known from an earlier socket; only the service is away.
    await (await house.socket()).close()
    await house.server.stop_now()
    async with house.socket() as socket:
        await socket.send(start().SerializeToString())
        assert await closed(socket) == (1013, "SERVICE_UNAVAILABLE")


async def test_a_door_that_can_t_verify_tokens_answers_unavailable(house: House) -> None:
    await house.server.stop_now()
    with pytest.raises(InvalidStatus, match="503"):
        await house.socket()
