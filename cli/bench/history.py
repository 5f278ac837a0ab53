"""`viva bench history`: how fast what was said is kept, how soon acknowledged, and how fast a year of it opens."""

import asyncio
import math
import random
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from vivavoce.history.v1 import history_pb2 as history_pb
from vivavoce.history.v1 import history_service_pb2 as service_pb
from vivavoce.history.v1.history_service_pb2_grpc import HistoryServiceStub

from cli.bench.history_server import HistoryProcess, history_process
from cli.bench.report import Figure, Report, percentile, percentiles, single
from mesh.channel import call_metadata, open_channel
from mesh.server import run
from mesh.streams import DuplexStream, client_stream
from mesh.tokens import SERVICES

if TYPE_CHECKING:
    from vivavoce.history.v1.history_service_pb2_grpc import HistoryServiceAsyncStub

IngestStream: TypeAlias = DuplexStream[service_pb.IngestRequest, service_pb.IngestResponse]

_SEED: Final = 11
_TURNS: Final = 40
#: Conversations of a busy learner's year lie so far apart.
_APART_S: Final = 6300
_BEGIN_S: Final = 1_750_000_000
_STREAMS: Final = 4
_BATCH: Final = 128
_GOALS: Final = {"SQLite": 2000.0, "PostgreSQL": 500.0}
#: A year's words: a few all the time, most seldom.
_VOCABULARY: Final = 6000


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured. The view is opened after a quarter of the conversations, and after all."""

    conversations: int
    live_turns: int
    views: int


_FULL: Final = Plan(5000, 2000, 30)
_QUICK: Final = Plan(200, 200, 10)


def bench_history(*, quick: bool, database_url: str = "") -> Report:
    """Measures on SQLite, and on the empty PostgreSQL database of the URL, if one is given."""
    plan = _QUICK if quick else _FULL
    figures = _of("SQLite", "", plan)
    if database_url:
        figures += _of("PostgreSQL", database_url, plan)
    return Report("history", plan.conversations * _TURNS, figures)


def _of(kind: str, database_url: str, plan: Plan) -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder, history_process(Path(folder), database_url) as history:
        return [Figure(f"{kind}: {each.name}", *_rest(each)) for each in run(_measured(history, plan, _GOALS[kind]))]


def _rest(figure: Figure) -> tuple[str, dict[str, float], dict[str, float], bool]:
    return figure.unit, figure.measured, figure.goal, figure.at_least


async def _measured(history: HistoryProcess, plan: Plan, goal: float) -> list[Figure]:
    async with open_channel(history.address) as channel:
        bench = _Bench(HistoryServiceStub(channel), history)
        quarter = plan.conversations // 4
        first_s = await bench.tell(0, quarter)
        small = await bench.views(plan.views)
        rest_s = await bench.tell(quarter, plan.conversations)
        views = await bench.views(plan.views)
        waits = await bench.talk_live(plan.live_turns)
    whole = plan.conversations * _TURNS
    allowed = 4 * math.log(whole) / math.log(whole / 4)
    return [
        single("turns committed, each with its reply", "/s", whole / (first_s + rest_s), goal, at_least=True),
        percentiles("acknowledged after, 200 turns a second one by one", "ms", waits, {"p99": 1000}),
        percentiles(f"progress view of {plan.conversations} conversations", "ms", views, {"p95": 100}),
        single(
            "progress view, times that of a quarter as many",
            "",
            percentile(views, 50) / percentile(small, 50),
            allowed,
        ),
    ]


class _Bench:
    """One learner's year, and another's talk."""

    def __init__(self, stub: "HistoryServiceAsyncStub", history: HistoryProcess) -> None:
        self._stub = stub
        self._service = call_metadata(history.signer.sign("service:conversation", SERVICES, 3600))
        claims = {"sid": "ses_bench", "scope": "read", "guest": False}
        self._learner = call_metadata(history.signer.sign("usr_year", claims=claims))

    async def tell(self, first: int, after: int) -> float:
        """Delivers conversations over a few streams at once; the seconds until all are acknowledged."""
        made = [list(_deliveries(range(first + stream, after, _STREAMS))) for stream in range(_STREAMS)]
        began = time.perf_counter()
        async with asyncio.TaskGroup() as streams:
            for deliveries in made:
                streams.create_task(self._deliver(deliveries))
        return time.perf_counter() - began

    async def _deliver(self, deliveries: list[service_pb.IngestRequest]) -> None:
        async with client_stream(self._stub.Ingest, metadata=self._service) as stream, asyncio.TaskGroup() as tasks:
            tasks.create_task(_acknowledged(stream, len(deliveries)))
            for delivery in deliveries:
                await stream.send(delivery)

    async def views(self, count: int) -> list[float]:
        """Milliseconds until the whole progress, by day, is there."""
        request = service_pb.GetProgressRequest(time_zone="Europe/Berlin")
        taken = []
        for _ in range(count):
            began = time.perf_counter()
            await self._stub.GetProgress(request, metadata=self._learner, timeout=30)
            taken.append((time.perf_counter() - began) * 1000)
        return taken

    async def talk_live(self, turns: int) -> list[float]:
        """Milliseconds until a turn that is delivered alone is acknowledged, two hundred of them a second."""
        sent: list[float] = []
        taken: list[float] = []
        async with client_stream(self._stub.Ingest, metadata=self._service) as stream, asyncio.TaskGroup() as tasks:

            async def listen() -> None:
                async for answer in stream:
                    came_at = time.perf_counter()
                    taken.extend((came_at - at) * 1000 for at in sent[len(taken) : answer.acknowledged_delivery])
                    if len(taken) == turns:
                        return

            tasks.create_task(listen())
            began = time.perf_counter()
            for number in range(turns):
                await asyncio.sleep(max(0.0, began + number / 200 - time.perf_counter()))
                sent.append(time.perf_counter())
                event = next(iter(_talk(f"cnv_live_{number}", "usr_live", _BEGIN_S, random.Random(number))))
                await stream.send(service_pb.IngestRequest(delivery=number + 1, events=[event]))
        return taken


async def _acknowledged(stream: IngestStream, deliveries: int) -> None:
    async for answer in stream:
        if answer.acknowledged_delivery == deliveries:
            return


def _deliveries(numbers: range) -> Iterator[service_pb.IngestRequest]:
    delivery = 0
    for number in numbers:
        chance = random.Random(_SEED + number)
        events = list(_talk(f"cnv_{number:05}", "usr_year", _BEGIN_S + number * _APART_S, chance))
        for start in range(0, len(events), _BATCH):
            delivery += 1
            yield service_pb.IngestRequest(delivery=delivery, events=events[start : start + _BATCH])


def _talk(name: str, user_id: str, begin_s: int, chance: random.Random) -> Iterator[history_pb.HistoryEvent]:
    """A conversation: its beginning, then turns of ten words, each with its reply."""
    for sequence in range(1, 2 * _TURNS + 2):
        event = history_pb.HistoryEvent(conversation_id=name, sequence=sequence, user_id=user_id)
        event.time.seconds = begin_s + sequence * 7
        if sequence == 1:
            event.conversation_began.settings.scenario_id = "cafe"
        elif sequence % 2:
            reply = event.reply_given
            reply.reply_id, reply.turn_id = f"rep_{sequence}", f"trn_{sequence - 1}"
            reply.heard_text, reply.heard_ms = f"And then? {_word(chance)} {_word(chance)}!", 2000
            reply.ledger.total_ms = chance.uniform(200, 900)
        else:
            turn = event.turn_taken
            said = [_word(chance) for _ in range(10)]
            turn.turn_id, turn.text = f"trn_{sequence}", " ".join(said)
            turn.sample_rate_hz, turn.end_sample = 16_000, 64_000
            for place, word in enumerate(said):
                turn.words.add(text=word, start_sample=place * 6000, end_sample=place * 6000 + 4000)
        yield event


def _word(chance: random.Random) -> str:
    """A word, the first of them far more often than the last."""
    return f"w{int(_VOCABULARY ** chance.random()):x}"
