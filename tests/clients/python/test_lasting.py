"""A session of the Python client outlasts cuts, says each thing once, and lets nobody wait for one that is over."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from vivavoce.client import ClientError, Conversation, Reader
from vivavoce.client.lasting import lasting
from vivavoce.conversation.v1 import conversation_service_pb2 as conversation_pb
from vivavoce.conversation.v1 import converse_pb2 as converse_pb
from vivavoce.type.v1 import audio_pb2 as audio_pb

from tests.clients.python.scripted_wire import Line, Response, ScriptedWire

START = converse_pb.StartSession(input_audio=audio_pb.AudioFormat(sample_rate_hz=16_000))
#: 20 ms.
FRAME = bytes(640)


def greet(wire: ScriptedWire) -> None:
    wire.tell(Response(session_started=converse_pb.SessionStarted(session_id="ses_1", resume_token="r1")))


def again(wire: ScriptedWire) -> None:
    greeting = converse_pb.SessionStarted(session_id="ses_1", resume_token="r1", resumed=True)
    wire.tell(Response(session_started=greeting))


def refuse(wire: ScriptedWire) -> None:
    wire.end(ClientError("It has expired.", reason="TOKEN_INVALID"))


@asynccontextmanager
async def held(line: Line, pauses_s: tuple[float, ...] = (0.0,)) -> AsyncIterator[Conversation]:
    async with asyncio.timeout(10), lasting(line.open, line.renew, pauses_s) as wire:
        await wire.send(conversation_pb.ConverseRequest(start_session=START))
        conversation = Conversation(wire, Reader(), lambda: asyncio.sleep(0, "fresh"))
        running = asyncio.create_task(conversation.run())
        try:
            await conversation.opened()
            yield conversation
        finally:
            running.cancel()
            await asyncio.wait([running])


async def until(happened: Callable[[], bool]) -> None:
    """Returns when something has happened that nobody is told of."""
    while not happened():  # noqa: ASYNC110
        await asyncio.sleep(0)


async def back(conversation: Conversation) -> None:
    """Returns when a session that was cut is there again."""
    await until(lambda: conversation.started.resumed and not conversation.away)


async def over(conversation: Conversation) -> list[str]:
    """The names of the events until the session is over."""
    return [event.DESCRIPTOR.name async for event in conversation]


async def test_nobody_waits_for_a_session_that_is_over() -> None:
    line = Line(greet)
    async with held(line) as conversation:
        line.wire.tell(Response(sequence=2, session_ended=converse_pb.SessionEnded()))
        line.wire.end()
        assert await over(conversation) == ["SessionStarted", "SessionEnded"]
        for saying in (conversation.say(FRAME), conversation.write("Hello?"), conversation.commit()):
            with pytest.raises(ClientError) as caught:
                await saying
            assert caught.value.reason == "CONVERSATION_CLOSED"


async def test_what_is_under_way_when_the_session_ends_lets_nobody_wait() -> None:
    line = Line(greet)
    async with held(line) as conversation:
        line.wire.fill()
        saying = asyncio.create_task(conversation.say(FRAME))
        await asyncio.sleep(0)
        line.wire.end()
        await over(conversation)
        line.wire.drain()
        await asyncio.wait([saying])
        with pytest.raises(ClientError, match="over"):
            await conversation.commit()


async def test_a_session_that_ends_before_it_began_was_not_opened() -> None:
    with pytest.raises(ClientError, match="before it began"):
        async with held(Line(lambda wire: wire.end())):
            pass


async def test_a_token_that_expired_during_the_cut_is_renewed() -> None:
    line = Line(greet, refuse, again)
    async with held(line) as conversation:
        line.wire.cut()
        await back(conversation)
        assert line.renewed == 1
        assert line.wire.sent[0].start_session.resume.resume_token == "r1"


async def test_a_token_that_expired_before_the_talk_is_renewed() -> None:
    line = Line(refuse, greet)
    async with held(line) as conversation:
        assert not conversation.started.resumed
        assert line.renewed == 1


async def test_a_renewed_token_that_is_refused_too_ends_the_session() -> None:
    line = Line(greet, refuse, refuse)
    async with held(line) as conversation:
        line.wire.cut()
        with pytest.raises(ClientError, match="expired"):
            await over(conversation)


async def test_a_text_said_while_it_is_cut_is_sent_once_and_before_what_is_asked_next() -> None:
    line = Line(greet, again)
    async with held(line) as conversation:
        await conversation.say(FRAME)
        line.wire.cut()
        await until(lambda: conversation.away)
        await conversation.write("A tea, please.")
        await conversation.commit()
        assert line.wire.names == ["start_session", "append_audio", "submit_text", "commit_turn"]


async def test_a_text_that_was_under_way_is_sent_again_under_its_id_until_it_is_taken() -> None:
    line = Line(greet, again, again)
    async with held(line) as conversation:
        await conversation.write(" A tea, please. ")
        first = line.wire.sent[-1].submit_text
        line.wire.cut()
        await back(conversation)
        await conversation.commit()
        assert line.wire.sent[1].submit_text == first
        assert first.request_id
        line.wire.tell(Response(sequence=3, turn_committed=converse_pb.TurnCommitted(text="A tea, please.")))
        line.wire.cut()
        await until(lambda: len(line.wires) == 3 and not conversation.away)
        await conversation.commit()
        assert line.wire.names == ["start_session", "commit_turn"]


async def test_sound_keeps_its_order_when_it_is_said_again() -> None:
    line = Line(greet, again)
    async with held(line) as conversation:
        for _ in range(50):
            await conversation.say(FRAME)
        line.wire.cut()
        await until(lambda: conversation.away)
        await until(lambda: not conversation.away)
        await conversation.say(FRAME)
        positions = [request.append_audio.first_sample for request in line.wire.sent[1:]]
        assert positions == [320 * number for number in range(51)]


async def test_what_is_asked_for_when_the_wire_breaks_is_asked_for_again() -> None:
    line = Line(greet, again)
    async with held(line) as conversation:
        line.wire.cut()
        await conversation.commit()
        assert line.wire.names == ["start_session", "commit_turn"]
