"""A local endpoint that speaks the wire of OpenAI's streaming chat completions, and can misbehave on request."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

Behaviour = Literal[
    "answer", "refuse_key", "unknown_model", "rate_limited", "broken", "slow_start", "stall", "cut", "end_early",
    "garbage", "empty", "endless",
]  # fmt: skip


@dataclass(slots=True)
class OpenAiChatEmulator:
    """What the endpoint does next, and what it saw."""

    behaviour: Behaviour = "answer"
    words: tuple[str, ...] = ("Sure", ", what ", "would you ", "like?")
    base_url: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    #: Set when a client goes away in the middle of an answer.
    abandoned: asyncio.Event = field(default_factory=asyncio.Event)

    async def complete(self, request: Request) -> Response:
        """POST /v1/chat/completions."""
        self.requests.append(await request.json())
        self.keys.append(request.headers.get("authorization", ""))
        match self.behaviour:
            case "refuse_key":
                return _problem(401, "Incorrect API key provided.")
            case "unknown_model":
                return _problem(404, "The model does not exist.")
            case "rate_limited":
                return _problem(429, "Rate limit reached.")
            case "broken":
                return _problem(500, f"I choked on {self.requests[-1]['messages']}")
            case "slow_start":
                await asyncio.sleep(30)
        return StreamingResponse(self._stream(), media_type="text/event-stream")

    async def _stream(self) -> AsyncIterator[bytes]:
        try:
            async for piece in self._pieces():
                yield piece
        except (asyncio.CancelledError, GeneratorExit):
            self.abandoned.set()
            raise

    async def _pieces(self) -> AsyncIterator[bytes]:
        yield _event(_chunk({"role": "assistant", "content": ""}))
        if self.behaviour == "garbage":
            yield b"data: {this is not JSON\n\n"
            return
        if self.behaviour != "empty":
            yield _event(_chunk({"content": self.words[0]}))
        match self.behaviour:
            case "stall":
                await asyncio.sleep(30)
            case "cut":
                # Starlette ends the chunked body without its last chunk when the generator fails.
                raise ConnectionResetError
            case "end_early":
                return
            case "endless":
                while True:
                    yield _event(_chunk({"content": " and"}))
                    await asyncio.sleep(0.01)
        for word in self.words[1:] if self.behaviour == "answer" else ():
            yield _event(_chunk({"content": word}))
        yield _event(_chunk({}, finish="stop"))
        yield _event({**_chunk({}), "choices": [], "usage": _usage(12, len(self.words))})
        yield b"data: [DONE]\n\n"


@asynccontextmanager
async def openai_chat() -> AsyncIterator[OpenAiChatEmulator]:
    """Runs the endpoint on a free port of the loopback interface."""
    emulator = OpenAiChatEmulator()
    app = Starlette(routes=[Route("/v1/chat/completions", emulator.complete, methods=["POST"])])
    config = uvicorn.Config(
        app, log_config=None, log_level="critical", lifespan="off", timeout_graceful_shutdown=1, ws="none"
    )
    server = _QuietServer(config)
    listening = socket.create_server(("127.0.0.1", 0))
    emulator.base_url = f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(server.serve(sockets=[listening]))
        try:
            yield emulator
        finally:
            server.should_exit = True


class _QuietServer(uvicorn.Server):
    """Leaves the signals of the process to the test runner."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _problem(status: int, message: str) -> JSONResponse:
    return JSONResponse({"error": {"message": message, "type": "error", "code": None, "param": None}}, status)


def _chunk(delta: dict[str, str], finish: str | None = None) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": "emulated",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }


def _usage(prompt: int, completion: int) -> dict[str, int]:
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def _event(payload: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(payload)}\n\n".encode()
