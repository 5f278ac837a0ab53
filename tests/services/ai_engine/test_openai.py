"""The OpenAI-compatible provider against an endpoint on this machine, which may misbehave."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest

from mesh.errors import ProviderError
from services.ai_engine.domain.roles import Learner, Line, ReplyPart, TextDelta, TokensUsed, TutorContext
from services.ai_engine.providers.openai import OpenAiEndpoint, OpenAiTutor
from services.ai_engine.tutor.reading import SHIPPED, read_everywhere, read_folder
from tests.emulators.openai_chat import Behaviour, OpenAiChatEmulator, openai_chat

SCRIPTS = read_folder(SHIPPED, read_everywhere())
CONTEXT = TutorContext(
    learner=Learner(level="A1", display_name="Yuki"),
    scenario_id="cafe",
    lines=(Line("tutor", "Hello! What would you like?"),),
    turn="A secret coffee please.",
)


@pytest.fixture
async def emulator() -> AsyncIterator[OpenAiChatEmulator]:
    async with openai_chat() as running:
        yield running


@asynccontextmanager
async def tutor_at(base_url: str, *, stall_timeout_s: float = 5.0) -> AsyncIterator[OpenAiTutor]:
    endpoint = OpenAiEndpoint(base_url=base_url, model="emulated", api_key="key-1", stall_timeout_s=stall_timeout_s)
    tutor = OpenAiTutor(endpoint, SCRIPTS)
    try:
        yield tutor
    finally:
        await tutor.aclose()


async def parts_of(tutor: OpenAiTutor) -> list[ReplyPart]:
    return [part async for part in tutor.reply(CONTEXT)]


async def test_the_answer_streams_piece_by_piece_and_tells_its_cost(emulator: OpenAiChatEmulator) -> None:
    async with tutor_at(emulator.base_url) as tutor:
        parts = await parts_of(tutor)
    assert [part.text for part in parts if isinstance(part, TextDelta)] == list(emulator.words)
    assert parts[-1] == TokensUsed(12, 4)


async def test_the_endpoint_gets_persona_history_turn_and_key(emulator: OpenAiChatEmulator) -> None:
    async with tutor_at(emulator.base_url) as tutor:
        await parts_of(tutor)
    messages = emulator.requests[0]["messages"]
    assert [message["role"] for message in messages] == ["system", "assistant", "user"]
    assert "Mia" in messages[0]["content"]
    assert "Yuki" in messages[0]["content"]
    assert messages[-1]["content"] == CONTEXT.turn
    assert emulator.keys == ["Bearer key-1"]


@pytest.mark.parametrize(
    ("behaviour", "cause"),
    [
        ("refuse_key", "KEY_REFUSED"),
        ("unknown_model", "NOT_FOUND"),
        ("rate_limited", "LIMITED"),
        ("broken", "STATUS"),
        ("slow_start", "TIMED_OUT"),
        ("stall", "TIMED_OUT"),
        ("cut", "BROKEN"),
        ("end_early", "CUT_OFF"),
        ("garbage", "BROKEN"),
        ("empty", "EMPTY"),
    ],
)
async def test_each_misbehaviour_has_its_typed_error_with_a_remedy(
    emulator: OpenAiChatEmulator, behaviour: Behaviour, cause: str
) -> None:
    emulator.behaviour = behaviour
    async with tutor_at(emulator.base_url, stall_timeout_s=0.3) as tutor:
        with pytest.raises(ProviderError) as caught:
            await parts_of(tutor)
    assert caught.value.metadata["cause"] == cause
    assert ";" in caught.value.message
    assert "secret" not in caught.value.message
    assert caught.value.__cause__ is None


async def test_an_endpoint_that_is_not_there_is_named_as_unreachable() -> None:
    async with tutor_at("http://127.0.0.1:9/v1") as tutor:
        with pytest.raises(ProviderError) as caught:
            await parts_of(tutor)
    assert caught.value.metadata["cause"] == "UNREACHABLE"


async def test_closing_the_reply_closes_the_http_stream(emulator: OpenAiChatEmulator) -> None:
    emulator.behaviour = "endless"
    async with tutor_at(emulator.base_url) as tutor:
        reply = tutor.reply(CONTEXT)
        async with aclosing(reply):
            async for _ in reply:
                break
        async with asyncio.timeout(5):
            await emulator.abandoned.wait()


async def test_cancelling_the_task_closes_the_http_stream(emulator: OpenAiChatEmulator) -> None:
    emulator.behaviour = "endless"
    async with tutor_at(emulator.base_url) as tutor:
        heard = asyncio.Event()

        async def listen() -> None:
            async for _ in tutor.reply(CONTEXT):
                heard.set()

        listening = asyncio.create_task(listen())
        await heard.wait()
        listening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await listening
        async with asyncio.timeout(5):
            await emulator.abandoned.wait()
