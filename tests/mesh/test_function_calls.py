"""A language model has functions of the client's carried out: OpenAI's SDKs as they come, and the native client."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio
from openai import AsyncOpenAI
from vivavoce.ai_engine.v1 import engine_pb2 as engine_pb
from vivavoce.client import Client, Reader
from vivavoce.conversation.v1 import conversation_pb2 as settings_pb
from vivavoce.conversation.v1 import converse_pb2 as converse_pb

from cli.compose import MeshOptions, RunningMesh
from tests.emulators.openai_chat import OpenAiChatEmulator, openai_chat
from tests.mesh.hosting import folder_for_all, hosted
from tests.mesh.test_realtime_javascript import FOLDER, installed_sdk

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
QUESTION = "Will it rain in Kyoto?"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def model() -> AsyncIterator[OpenAiChatEmulator]:
    async with openai_chat() as emulator:
        emulator.words = ("It will ", "rain.")
        emulator.calls = (("weather", '{"city": "Kyoto"}'),)
        yield emulator


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def thinking(model: OpenAiChatEmulator) -> AsyncIterator[RunningMesh]:
    """A mesh whose tutor is a language model, and hears and speaks in no time."""
    engine = {
        "language_models": ("openai",),
        "openai_base_url": model.base_url,
        "recognizers": ("instant",),
        "synthesizers": ("instant",),
        "bench_providers": True,
    }
    with folder_for_all() as folder:
        async with hosted(MeshOptions(folder, overrides={"ai_engine": engine})) as running:
            yield running


def answer_of_tool(model: OpenAiChatEmulator) -> str:
    """What the language model was told last of what came of its call."""
    *_, called, answered = model.requests[-1]["messages"]
    assert called["tool_calls"][0]["function"] == {"name": "weather", "arguments": '{"city": "Kyoto"}'}
    assert answered["role"] == "tool"
    return str(answered["content"])


async def test_the_python_sdk_is_asked_to_carry_a_function_out(
    thinking: RunningMesh, model: OpenAiChatEmulator
) -> None:
    token = await thinking.guest_token()
    function = {"type": "function", "name": "weather", "description": "Tells it.", "parameters": SCHEMA}
    text = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": QUESTION}]}
    async with (
        asyncio.timeout(30),
        AsyncOpenAI(api_key=token, base_url=f"{thinking.web}/v1") as client,
        client.realtime.connect(model="gpt-realtime") as connection,
    ):
        await connection.session.update(session={"type": "realtime", "tools": [function]})  # type: ignore[list-item]  # As its documentation writes it.
        await connection.conversation.item.create(item=text)  # type: ignore[arg-type]  # Likewise.
        await connection.response.create()
        said = ""
        async for event in connection:
            assert event.type != "error", event
            if event.type == "response.function_call_arguments.done":
                assert json.loads(event.arguments) == {"city": "Kyoto"}
                output: Any = {"type": "function_call_output", "call_id": event.call_id, "output": "Rain, all day."}
            elif event.type == "response.done":
                (item,) = event.response.output or []
                if item.type == "function_call":
                    await connection.conversation.item.create(item=output)
                    await connection.response.create()
                    continue
                assert item.type == "message"
                said = str(item.to_dict())
                break
    assert "It will rain." in said
    assert answer_of_tool(model) == "Rain, all day."


async def test_the_agents_sdk_carries_a_function_out_by_itself(
    thinking: RunningMesh, model: OpenAiChatEmulator
) -> None:
    token = await thinking.guest_token()
    await asyncio.to_thread(installed_sdk)
    url = f"{thinking.web.replace('http', 'ws', 1)}/v1/realtime"
    node = await asyncio.create_subprocess_exec(
        *("node", "functions.mjs", url, token), cwd=FOLDER, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        told, complained = await asyncio.wait_for(node.communicate(), 60)
    finally:
        if node.returncode is None:
            node.kill()
    assert node.returncode == 0, (told + complained).decode()
    said = [json.loads(line) for line in told.splitlines() if line.startswith(b"{")]
    assert said == [
        {"what": "called", "city": "Kyoto"},
        {"what": "said", "text": "It will rain."},
        {"what": "history", "types": ["message", "function_call", "message"]},
    ]
    assert answer_of_tool(model) == "Rain in Kyoto."


async def test_a_native_client_answers_a_call_and_the_tutor_goes_on(
    thinking: RunningMesh, model: OpenAiChatEmulator
) -> None:
    weather = engine_pb.Tool(name="weather", description="Tells it.", parameters_json=json.dumps(SCHEMA))
    answers = settings_pb.ConversationSettings(initiative=settings_pb.TUTOR_INITIATIVE_ANSWERS)
    async with (
        asyncio.timeout(30),
        Client(thinking.grpc) as client,
        client.conversation(answers, loudspeaker=Reader()) as conversation,
    ):
        await conversation.offer_tools(engine_pb.ToolSet(tools=[weather]))
        await conversation.write(QUESTION)
        async for event in conversation:
            match event:
                case converse_pb.ToolCalled():
                    await conversation.answer_tool(event.call_id, "Rain, all day.")
                case converse_pb.ReplyFinished() if event.heard_text:
                    assert event.heard_text == "It will rain."
                    await conversation.end()
                case converse_pb.ErrorRaised():
                    raise AssertionError(event)
                case _:
                    pass
    assert answer_of_tool(model) == "Rain, all day."
