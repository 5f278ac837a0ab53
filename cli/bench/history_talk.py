"""Made-up conversations for `viva bench history`: turns of ten words, each with its reply, and a slip in one of ten."""

import random
from collections.abc import Callable, Iterator
from typing import Final

from vivavoce.ai_engine.v1 import catalog_pb2 as catalog_pb
from vivavoce.ai_engine.v1 import engine_pb2 as engine_pb
from vivavoce.history.v1 import history_pb2 as history_pb
from vivavoce.history.v1 import history_service_pb2 as service_pb
from vivavoce.type.v1 import feedback_pb2 as feedback_pb

#: Turns of a conversation.
TURNS: Final = 40
_SEED: Final = 11
#: Conversations of a busy learner's year lie so far apart.
_APART_S: Final = 6300
_BEGIN_S: Final = 1_750_000_000
_BATCH: Final = 128
#: A year's words: a few all the time, most seldom.
_VOCABULARY: Final = 6000


def deliveries(numbers: range, learner: Callable[[int], str]) -> Iterator[service_pb.IngestRequest]:
    """The conversations of these numbers, each of the learner its number stands for, as one stream delivers them."""
    delivery = 0
    for number in numbers:
        chance = random.Random(_SEED + number)
        events = list(_talk(f"cnv_{number:05}", learner(number), _BEGIN_S + number * _APART_S, chance))
        for start in range(0, len(events), _BATCH):
            delivery += 1
            yield service_pb.IngestRequest(delivery=delivery, events=events[start : start + _BATCH])


def _talk(name: str, user_id: str, begin_s: int, chance: random.Random) -> Iterator[history_pb.HistoryEvent]:
    made: list[history_pb.HistoryEvent] = [history_pb.HistoryEvent()]
    made[0].conversation_began.settings.scenario_id = "cafe"
    for turn in range(TURNS):
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
