"""A local endpoint that speaks OpenAI's chat completions, streamed or as data, and can misbehave on request.

Written from the request and response types of the openai package (openai/types/chat, 3.54.0), the API reference at
platform.openai.com/docs/api-reference/chat, and the server-sent events of the WHATWG HTML standard. A request that the
types do not allow is refused with status 400, as the vendor does.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.emulators.misbehaviour import WELL, Misbehaviour, spoilt
from tests.emulators.serving import serving

_KNOWN = {"model", "messages", "temperature", "max_tokens", "max_completion_tokens", "stream", "stream_options",
          "response_format", "tools", "tool_choice"}  # fmt: skip


@dataclass(slots=True)
class OpenAiChatEmulator:
    """What the endpoint does next, and what it saw."""

    wrong: Misbehaviour = WELL
    words: tuple[str, ...] = ("Sure", ", what ", "would you ", "like?")
    #: What it answers where data is asked for.
    data: str = '{"slips": []}'
    #: Functions it calls, with the JSON it gives them, where it is offered any and has no answer of one yet.
    calls: tuple[tuple[str, str], ...] = ()
    endless: bool = False
    base_url: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    #: Set when a client goes away in the middle of an answer.
    abandoned: asyncio.Event = field(default_factory=asyncio.Event)

    async def complete(self, request: Request) -> Response:
        """POST /v1/chat/completions."""
        asked = await request.json()
        self.requests.append(asked)
        self.keys.append(request.headers.get("authorization", ""))
        if complaint := _complaint(asked):
            return _problem(400, complaint)
        match self.wrong.kind:
            case "refuse_key":
                return _problem(401, "Incorrect API key provided.")
            case "unknown_model":
                return _problem(404, "The model does not exist.")
            case "limited":
                return _problem(429, "Rate limit reached.")
            case "broken" | "overloaded":
                return _problem(500, f"I choked on {asked['messages']}")
        if not asked.get("stream"):
            return JSONResponse(_data(self.data))
        return StreamingResponse(self._stream(asked), media_type="text/event-stream")

    async def models(self, request: Request) -> Response:
        """GET /v1/models."""
        if self.wrong.kind != "none":
            return _problem(503, "Down.")
        return JSONResponse({"object": "list", "data": []})

    async def _stream(self, asked: dict[str, Any]) -> AsyncIterator[bytes]:
        calls = "tools" in asked and asked["messages"][-1]["role"] != "tool" and self.calls
        try:
            async for piece in spoilt(self._call() if calls else self._pieces(), self.wrong):
                yield piece
        except (asyncio.CancelledError, GeneratorExit):
            self.abandoned.set()
            raise

    async def _call(self) -> AsyncIterator[bytes]:
        for number, (name, arguments) in enumerate(self.calls):
            begun = {"index": number, "id": f"call_of_{number}", "type": "function"}
            yield _event(_chunk({"tool_calls": [{**begun, "function": {"name": name, "arguments": ""}}]}))
            half = len(arguments) // 2
            for part in (arguments[:half], arguments[half:]):
                yield _event(_chunk({"tool_calls": [{"index": number, "function": {"arguments": part}}]}))
        yield _event(_chunk({}, finish="tool_calls"))
        yield _event({**_chunk({}), "choices": [], "usage": _usage(12, 9)})
        yield b"data: [DONE]\n\n"

    async def _pieces(self) -> AsyncIterator[bytes]:
        yield _event(_chunk({"role": "assistant", "content": ""}))
        for word in () if self.wrong.kind == "empty" else self.words:
            yield _event(_chunk({"content": word}))
        while self.endless:
            yield _event(_chunk({"content": " and"}))
            await asyncio.sleep(0.01)
        if self.wrong.kind == "end_early":
            return
        yield _event(_chunk({}, finish="stop"))
        yield _event({**_chunk({}), "choices": [], "usage": _usage(12, len(self.words))})
        yield b"data: [DONE]\n\n"


@asynccontextmanager
async def openai_chat(*, port: int = 0) -> AsyncIterator[OpenAiChatEmulator]:
    """Runs the endpoint on a free port of the loopback interface."""
    emulator = OpenAiChatEmulator()
    routes = [
        Route("/v1/chat/completions", emulator.complete, methods=["POST"]),
        Route("/v1/models", emulator.models, methods=["GET"]),
    ]
    async with serving(Starlette(routes=routes), port=port) as address:
        emulator.base_url = f"http://{address}/v1"
        yield emulator


def _complaint(asked: dict[str, Any]) -> str:
    """What the vendor would say about a request that breaks its rules; empty where it is right."""
    if unknown := asked.keys() - _KNOWN:
        return f"Unrecognized request argument supplied: {min(unknown)}"
    messages = asked.get("messages")
    if not isinstance(asked.get("model"), str) or not isinstance(messages, list) or not messages:
        return "Missing required parameter."
    called: set[str] = set()
    for message in messages:
        if message.get("role") == "assistant" and message.get("tool_calls"):
            called = {call["id"] for call in message["tool_calls"] if call["function"].keys() == {"name", "arguments"}}
        elif message.get("role") == "tool" and message.get("tool_call_id") in called:
            called.remove(message["tool_call_id"])
        elif message.get("role") not in ("system", "user", "assistant") or not isinstance(message.get("content"), str):
            return "Invalid message."
    if called:
        return "An assistant message with 'tool_calls' must be followed by tool messages responding to each one."
    if "tool_choice" in asked and not asked.get("tools"):
        return "'tool_choice' is only allowed when 'tools' are specified."
    for tool in asked.get("tools", ()):
        if tool.get("type") != "function" or tool["function"]["parameters"].get("type") != "object":
            return "Invalid schema for function."
    if "stream_options" in asked and not asked.get("stream"):
        return "The 'stream_options' parameter is only allowed when 'stream' is enabled."
    wanted = asked.get("response_format")
    if wanted is not None and (wanted.get("type") != "json_schema" or not _is_strict(wanted["json_schema"]["schema"])):
        return "Invalid schema for response_format: 'additionalProperties' is required to be supplied and to be false."
    return ""


def _is_strict(schema: dict[str, Any]) -> bool:
    """Whether every object in the schema is closed and requires all it has, as strict structured outputs want."""
    if schema.get("type") == "array":
        return _is_strict(schema["items"])
    if schema.get("type") != "object":
        return True
    properties = schema["properties"]
    closed = schema.get("additionalProperties") is False and set(schema.get("required", ())) == set(properties)
    return closed and all(map(_is_strict, properties.values()))


def _problem(status: int, message: str) -> JSONResponse:
    return JSONResponse({"error": {"message": message, "type": "error", "code": None, "param": None}}, status)


def _chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": "emulated",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }


def _data(content: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": content, "refusal": None}
    choices = [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}]
    return {
        "id": "chatcmpl-2",
        "object": "chat.completion",
        "created": 0,
        "model": "emulated",
        "choices": choices,
        "usage": _usage(20, 5),
    }


def _usage(prompt: int, completion: int) -> dict[str, int]:
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def _event(payload: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(payload)}\n\n".encode()
