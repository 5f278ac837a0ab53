"""`viva bench load`: how many learners one machine carries with every service a process of its own."""

import os
import resource
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias, assert_never

from cli.bench.caller import SILENCE
from cli.bench.climb import climb
from cli.bench.crowd import SEED, Door, guests
from cli.bench.endurance import endure
from cli.bench.families import Families
from cli.bench.idle import EACH, stay_open
from cli.bench.latency import spoken
from cli.bench.report import Figure, Report, single
from cli.bench.server import INSTANT, NO_WAITS
from cli.memory import settle_memory
from cli.mesh import process_mesh
from mesh.channel import open_channel
from mesh.server import run

Part: TypeAlias = Literal["sessions", "ears", "idle", "endurance"]
PARTS: Final[tuple[Part, ...]] = ("sessions", "ears", "idle", "endurance")

#: One machine makes all the calls, and stays within no bound meant for one household, or for one sitting.
UNBOUNDED: Final = {
    "VIVAVOCE_EDGE_MAX_SOCKETS": "5000",
    "VIVAVOCE_EDGE_MAX_SOCKETS_PER_ADDRESS": "0",
    "VIVAVOCE_EDGE_MAX_CONNECTIONS": "5000",
    "VIVAVOCE_EDGE_MAX_CONNECTIONS_PER_ADDRESS": "0",
    "VIVAVOCE_EDGE_MAX_REQUESTS_PER_ADDRESS": "0",
    "VIVAVOCE_EDGE_REQUEST_RATE": "",
    "VIVAVOCE_CONVERSATION_MAX_SESSIONS": "5000",
    "VIVAVOCE_CONVERSATION_MAX_SESSIONS_PER_USER": str(EACH),
    "VIVAVOCE_AI_ENGINE_MAX_SESSIONS": "5000",
    "VIVAVOCE_USER_ACCESS_LIFETIME_S": "3600",
    "VIVAVOCE_USER_BUDGET_SESSIONS": "-1",
    "VIVAVOCE_USER_BUDGET_AUDIO_SECONDS": "-1",
    "VIVAVOCE_USER_GUEST_RATE": "",
}
#: Real ears; the voice speaks the learner's line, and nothing else.
_EARS: Final = {
    "VIVAVOCE_AI_ENGINE_VOICE_ACTIVITY": "silero",
    "VIVAVOCE_AI_ENGINE_TURN_END": "smart_turn",
    "VIVAVOCE_AI_ENGINE_SYNTHESIZERS": "instant,hibari",
}
_LINE: Final = "I would like a large tea with milk and two pieces of cake, please."


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured."""

    levels: tuple[int, ...]
    ear_levels: tuple[int, ...]
    #: Turns at each level, of all sessions together, but the first of each.
    level_turns: int
    idle: int
    endurance_sessions: int
    endurance_s: float


_FULL: Final = Plan((20, 40, 60, 80), (10, 20, 30), 150, 1000, 30, 600.0)
_QUICK: Final = Plan((10,), (4,), 10, 50, 4, 12.0)


def bench_load(*, quick: bool, part: Part | None = None) -> Report:
    """Measures one part or all, each on an installation started for it.

    Raises:
        VivavoceError: nginx or a store is not installed, or a process did not start.
    """
    plan = _QUICK if quick else _FULL
    # Whoever ends it ends what it started, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    settle_memory()
    figures = [
        single("open files allowed to a process, raised to the most", "", _raised_files()),
        single("the load generator goes first (1) or waits for the server as others do (0)", "", _goes_first()),
    ]
    for each in (part,) if part else PARTS:
        with _installation(_EARS if each == "ears" else {}) as door:
            figures += run(measured(each, door, plan))
    return Report("load", plan.level_turns, figures, seed=SEED)


async def measured(part: Part, door: Door, plan: Plan) -> list[Figure]:
    """The figures of one part."""
    match part:
        case "sessions":
            return await climb(door, plan.levels, plan.level_turns, {"socket": 60, "frame": 60, "turn": 60})
        case "ears":
            goals, speech = {"socket": 20, "frame": 20, "turn": 20}, await _speech(door)
            kind = "sessions with real ears"
            return await climb(door, plan.ear_levels, plan.level_turns, goals, speech=speech, kind=kind)
        case "idle":
            return await _idle(door, plan.idle)
        case "endurance":
            return await _endurance(door, plan.endurance_sessions, plan.endurance_s)
        case other:
            assert_never(other)


async def _idle(door: Door, count: int) -> list[Figure]:
    idle = await stay_open(door, count)
    return [
        single("idle sessions open at once that answer", "", idle.awake, count, at_least=True),
        single("memory of each", "MB", idle.megabytes_each, 1.0),
        single("opened a second", "/s", count / idle.opened_s),
    ]


async def _endurance(door: Door, sessions: int, seconds: float) -> list[Figure]:
    endured = await endure(door, sessions, seconds)
    name = f"{sessions} sessions for {seconds / 60:g} min"
    return [
        single(f"{name}: frames that came back", "", endured.frames),
        single(f"{name}: frames lost", "", sum(each.lost for each in endured.echoes), 0),
        single(f"{name}: frames out of order", "", sum(each.reordered for each in endured.echoes), 0),
        single(f"{name}: turns without an answer", "", endured.unanswered, 0),
        single(f"{name}: memory grew by", "%", 100 * endured.grown, 5),
        single(f"{name}: memory grew in ten minutes by", "MB", endured.grown_mb, 1),
        single(f"{name}: descriptors more", "", endured.end.descriptors - endured.warm.descriptors, 0),
    ]


async def _speech(door: Door) -> list[bytes]:
    """The frames of a line as the local voice says it."""
    (token,) = await guests(door.grpc, 1)
    async with open_channel(door.grpc) as channel:
        pcm = (await spoken(channel, token, _LINE, synthesizer="hibari")).pcm
    whole = pcm + bytes(-len(pcm) % len(SILENCE))
    return [whole[begin : begin + len(SILENCE)] for begin in range(0, len(whole), len(SILENCE))]


@contextmanager
def _installation(variables: Mapping[str, str]) -> Iterator[Door]:
    with tempfile.TemporaryDirectory(prefix="vivavoce-load-") as name:
        folder = Path(name)
        # A PostgreSQL that root started runs as another, who has to get through.
        folder.chmod(0o711)
        with process_mesh(folder, variables={**INSTANT, **NO_WAITS, **UNBOUNDED, **variables}) as mesh:
            ids = [program.process_id for program in mesh.programs.values()]
            yield Door(mesh.web, mesh.grpc, Families.of(each for each in ids if each is not None))


def _goes_first() -> bool:
    """Lets this process wait for no other, as learners' own machines do; what it takes is missing to the server.

    False where the system does not let it. What it starts runs as ever.
    """
    if sys.platform != "linux":
        return False
    try:
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))
    except OSError:
        return False
    return True


def _raised_files() -> int:
    """Lets this process, and those it starts, hold as many files and sockets as the system lets them."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most
