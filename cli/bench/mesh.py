"""`viva bench mesh`: what the mesh itself costs, in time, in sessions and in memory."""

import asyncio
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from vivavoce.conversation.v1 import conversation_service_pb2 as conversation_pb
from vivavoce.conversation.v1 import converse_pb2 as converse_pb

from cli.bench.caller import ECHO, FRAME_S, SILENCE, Caller, call, marks, numbered
from cli.bench.climb import climb
from cli.bench.crowd import HUM, LATE_MS, converse, guests, scored
from cli.bench.floor import null_server, round_trips
from cli.bench.report import Figure, Report, percentiles, single
from cli.bench.server import INSTANT, NO_WAITS, MeshProcess, mesh_process
from cli.memory import settle_memory
from mesh.server import run

#: Frames of speech in a turn that is cut short.
_SHORT: Final = 25
_SLACK_S: Final = 10.0
_SETTLE_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured."""

    floor_frames: int
    echo_frames: int
    turns: int
    levels: tuple[int, ...]
    #: Turns at each level, of all sessions together; the first of each session is not counted.
    level_turns: int
    openings: int


_FULL: Final = Plan(500, 1000, 100, (10, 20, 30, 40, 50, 60), 150, 20)
_QUICK: Final = Plan(50, 100, 8, (50,), 50, 3)


def bench_mesh(*, quick: bool) -> Report:
    """Measures all of it.

    Raises:
        VivavoceError: the mesh did not start, or stopped answering.
    """
    plan = _QUICK if quick else _FULL
    # The learners' own collector must not count as the server's delay: it takes 20 to 40 ms at a time.
    settle_memory()
    with null_server() as address:
        floor = run(round_trips(address, plan.floor_frames))
    with mesh_process(INSTANT | NO_WAITS) as mesh:
        figures = run(_overheads(mesh, plan))
    ready_s, resident_mb, stalls = _with_models(plan)
    return Report(
        "mesh",
        plan.turns,
        [
            percentiles("null WebSocket server, round trip", "ms", floor),
            *figures,
            single("ready after start, warm", "s", ready_s, 3),
            single("resident memory with models loaded", "MB", resident_mb, 1200),
            single("longest wait of a session while others open", "ms", max(stalls), LATE_MS),
        ],
    )


async def _overheads(mesh: MeshProcess, plan: Plan) -> list[Figure]:
    echoes = await _echo_round_trips(mesh, plan.echo_frames)
    overheads = await _turn_overheads(mesh, plan.turns)
    return [
        percentiles("echo engine, round trip", "ms", echoes, {"p50": 3}),
        percentiles(
            "turn with instant engines, first silent frame to reply", "ms", overheads, {"p50": 5, "p95": 10, "p99": 20}
        ),
        *await climb(mesh.door, plan.levels, plan.level_turns, {"frame": 60, "turn": 50}),
    ]


async def _echo_round_trips(mesh: MeshProcess, count: int) -> list[float]:
    """Milliseconds from a frame's departure to its echo's arrival: WebSocket, edge, conversation, engine and back."""
    sent: dict[int, float] = {}
    taken: list[float] = []
    done = asyncio.Event()

    async def listen(caller: Caller) -> None:
        async for frame in caller.socket:
            came_at = time.perf_counter()
            response = conversation_pb.ConverseResponse.FromString(frame)  # type: ignore[arg-type]  # All are binary.
            if response.HasField("reply_audio"):
                taken.extend((came_at - sent[each]) * 1000 for each in marks(response.reply_audio.pcm) if each in sent)
            if len(taken) >= count:
                done.set()
                return

    async with call(mesh.web, mesh.token, ECHO) as caller, asyncio.TaskGroup() as tasks:
        listening = tasks.create_task(listen(caller))
        async with asyncio.timeout(_SLACK_S + 2 * count * FRAME_S):
            number = 0
            while not done.is_set():
                sent[number] = time.perf_counter()
                await caller.append(numbered(number))
                number += 1
                await asyncio.sleep(FRAME_S)
        listening.cancel()
    return taken[:count]


async def _turn_overheads(mesh: MeshProcess, count: int) -> list[float]:
    """One session, a turn a second, each reply cut short."""
    async with call(mesh.web, mesh.token) as caller:
        await converse(caller, count + 1, HUM[:_SHORT], 1.0, 1.0, cut_short=True)
    return scored([caller])


def _with_models(plan: Plan) -> tuple[float, float, list[float]]:
    """Seconds until ready, megabytes, and how long an open session waits while others open."""
    with tempfile.TemporaryDirectory() as kept:
        with mesh_process({}, Path(kept)):
            # The first start makes the databases, and fills the page cache.
            pass
        with mesh_process({}, Path(kept)) as mesh:
            stalls = run(_stalls(mesh, plan.openings))
            return mesh.ready_s, mesh.door.families.resident_mb(), stalls


async def _stalls(mesh: MeshProcess, openings: int) -> list[float]:
    """Round trips of a Ping through the whole mesh, one after another, while sessions open beside."""
    taken: list[float] = []
    tokens = await guests(mesh.grpc, openings)

    async def probe(caller: Caller) -> None:
        for nonce in range(1, 1 << 30):
            asked_at = time.perf_counter()
            await caller.send(conversation_pb.ConverseRequest(ping=converse_pb.Ping(nonce=nonce)))
            async for frame in caller.socket:
                response = conversation_pb.ConverseResponse.FromString(frame)  # type: ignore[arg-type]  # As above.
                if response.pong.nonce == nonce:
                    break
            taken.append((time.perf_counter() - asked_at) * 1000)
            await asyncio.sleep(0.002)

    async with call(mesh.web, mesh.token) as caller:
        await caller.append(SILENCE)
        await caller.send(conversation_pb.ConverseRequest(cancel_reply=converse_pb.CancelReply()))
        async with asyncio.TaskGroup() as tasks:
            probing = tasks.create_task(probe(caller))
            # Its own opening line is over before it is asked to wait for others.
            await asyncio.sleep(_SETTLE_S)
            taken.clear()
            for token in tokens:
                async with call(mesh.web, token) as other:
                    await converse(other, 0, HUM, 0, _SETTLE_S / 4, cut_short=True)
            probing.cancel()
    return taken
