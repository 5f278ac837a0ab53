"""The talking socket carries both directions in order, in either form, and ends with its client or its session."""

import json

from vivavoce.conversation.v1 import conversation_service_pb2 as conversation_pb
from vivavoce.conversation.v1 import converse_pb2 as converse_pb

from tests.edge.conftest import House, Session, answer, pong, start


async def echo_pings(session: Session) -> None:
    """Answers each Ping by a Pong, until EndSession."""
    async for request in session:
        if request.WhichOneof("event") == "ping":
            await session.send(pong(request.ping.nonce))
        if request.WhichOneof("event") == "end_session":
            await session.send(conversation_pb.ConverseResponse(session_ended=converse_pb.SessionEnded(turn_count=1)))
            return


def ping(nonce: int) -> bytes:
    return conversation_pb.ConverseRequest(ping=converse_pb.Ping(nonce=nonce)).SerializeToString()


async def test_binary_frames_are_answered_in_binary_and_in_order(house: House) -> None:
    house.conversations.script = echo_pings
    async with house.socket() as socket:
        await socket.send(start().SerializeToString())
        for nonce in range(200):
            await socket.send(ping(nonce))
        assert [(await answer(socket)).pong.nonce for _ in range(200)] == list(range(200))


async def test_text_frames_are_answered_in_protobuf_json(house: House) -> None:
    house.conversations.script = echo_pings
    async with house.socket() as socket:
        await socket.send(json.dumps({"startSession": {"newConversation": {}, "inputAudio": {"sampleRateHz": 16000},
                                                       "outputAudio": {"sampleRateHz": 24000}}}))  # fmt: skip
        await socket.send('{"ping": {"nonce": "7"}}')
        assert json.loads(await socket.recv()) == {"pong": {"nonce": "7"}}


async def test_a_session_that_ends_closes_the_socket_normally(house: House) -> None:
    house.conversations.script = echo_pings
    async with house.socket() as socket:
        await socket.send(start().SerializeToString())
        await socket.send(conversation_pb.ConverseRequest(end_session=converse_pb.EndSession()).SerializeToString())
        assert (await answer(socket)).session_ended.turn_count == 1
        await socket.wait_closed()
        assert socket.close_code == 1000
