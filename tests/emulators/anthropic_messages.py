"""A local endpoint that speaks Anthropic's Messages, streamed or as data, and can misbehave on request.

Written from the request and event types of the anthropic package (anthropic/types, 2.14.0) and its API reference
(platform.claude.com/docs/en/api/messages, .../build-with-claude/streaming): named events, `ping` in between,
`message_start` … `message_stop`. A request that the types do not allow is refused with status 400.
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

_KNOWN = {"model", "messages", "max_tokens", "system", "stream", "output_config", "tools", "tool_choice"}


@dataclass(slots=True)
class AnthropicEmulator:
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

    async def create(self, request: Request) -> Response:
        """POST /v1/messages."""
        asked = await request.json()
        self.requests.append(asked)
        self.keys.append(request.headers.get("authorization", ""))
        if complaint := _complaint(asked, request):
            return _problem(400, "invalid_request_error", complaint)
        match self.wrong.kind:
            case "refuse_key":
                return _problem(401, "authentication_error", "invalid x-api-key")
            case "unknown_model":
                return _problem(404, "not_found_error", f"model: {asked['model']}")
            case "limited":
                return _problem(429, "rate_limit_error", "This request would exceed your rate limit.")
            case "overloaded":
                return _problem(529, "overloaded_error", "Overloaded")
            case "broken":
                return _problem(500, "api_error", f"I choked on {asked['messages']}")
        if not asked.get("stream"):
            return JSONResponse(_message([{"type": "text", "text": self.data}], "end_turn", _usage(20, 5)))
        return StreamingResponse(self._stream(asked), media_type="text/event-stream")

    async def models(self, request: Request) -> Response:
        """GET /v1/models."""
        if self.wrong.kind != "none":
            return _problem(503, "api_error", "Down.")
        return JSONResponse({"data": [], "has_more": False, "first_id": None, "last_id": None})

    async def _stream(self, asked: dict[str, Any]) -> AsyncIterator[bytes]:
        calls = "tools" in asked and isinstance(asked["messages"][-1]["content"], str) and self.calls
        try:
            async for piece in spoilt(self._call() if calls else self._pieces(), self.wrong):
                yield piece
        except (asyncio.CancelledError, GeneratorExit):
            self.abandoned.set()
            raise

    async def _call(self) -> AsyncIterator[bytes]:
        yield _event({"type": "message_start", "message": _message([], None, _usage(12, 1))})
        for number, (name, arguments) in enumerate(self.calls):
            block = {"type": "tool_use", "id": f"toolu_{number}", "name": name, "input": {}}
            yield _event({"type": "content_block_start", "index": number, "content_block": block})
            half = len(arguments) // 2
            for part in (arguments[:half], arguments[half:]):
                delta = {"type": "input_json_delta", "partial_json": part}
                yield _event({"type": "content_block_delta", "index": number, "delta": delta})
            yield _event({"type": "content_block_stop", "index": number})
        stopped = {"stop_reason": "tool_use", "stop_sequence": None}
        yield _event({"type": "message_delta", "delta": stopped, "usage": {"output_tokens": 9}})
        yield _event({"type": "message_stop"})

    async def _pieces(self) -> AsyncIterator[bytes]:
        yield _event({"type": "message_start", "message": _message([], None, _usage(12, 1))})
        yield _event({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}})
        yield _event({"type": "ping"})
        for word in () if self.wrong.kind == "empty" else self.words:
            yield _event(_delta(word))
        while self.endless:
            yield _event(_delta(" and"))
            await asyncio.sleep(0.01)
        yield _event({"type": "content_block_stop", "index": 0})
        if self.wrong.kind == "end_early":
            return
        stopped = {"stop_reason": "end_turn", "stop_sequence": None}
        yield _event({"type": "message_delta", "delta": stopped, "usage": {"output_tokens": len(self.words)}})
        yield _event({"type": "message_stop"})


@asynccontextmanager
async def anthropic_messages(*, port: int = 0) -> AsyncIterator[AnthropicEmulator]:
    """Runs the endpoint on a free port of the loopback interface."""
    emulator = AnthropicEmulator()
    routes = [
        Route("/v1/messages", emulator.create, methods=["POST"]),
        Route("/v1/models", emulator.models, methods=["GET"]),
    ]
    async with serving(Starlette(routes=routes), port=port) as address:
        emulator.base_url = f"http://{address}"
        yield emulator


def _complaint(asked: dict[str, Any], request: Request) -> str:
    """What the vendor would say about a request that breaks its rules; empty where it is right."""
    if "anthropic-version" not in request.headers:
        return "anthropic-version: header is required"
    if not request.headers.get("authorization", "").startswith("Bearer "):
        return "authorization: header is required"
    if unknown := asked.keys() - _KNOWN:
        return f"{min(unknown)}: Extra inputs are not permitted"
    if not isinstance(asked.get("max_tokens"), int) or not asked.get("model"):
        return "max_tokens: Field required"
    messages = asked.get("messages")
    if not isinstance(messages, list) or not messages or messages[0].get("role") != "user":
        return 'messages: first message must use the "user" role'
    called: set[str] = set()
    for message in messages:
        content = message.get("content")
        blocks = content if isinstance(content, list) else []
        if called != {block["tool_use_id"] for block in blocks if block["type"] == "tool_result"}:
            return "messages: `tool_use` ids were found without `tool_result` blocks immediately after"
        called = {block["id"] for block in blocks if block["type"] == "tool_use" and isinstance(block["input"], dict)}
        if blocks and not asked.get("tools"):
            return "tools: Field required"
        if message.get("role") not in ("user", "assistant") or not str(message.get("content", "")).strip():
            return "messages: text content blocks must be non-empty"
    return ""


def _problem(status: int, kind: str, message: str) -> JSONResponse:
    return JSONResponse({"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}, status)


def _message(content: list[dict[str, str]], stopped: str | None, usage: dict[str, int]) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "emulated",
        "content": content,
        "stop_reason": stopped,
        "stop_sequence": None,
        "usage": usage,
    }


def _delta(text: str) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}


def _usage(read: int, written: int) -> dict[str, int]:
    return {"input_tokens": read, "output_tokens": written}


def _event(payload: dict[str, Any]) -> bytes:
    return f"event: {payload['type']}\ndata: {json.dumps(payload)}\n\n".encode()
