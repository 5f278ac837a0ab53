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

from vivavoce.ai_engine.v1 import catalog_pb2 as catalog_pb
from vivavoce.ai_engine.v1 import engine_pb2 as engine_pb
from vivavoce.history.v1 import history_pb2 as history_pb
from vivavoce.history.v1 import history_service_pb2 as service_pb
from vivavoce.history.v1.history_service_pb2_grpc import HistoryServiceStub
from vivavoce.type.v1 import feedback_pb2 as feedback_pb

from cli.bench.history_relay import telling
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
    outage_s: float


_FULL: Final = Plan(5000, 2000, 30, 5.0)
_QUICK: Final = Plan(200, 200, 10, 1.0)
#: Turns a second of people who talk: ten times what fifty conversations bring.
_LIVE: Final = 200.0


def bench_history(*, quick: bool, database_url: str = "") -> Report:
    """Measures on SQLite, and on the empty PostgreSQL database of the URL, if one is given."""
    plan = _QUICK if quick else _FULL
    figures = _of("SQLite", "", plan)
    if database_url:
        figures += _of("PostgreSQL", database_url, plan)
    return Report("history", plan.conversations * _TURNS, figures)


def _of(kind: str, database_url: str, plan: Plan) -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder, history_process(Path(folder), database_url) as history:
        figures = run(_measured(history, plan, _GOALS[kind], Path(folder)))
        return [Figure(f"{kind}: {each.name}", *_rest(each)) for each in figures]


def _rest(figure: Figure) -> tuple[str, dict[str, float], dict[str, float], bool]:
    return figure.unit, figure.measured, figure.goal, figure.at_least


async def _measured(history: HistoryProcess, plan: Plan, goal: float, folder: Path) -> list[Figure]:
    async with open_channel(history.address) as channel:
        bench = _Bench(HistoryServiceStub(channel), history)
        quarter = plan.conversations // 4
        first_s = await bench.tell(0, quarter)
        small = await bench.views(plan.views)
        rest_s = await bench.tell(quarter, plan.conversations)
        (first,) = await bench.views(1)
        views = await bench.views(plan.views)
    async with telling(history, folder) as people:
        waits = await people.fresh(plan.live_turns, _LIVE)
        drained_s = await people.drained_s(plan.outage_s, _LIVE)
    whole = plan.conversations * _TURNS
    allowed = 4 * math.log(whole) / math.log(whole / 4)
    return [
        single("turns committed, each with its reply", "/s", whole / (first_s + rest_s), goal, at_least=True),
        percentiles("in history after its commit, 200 turns a second", "ms", waits, {"p99": 1000}),
        single(
            f"all there once history was stopped for {plan.outage_s:g} s, talk going on",
            "s",
            drained_s,
            2 * plan.outage_s,
        ),
        percentiles(f"progress view of {plan.conversations} conversations", "ms", views, {"p50": 100}),
        single("the first of them, which packs what is over", "ms", first),
        single(
            "progress view, times that of a quarter as many",
            "",
            percentile(views, 50) / percentile(small, 50),
            allowed,
        ),
    ]


class _Bench:
    """One learner's year."""

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
    """A conversation: its beginning, then turns of ten words, each with its reply, and a slip in one of ten."""
    made: list[history_pb.HistoryEvent] = [history_pb.HistoryEvent()]
    made[0].conversation_began.settings.scenario_id = "cafe"
    for turn in range(_TURNS):
        made.append(_turn(f"trn_{turn}", chance))
        if turn % 10 == 0:
            made.append(history_pb.HistoryEvent())
            made[-1].feedback_given.turn_id = f"trn_{turn}"
            made[-1].feedback_given.correction.kind = feedback_pb.CORRECTION_KIND_GRAMMAR
        made.append(_reply(turn, chance))
    for sequence, event in enumerate(made, 1):
        event.conversation_id, event.sequence, event.user_id = name, sequence, user_id
        event.time.seconds = begin_s + sequence * 7
        yield event


def _turn(turn_id: str, chance: random.Random) -> history_pb.HistoryEvent:
    event = history_pb.HistoryEvent()
    turn, said = event.turn_taken, [_word(chance) for _ in range(10)]
    turn.turn_id, turn.text = turn_id, " ".join(said)
    turn.sample_rate_hz, turn.end_sample = 16_000, 64_000
    for place, word in enumerate(said):
        turn.words.add(text=word, start_sample=place * 6000, end_sample=place * 6000 + 4000)
    return event


def _reply(turn: int, chance: random.Random) -> history_pb.HistoryEvent:
    """What was heard, with the cost of three providers and how they did."""
    event = history_pb.HistoryEvent()
    reply = event.reply_given
    reply.reply_id, reply.turn_id = f"rep_{turn}", f"trn_{turn}"
    reply.heard_text, reply.heard_ms = f"And then? {_word(chance)} {_word(chance)}!", 2000
    reply.ledger.total_ms = chance.uniform(200, 900)
    reply.usage.currency = "USD"
    for role, provider in enumerate(("deepgram", "openai", "elevenlabs"), catalog_pb.PROVIDER_ROLE_RECOGNIZER):
        cost_micros = chance.randrange(1000)
        reply.usage.cost_micros += cost_micros
        reply.usage.provider_costs.add(provider=provider, cost_micros=cost_micros)
        reply.usage.provider_attempts.add(
            provider=provider,
            role=catalog_pb.ProviderRole.ValueType(role),
            outcome=engine_pb.ATTEMPT_OUTCOME_ANSWERED,
            first_ms=chance.uniform(100, 600),
            count=1,
        )
    return event


def _word(chance: random.Random) -> str:
    """A word, the first of them far more often than the last."""
    return f"w{int(_VOCABULARY ** chance.random()):x}"
