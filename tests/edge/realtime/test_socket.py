"""The socket of the dialect: who is let in and how, how it ends, and that nothing a client sends hurts it."""

import asyncio
import base64
import json
import random
from typing import Any

import pytest
from openai import AsyncOpenAI
from vivavoce.conversation.v1 import conversation_service_pb2 as conversation_pb
from vivavoce.conversation.v1 import converse_pb2 as converse_pb
from vivavoce.type.v1 import error_pb2 as error_pb
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from mesh.testing import no_leaked_tasks
from tests.edge.conftest import House, Session, open_house
from tests.edge.test_converse_socket import closed
from tests.mesh.clients import eventually

#: What came, and what a client is told to do.
Event = Any
SPEECH = base64.b64encode(bytes(4800)).decode()


def door(house: House, query: str = "", **options: Event) -> connect:
    options.setdefault("additional_headers", house.signed_in)
    address = f"ws://127.0.0.1:{house.edge.port}/v1/realtime?model=gpt-realtime{query}"
    return connect(address, compression=None, proxy=None, **options)


async def say(socket: ClientConnection, kind: str, **fields: object) -> None:
    await socket.send(json.dumps({"type": kind, **fields}))


async def hear(socket: ClientConnection, kind: str) -> Event:
    async with asyncio.timeout(20):
        while True:
            event = json.loads(await socket.recv())
            if event["type"] == kind:
                return event


async def welcome(session: Session) -> conversation_pb.ConverseRequest:
    """Answers the first message, which it returns."""
    first = await anext(session)
    started = converse_pb.SessionStarted(session_id="ses_1", resume_token="ses_1.cnv_1")
    await session.send(conversation_pb.ConverseResponse(sequence=1, session_started=started))
    return first


async def listen(session: Session) -> None:
    """Welcomes, and ends when told to."""
    await welcome(session)
    async for request in session:
        if request.HasField("end_session"):
            await session.send(conversation_pb.ConverseResponse(session_ended=converse_pb.SessionEnded()))
            return


async def drain(session: Session) -> None:
    """Welcomes, says goodbye, and is gone."""
    await welcome(session)
    goodbye = converse_pb.GoAway(resume_token="ses_1.cnv_1")
    await session.send(conversation_pb.ConverseResponse(sequence=2, go_away=goodbye))
    ended = conversation_pb.ConverseResponse(sequence=3)
    ended.session_ended.failure.reason = error_pb.ERROR_REASON_DRAINING
    await session.send(ended)


async def test_an_access_token_opens_it_and_the_session_begins_with_speech(house: House) -> None:
    began: asyncio.Future[conversation_pb.ConverseRequest] = asyncio.get_running_loop().create_future()

    async def note(session: Session) -> None:
        began.set_result(await welcome(session))
        await asyncio.Event().wait()

    house.conversations.script = note
    async with door(house, "&scenario=cafe") as socket:
        created = await hear(socket, "session.created")
        assert created["session"]["tutor"] == {"scenario_id": "cafe"}
        assert not house.conversations.began.is_set()
        await say(socket, "input_audio_buffer.append", audio=SPEECH)
        await hear(socket, "tutor.session_started")
    assert (await began).start_session.new_conversation.scenario_id == "cafe"
    assert house.conversations.metadata["authorization"] == house.signed_in["authorization"]


async def test_an_ephemeral_key_opens_one_socket_from_its_page_with_what_was_chosen_for_it(house: House) -> None:
    house.conversations.script = listen
    page = {"origin": house.edge.url}
    chosen = {"session": {"type": "realtime", "audio": {"output": {"speed": 0.8}}}}
    answer = await house.http.post("/v1/realtime/client_secrets", json=chosen, headers={**house.signed_in, **page})
    secret = answer.json()
    assert (answer.status_code, secret["session"]["audio"]["output"]["speed"]) == (200, 0.8)
    offered = [Subprotocol("realtime"), Subprotocol(f"openai-insecure-api-key.{secret['value']}")]
    async with door(house, additional_headers=page, subprotocols=offered) as socket:
        assert socket.subprotocol == "realtime"
        created = await hear(socket, "session.created")
        assert created["session"]["audio"]["output"]["speed"] == 0.8
    with pytest.raises(InvalidStatus) as refused:
        async with door(house, additional_headers=page, subprotocols=offered):
            pass
    assert refused.value.response.status_code == 401


async def test_openai_s_sdk_reads_the_key_it_asks_for(house: House) -> None:
    async with AsyncOpenAI(api_key=house.authority.user_token(), base_url=f"{house.edge.url}/v1") as client:
        secret = await client.realtime.client_secrets.create(
            session={"type": "realtime", "output_modalities": ["text"]}
        )
    assert secret.value.startswith("ek_")
    assert secret.session.type == "realtime"
    assert secret.session.output_modalities == ["text"]


@pytest.mark.parametrize(("query", "offered", "status"), [
    ("", [], 401),
    ("", ["realtime", "openai-insecure-api-key.vvk_lasting"], 401),
    ("", ["realtime", "openai-insecure-api-key.ek_bm9uZQ"], 400),
    ("&token=abc", [], 400),
    ("&resume=nonsense", [], 400),
    ("&call_id=rtc_1", [], 501),
    ("&intent=transcription", [], 501),
])  # fmt: skip
async def test_who_may_not_talk_is_told_before_the_socket_opens(
    house: House, query: str, offered: list[Subprotocol], status: int
) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with door(house, query, additional_headers={}, subprotocols=offered or None):
            pass
    assert refused.value.response.status_code == status


async def test_a_key_for_a_session_that_can_t_be_is_refused(house: House) -> None:
    body = {"session": {"type": "realtime", "tools": [{"type": "function"}]}}
    answer = await house.http.post("/v1/realtime/client_secrets", json=body, headers=house.signed_in)
    assert (answer.status_code, answer.json()["details"][0]["debug"]["reason"]) == (400, "INVALID_FIELD")


async def test_a_server_that_stops_closes_with_1012_and_the_client_comes_back_by_what_it_was_told(house: House) -> None:
    house.conversations.script = drain
    async with door(house) as socket:
        await say(socket, "input_audio_buffer.append", audio=SPEECH)
        goodbye = await hear(socket, "tutor.go_away")
        assert (await closed(socket))[0] == 1012
    began: asyncio.Future[conversation_pb.ConverseRequest] = asyncio.get_running_loop().create_future()

    async def go_on(session: Session) -> None:
        began.set_result(await welcome(session))
        await listen(session)

    house.conversations.script = go_on
    async with door(house, f"&resume={goodbye['resume']}&after={goodbye['event_id']}") as socket:
        await hear(socket, "tutor.session_started")
    resumed = (await began).start_session.resume
    assert (resumed.resume_token, resumed.last_sequence) == ("ses_1.cnv_1", 2)


async def test_a_client_that_says_nothing_is_given_a_session_and_leaves_nothing_behind(house: House) -> None:
    house.conversations.script = listen
    async with no_leaked_tasks():
        async with door(house) as socket:
            await hear(socket, "tutor.session_started")
        await asyncio.wait_for(house.conversations.ended.wait(), 10)

        async def alone() -> bool:
            return house.conversations.live == 0

        await eventually(alone)


async def test_a_recording_sent_at_once_is_passed_on_no_faster_than_it_is_taken(house: House) -> None:
    heard_s: list[float] = []

    async def note(session: Session) -> None:
        await welcome(session)
        loop = asyncio.get_running_loop()
        began_at, samples = loop.time(), 0
        async for request in session:
            if request.HasField("append_audio"):
                samples += len(request.append_audio.pcm) // 2
                heard_s.append(samples / 24_000 - 2 * (loop.time() - began_at))
            if request.HasField("ask_reply"):
                return

    house.conversations.script = note
    second = base64.b64encode(bytes(48_000)).decode()
    async with door(house) as socket:
        for _ in range(7):
            await say(socket, "input_audio_buffer.append", audio=second)
        await say(socket, "response.create")
        await asyncio.wait_for(house.conversations.ended.wait(), 30)
    assert len(heard_s) == 70
    assert max(heard_s) < 5.0


async def test_hostile_events_are_answered_each_with_an_error_and_the_session_lives() -> None:
    await _withstands(600)


@pytest.mark.soak
async def test_ten_thousand_hostile_events_are_answered_each_with_an_error_and_the_session_lives() -> None:
    await _withstands(10_000)


async def _withstands(count: int) -> None:
    chance = random.Random(7)
    async with open_house(local=True, messages_per_s=1e9) as house:
        house.conversations.script = listen
        async with door(house, max_queue=None) as socket:
            await say(socket, "input_audio_buffer.append", audio=SPEECH)
            await hear(socket, "tutor.session_started")
            for number in range(count):
                await socket.send(hostile(chance, f"f{number}"))
                # Whatever it was, the session answers what comes after it.
                await say(socket, "conversation.item.retrieve", item_id="none", event_id=f"after{number}")
                answered = await until_answered(socket, f"after{number}")
                assert all(error["type"] == "invalid_request_error" for error in answered), answered
        assert house.conversations.began.is_set()


async def until_answered(socket: ClientConnection, event_id: str) -> list[Event]:
    """The errors that came up to the one about an event, which is among them."""
    errors = []
    async with asyncio.timeout(20):
        while True:
            event = json.loads(await socket.recv())
            if event["type"] == "error":
                errors.append(event["error"])
                if event["error"]["event_id"] == event_id:
                    return errors


KINDS = [
    "session.update", "input_audio_buffer.append", "input_audio_buffer.commit", "input_audio_buffer.clear",
    "conversation.item.create", "conversation.item.retrieve", "conversation.item.delete", "conversation.item.truncate",
    "response.create", "response.cancel", "output_audio_buffer.clear", "tutor.hold_turn", "tutor.report_played",
    "tutor.repeat_reply", "tutor.refresh_access", "tutor.nonsense", "nonsense", "", None, 7,
]  # fmt: skip
NAMES = [
    "session", "audio", "input", "output", "format", "type", "rate", "turn_detection", "item", "item_id", "content",
    "role", "response", "previous_item_id", "audio_end_ms", "content_index", "metadata", "tools", "tutor", "held",
    "tool_choice", "parameters", "name", "call_id", "output", "arguments", "description", "set_tools", "tools[0]",
    "conversation", "instructions", "output_modalities", "event_id", "voice", "speed", "samples", "speaking_rate",
]  # fmt: skip
LEAVES: list[object] = [
    None, True, -1, 0, 1e308, 2**80, "", "x" * 3000, "\u0000", "\ud83d\ude00", "realtime", "message", "user", "AAAA",
    "function", "function_call_output", "required",
    "item_1", "none", "server_vad", "audio/pcmu", [], {}, [[]], [None],
]  # fmt: skip


def hostile(chance: random.Random, event_id: str) -> str | bytes:
    """An event such as nobody would send who means well."""
    match chance.randrange(10):
        case 0:
            return chance.randbytes(chance.randrange(1, 40))
        case 1:
            return json.dumps(_anything(chance, 3))
        case _:
            event = _anything(chance, 4)
            event = event if isinstance(event, dict) else {}
            return json.dumps({**event, "type": chance.choice(KINDS), "event_id": event_id})


def _anything(chance: random.Random, depth: int) -> object:
    if depth == 0 or chance.random() < 0.3:
        return chance.choice(LEAVES)
    if chance.random() < 0.2:
        return [_anything(chance, depth - 1) for _ in range(chance.randrange(3))]
    return {chance.choice(NAMES): _anything(chance, depth - 1) for _ in range(chance.randrange(5))}
