"""`viva bench realtime`: what OpenAI's dialect costs over the native WebSocket, on the same frames at the same time."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

from vivavoce.conversation.v1 import conversation_service_pb2 as conversation_pb
from websockets.asyncio.client import ClientConnection, connect

from cli.bench.caller import ECHO, FRAME_S, RATE_HZ, Caller, call, marks, numbered
from cli.bench.report import Report, percentile, percentiles, single
from cli.bench.server import INSTANT, MeshProcess, mesh_process
from cli.memory import settle_memory
from mesh.server import run

#: The same, in the words of the dialect; a tutor that leads begins to echo at once.
_SESSION: Final = {
    "type": "realtime",
    "audio": {
        "input": {"format": {"type": "audio/pcm", "rate": RATE_HZ}, "turn_detection": {"type": "server_vad"}},
        "output": {"format": {"type": "audio/pcm", "rate": RATE_HZ}},
    },
    "tutor": {
        "initiative": "TUTOR_INITIATIVE_LEADS",
        "engine": {"kind": "ENGINE_KIND_UNIFIED", "speech_to_speech": "echo"},
    },
}
_FRAMES: Final = 2000
_FRAMES_QUICK: Final = 100
_SLACK_S: Final = 10.0
#: The first frames find everything cold.
_WARM_UP: Final = 25


def bench_realtime(*, quick: bool) -> Report:
    """Measures both ways, frame by frame in turn.

    Raises:
        VivavoceError: the mesh did not start, or stopped answering.
    """
    settle_memory()
    with mesh_process(INSTANT) as mesh:
        native, dialect = run(_round_trips(mesh, _FRAMES_QUICK if quick else _FRAMES))
    own = percentile(dialect, 50) - percentile(native, 50)
    return Report(
        "realtime",
        len(dialect),
        [
            percentiles("echo by the native WebSocket, round trip", "ms", native),
            percentiles("echo by the Realtime dialect, round trip", "ms", dialect),
            single("the dialect's own, p50, client's JSON included", "ms", own, 2),
        ],
    )


async def _round_trips(mesh: MeshProcess, count: int) -> tuple[list[float], list[float]]:
    """Milliseconds from a frame's departure to its echo's arrival, by either way, half a frame apart."""
    async with call(mesh.web, mesh.token, ECHO) as caller, _connected(mesh) as socket, asyncio.TaskGroup() as tasks:

        async def append(pcm: bytes) -> None:
            event = {"type": "input_audio_buffer.append", "audio": base64.b64encode(pcm).decode()}
            await socket.send(json.dumps(event))

        native = tasks.create_task(_echoes(caller.append, _native(caller), count, 0.0))
        dialect = tasks.create_task(_echoes(append, _dialect(socket), count, FRAME_S / 2))
    return native.result()[_WARM_UP:], dialect.result()[_WARM_UP:]


async def _echoes(
    append: Callable[[bytes], Awaitable[None]], heard: AsyncIterator[bytes], count: int, phase_s: float
) -> list[float]:
    sent: dict[int, float] = {}
    taken: list[float] = []

    async def speak() -> None:
        loop = asyncio.get_running_loop()
        began_at = loop.time() + phase_s
        for number in range(1 << 30):
            await asyncio.sleep(max(0.0, began_at + number * FRAME_S - loop.time()))
            sent[number] = time.perf_counter()
            await append(numbered(number))

    async with asyncio.timeout(_SLACK_S + 2 * count * FRAME_S), asyncio.TaskGroup() as tasks:
        speaking = tasks.create_task(speak())
        async for pcm in heard:
            came_at = time.perf_counter()
            taken += [(came_at - sent[each]) * 1000 for each in marks(pcm) if each in sent]
            if len(taken) >= count + _WARM_UP:
                break
        speaking.cancel()
    return taken


async def _native(caller: Caller) -> AsyncIterator[bytes]:
    async for frame in caller.socket:
        response = conversation_pb.ConverseResponse.FromString(frame)  # type: ignore[arg-type]  # All are binary.
        if response.HasField("reply_audio"):
            yield response.reply_audio.pcm


async def _dialect(socket: ClientConnection) -> AsyncIterator[bytes]:
    async for frame in socket:
        event = json.loads(frame)
        if event["type"] == "response.output_audio.delta":
            yield base64.b64decode(event["delta"])


@asynccontextmanager
async def _connected(mesh: MeshProcess) -> AsyncIterator[ClientConnection]:
    address = f"ws{mesh.web.removeprefix('http')}/v1/realtime?model=vivavoce"
    headers = {"Authorization": f"Bearer {mesh.token}"}
    async with connect(address, additional_headers=headers, compression=None, proxy=None) as socket:
        await socket.send(json.dumps({"type": "session.update", "session": _SESSION}))
        yield socket
