"""`viva bench mesh`: what the mesh itself costs, in time, in sessions and in memory."""

import asyncio
import math
import random
import time
from dataclasses import dataclass
from typing import Final

from vivavoce.ai_engine.v1 import engine_pb2 as engine_pb
from vivavoce.conversation.v1 import conversation_service_pb2 as conversation_pb
from vivavoce.conversation.v1 import converse_pb2 as converse_pb
from vivavoce.user.v1 import user_service_pb2 as user_pb
from vivavoce.user.v1.user_service_pb2_grpc import UserServiceStub

from cli.bench.caller import FRAME_S, SILENCE, Caller, call, marks, numbered
from cli.bench.floor import null_server, round_trips
from cli.bench.report import Figure, Report, percentile, percentiles, single
from cli.bench.server import INSTANT, MeshProcess, mesh_process
from cli.memory import settle_memory
from mesh.channel import open_channel
from mesh.server import run

#: No pause is waited out: what is left is the mesh's own share.
_NO_WAITS: Final = {
    "VIVAVOCE_CONVERSATION_SHORTEST_WAIT_MS": "0",
    "VIVAVOCE_CONVERSATION_LONGEST_WAIT_MS": "0",
}
_ECHO: Final = engine_pb.EngineSelection(kind=engine_pb.ENGINE_KIND_UNIFIED, speech_to_speech="echo")
_LATE_MS: Final = 20.0
_OVERHEAD_MS: Final = {"p50": 5.0, "p95": 10.0, "p99": 20.0}
_SPEECH_S: Final = 3.0
_PERIOD_S: Final = 6.0
_CALL_S: Final = 10.0
_SETTLE_S: Final = 2.0
#: Sessions are drawn apart always in the same way, so that runs compare.
_SEED: Final = 7


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
    starts: int


_FULL: Final = Plan(500, 1000, 100, (10, 20, 30, 40, 50, 60), 150, 20, 2)
_QUICK: Final = Plan(50, 100, 8, (50,), 50, 3, 1)


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
    with mesh_process(INSTANT | _NO_WAITS) as mesh:
        figures = run(_overheads(mesh, plan))
    ready_s, resident_mb, stalls = _with_models(plan)
    return Report(
        "mesh",
        plan.turns,
        [
            percentiles("null WebSocket server, round trip", "ms", floor),
            *figures,
            single("ready after start, warm", "s", ready_s, 10),
            single("resident memory with models loaded", "MB", resident_mb, 1200),
            single("longest wait of a session while others open", "ms", max(stalls), _LATE_MS),
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
        *await _capacity(mesh, plan),
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

    async with call(mesh.web, mesh.token, _ECHO) as caller, asyncio.TaskGroup() as tasks:
        listening = tasks.create_task(listen(caller))
        async with asyncio.timeout(_CALL_S + 2 * count * FRAME_S):
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
        await _converse(caller, count + 1, 0.5, 1.0, 1.0, cut_short=True)
    return _scored([caller])


async def _capacity(mesh: MeshProcess, plan: Plan) -> list[Figure]:
    """The most sessions at once with every turn answered and the 99th percentile in time, and how each level went."""
    figures, held = [], 0
    for level in plan.levels:
        # The first turn of each session comes on top.
        tried, is_held = await _try_level(mesh, level, 1 + math.ceil(plan.level_turns / level))
        figures += tried
        if not is_held:
            break
        held = level
    return [single("sessions held with p99 ≤ 20 ms, load generator included", "", held, 50, at_least=True), *figures]


async def _try_level(mesh: MeshProcess, sessions: int, turns: int) -> tuple[list[Figure], bool]:
    spent_s, began_at = mesh.processor_s(), time.perf_counter()
    callers = await _level(mesh, sessions, turns)
    cores = (mesh.processor_s() - spent_s) / (time.perf_counter() - began_at)
    overheads, asked = _scored(callers), sum(len(caller.turns) - 1 for caller in callers)
    figures = [
        percentiles(f"{sessions} sessions, first silent frame to reply", "ms", overheads or [float("inf")]),
        single(f"{sessions} sessions, turns answered", "%", 100 * len(overheads) / asked),
        single(f"{sessions} sessions, processors used by the server", "", cores),
    ]
    return figures, len(overheads) == asked and percentile(overheads, 99) <= _LATE_MS


async def _level(mesh: MeshProcess, sessions: int, turns: int) -> list[Caller]:
    drawn = random.Random(_SEED)
    callers: list[Caller] = []

    async def one(token: str, phase_s: float) -> None:
        async with call(mesh.web, token) as caller:
            callers.append(caller)
            await _converse(caller, turns, _SPEECH_S, _PERIOD_S, phase_s, cut_short=False)

    async with asyncio.TaskGroup() as tasks:
        for token in await _guests(mesh, sessions):
            tasks.create_task(one(token, drawn.uniform(0, _PERIOD_S)))
            await asyncio.sleep(FRAME_S)
    return callers


async def _converse(
    caller: Caller, turns: int, speech_s: float, period_s: float, phase_s: float, *, cut_short: bool
) -> None:
    async with asyncio.TaskGroup() as tasks:
        listening = tasks.create_task(caller.listen(cut_short=cut_short))
        await caller.take_turns(speech_s, period_s, turns, phase_s)
        listening.cancel()


def _scored(callers: list[Caller]) -> list[float]:
    """Overheads of the answered turns, but for each session's first, which finds everything cold."""
    return [turn.overhead_ms for caller in callers for turn in caller.turns[1:] if turn.answered_at is not None]


async def _guests(mesh: MeshProcess, count: int) -> list[str]:
    async with open_channel(mesh.grpc) as channel:
        stub = UserServiceStub(channel)
        request = user_pb.CreateGuestRequest(client="viva bench")
        return [(await stub.CreateGuest(request, timeout=_CALL_S)).tokens.access_token for _ in range(count)]


def _with_models(plan: Plan) -> tuple[float, float, list[float]]:
    """Seconds until ready, megabytes, and how long an open session waits while others open."""
    ready: list[float] = []
    for _ in range(plan.starts):
        # The last start is the warm one: the first fills the page cache.
        with mesh_process({}) as mesh:
            ready.append(mesh.ready_s)
            if len(ready) == plan.starts:
                stalls = run(_stalls(mesh, plan.openings))
                return ready[-1], mesh.resident_mb(), stalls
    raise AssertionError("there is at least one start")


async def _stalls(mesh: MeshProcess, openings: int) -> list[float]:
    """Round trips of a Ping through the whole mesh, one after another, while sessions open beside."""
    taken: list[float] = []
    tokens = await _guests(mesh, openings)

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
                    await _converse(other, 0, 0, 0, _SETTLE_S / 4, cut_short=True)
            probing.cancel()
    return taken
