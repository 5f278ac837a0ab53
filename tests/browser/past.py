"""Gives a learner a past: talks over some weeks with slips that become rarer, and sound for the last of them."""

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import grpc
import numpy as np
from vivavoce.ai_engine.v1 import catalog_pb2 as catalog_pb
from vivavoce.ai_engine.v1 import engine_pb2 as engine_pb
from vivavoce.conversation.v1 import conversation_pb2 as conversation_pb
from vivavoce.history.v1 import history_pb2 as history_pb
from vivavoce.history.v1 import history_service_pb2 as history_service_pb
from vivavoce.history.v1.history_service_pb2_grpc import HistoryServiceStub
from vivavoce.media.v1 import media_pb2 as media_pb
from vivavoce.media.v1 import media_service_pb2 as media_service_pb
from vivavoce.media.v1.media_service_pb2_grpc import MediaServiceStub
from vivavoce.type.v1 import audio_pb2 as audio_pb
from vivavoce.type.v1 import feedback_pb2 as feedback_pb
from vivavoce.type.v1 import ledger_pb2 as ledger_pb

from cli.identity import open_service_key
from mesh.channel import call_metadata, open_channel
from mesh.ids import new_id
from mesh.streams import client_stream
from mesh.tokens import ServiceTokens

RATE_HZ: Final = 16_000
#: Days ago a talk was held; a learner who took to it.
TALKS: Final = (52, 47, 41, 37, 33, 30, 27, 24, 22, 19, 17, 15, 12, 10, 9, 7, 6, 4, 3, 2, 1, 0)
_SCENARIOS: Final = ("introductions", "cafe", "directions", "hotel", "shopping", "small_talk", "doctor")


@dataclass(frozen=True, slots=True)
class Exchange:
    """What was said, what was answered, the slip in it, and the word that sounded as another."""

    said: str
    answered: str
    slip: str = ""
    better: str = ""
    why: str = ""
    sounded: tuple[str, str, str] | None = None


EXCHANGES: Final = (
    Exchange(
        "Yesterday I go to the beach with my sister.",
        "Oh, you went to the beach yesterday! Was the weather pleasant?",
        "Yesterday I go",
        "Yesterday I went",
        "Yesterday is over: use the past.",
        sounded=("the", "ðə", "zə"),
    ),
    Exchange(
        "Yes, it was sunny, and the water was quite cold.",
        "Lovely. And what did you do afterwards?",
        sounded=("water", "wɔtɚ", "vɔtɚ"),
    ),
    Exchange(
        "We eat fish in a small restaurant. She have two dishes!",
        "She had two dishes? She must have been starving.",
        "She have",
        "She had",
        "With she, have becomes has; in the past, had.",
    ),
    Exchange(
        "I am agree. I would like to visit it again in summer.",
        "I agree, too. Nevertheless, it may be crowded then.",
        "I am agree",
        "I agree",
        "Agree is a verb of its own: no am.",
    ),
    Exchange("My name is Ana, and I live in Porto. I work as a nurse.", "Nice to meet you, Ana. What brings you here?"),
)


async def give_past(grpc_address: str, data_folder: Path, user_id: str) -> str:
    """Stores the talks, and returns the id of the last conversation, whose sound is archived when this returns."""
    signer = await asyncio.to_thread(open_service_key, data_folder / "keys" / "services.pem")
    metadata = call_metadata(ServiceTokens(signer, "conversation").current())
    now = datetime.now(UTC)
    last = ""
    async with open_channel(grpc_address, audio=True) as channel:
        async with client_stream(HistoryServiceStub(channel).Ingest, metadata=metadata) as stream:
            for number, days in enumerate(TALKS, 1):
                last = f"cnv_past{number}"
                held = now - timedelta(days=days, minutes=20)
                events = list(_talk(number, last, user_id, held))
                await stream.send(history_service_pb.IngestRequest(delivery=number, events=events))
            await stream.done_sending()
            assert [answer.acknowledged_delivery async for answer in stream][-1] == len(TALKS)
        await _record(channel, metadata, last, user_id)
    return last


def _talk(number: int, conversation_id: str, user_id: str, held: datetime) -> Iterator[history_pb.HistoryEvent]:
    def event(sequence: int, after_s: float) -> history_pb.HistoryEvent:
        happened = history_pb.HistoryEvent(conversation_id=conversation_id, sequence=sequence, user_id=user_id)
        happened.time.FromDatetime(held + timedelta(seconds=after_s))
        return happened

    began = event(1, 0)
    began.conversation_began.settings.CopyFrom(
        conversation_pb.ConversationSettings(scenario_id=_SCENARIOS[number % len(_SCENARIOS)], target_language="en")
    )
    yield began
    sequence, at_s = 1, 4.0
    for place, each in enumerate(_said(number)):
        turn_id = f"trn_{number}_{place}"
        turn = event(sequence + 1, at_s)
        turn.turn_taken.CopyFrom(_turn(turn_id, each.said, at_s, words_a_minute=70 + 2 * number))
        yield turn
        reply = event(sequence + 2, at_s + 5)
        reply.reply_given.CopyFrom(
            history_pb.ReplyGiven(
                reply_id=f"rep_{number}_{place}",
                turn_id=turn_id,
                heard_text=each.answered,
                heard_ms=3500,
                ledger=ledger_pb.Ledger(total_ms=380 + 25 * place),
                usage=_usage(number + place),
            )
        )
        yield reply
        sequence, at_s = sequence + 2, at_s + 12
        # The longer somebody learns, the less often.
        if number < 12 or place == number % 4:
            for found in _feedback(turn_id, each):
                sequence += 1
                told = event(sequence, at_s)
                told.feedback_given.CopyFrom(found)
                yield told


def _feedback(turn_id: str, each: Exchange) -> Iterator[history_pb.FeedbackGiven]:
    start = each.said.find(each.slip)
    if each.slip:
        slip = feedback_pb.Correction(
            kind=feedback_pb.CORRECTION_KIND_GRAMMAR,
            said=each.slip,
            better=each.better,
            explanation=each.why,
            start=start,
            end=start + len(each.slip),
            source="rules",
        )
        yield history_pb.FeedbackGiven(turn_id=turn_id, correction=slip)
    if each.sounded:
        word, expected, heard = each.sounded
        at = each.said.find(word)
        sounds = feedback_pb.PronouncedWord(
            word=word, score=0.4, expected_sounds=expected, heard_sounds=heard, start=at, end=at + len(word)
        )
        guess = feedback_pb.Pronunciation(source="sounds", approximate=True, words=[sounds])
        yield history_pb.FeedbackGiven(turn_id=turn_id, remark=feedback_pb.Remark(pronunciation=guess))


def _said(number: int) -> Iterable[Exchange]:
    return (EXCHANGES * 3)[: 3 + number % 5] if number < len(TALKS) else EXCHANGES


def _usage(number: int) -> engine_pb.Usage:
    """A recogniser that failed once in nine times, and a language model that costs a little."""
    model = engine_pb.ProviderAttempt(
        provider="openai",
        role=catalog_pb.PROVIDER_ROLE_LANGUAGE_MODEL,
        outcome=engine_pb.ATTEMPT_OUTCOME_ANSWERED,
        first_ms=210 + number % 7 * 15,
        count=1,
    )
    ear = engine_pb.ProviderAttempt(
        provider="whisper",
        role=catalog_pb.PROVIDER_ROLE_RECOGNIZER,
        outcome=engine_pb.ATTEMPT_OUTCOME_ANSWERED,
        first_ms=140,
        count=1,
    )
    if number % 9 == 0:
        ear.outcome, ear.cause = engine_pb.ATTEMPT_OUTCOME_FAILED, "TIMED_OUT"
    cost = engine_pb.ProviderCost(provider="openai", cost_micros=450)
    return engine_pb.Usage(cost_micros=450, currency="USD", provider_costs=[cost], provider_attempts=[model, ear])


def _turn(turn_id: str, text: str, at_s: float, *, words_a_minute: int) -> history_pb.TurnTaken:
    step = RATE_HZ * 60 // words_a_minute
    words = [
        audio_pb.WordTime(text=word, start_sample=place * step, end_sample=place * step + step * 4 // 5)
        for place, word in enumerate(text.split())
    ]
    start = int(at_s * RATE_HZ)
    return history_pb.TurnTaken(
        turn_id=turn_id,
        revision=1,
        text=text,
        words=words,
        start_sample=start,
        end_sample=start + len(words) * step,
        sample_rate_hz=RATE_HZ,
        session_id="ses_past",
    )


async def _record(
    channel: grpc.aio.Channel, metadata: tuple[tuple[str, str], ...], conversation_id: str, user_id: str
) -> None:
    """A second of sound for each line of the last talk, the learner's and the tutor's in turn."""
    number = len(TALKS)
    format_ = audio_pb.AudioFormat(encoding=audio_pb.AUDIO_ENCODING_PCM_S16LE, sample_rate_hz=RATE_HZ)
    started = media_pb.StartRecording(
        recording_id=new_id("rec"),
        conversation_id=conversation_id,
        session_id="ses_past",
        user_id=user_id,
        learner_audio=format_,
        tutor_audio=format_,
    )
    async with client_stream(MediaServiceStub(channel).Record, metadata=metadata) as stream:
        await stream.send(media_service_pb.RecordRequest(start_recording=started))
        for place in range(len(EXCHANGES)):
            for track, line_id, second in (
                (media_pb.TRACK_LEARNER, f"trn_{number}_{place}", 2 * place),
                (media_pb.TRACK_TUTOR, f"rep_{number}_{place}", 2 * place + 1),
            ):
                first = second * RATE_HZ
                sound = media_pb.AppendTrack(track=track, first_sample=first, pcm=_tone(220 if track == 1 else 330))
                line = media_pb.MarkLine(track=track, line_id=line_id, first_sample=first, end_sample=first + RATE_HZ)
                await stream.send(media_service_pb.RecordRequest(append_track=sound))
                await stream.send(media_service_pb.RecordRequest(mark_line=line))
        await stream.done_sending()
        async for _ in stream:
            pass


def _tone(hertz: int) -> bytes:
    times = np.arange(RATE_HZ) / RATE_HZ
    return (np.sin(2 * np.pi * hertz * times) * 8000).astype("<i2").tobytes()
