"""One session over the wire, between a scripted engine and the real history and media services."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any

import grpc
import pytest
from vivavoce.ai_engine.v1 import engine_pb2 as engine_pb
from vivavoce.conversation.v1 import conversation_pb2 as conversation_pb
from vivavoce.conversation.v1 import conversation_service_pb2 as service_pb
from vivavoce.conversation.v1 import converse_pb2 as converse_pb
from vivavoce.conversation.v1.conversation_service_pb2_grpc import ConversationServiceStub
from vivavoce.type.v1 import audio_pb2 as audio_pb
from vivavoce.type.v1 import error_pb2 as error_pb
from vivavoce.type.v1 import learner_pb2 as learner_pb

from mesh.channel import open_channel
from mesh.errors import (
    BadAudioError,
    ExhaustedError,
    InvalidFieldError,
    NotFoundError,
    PreconditionError,
    UnauthenticatedError,
    UnavailableError,
    VivavoceError,
)
from mesh.testing import no_leaked_tasks
from tests.services.calls import refused
from tests.services.conversation.conftest import House
from tests.services.conversation.eventually import eventually
from tests.services.conversation.learner import IN, LOUD, OUT, Learner, learner

Houses = Callable[..., AbstractAsyncContextManager[House]]


async def opened(learner: Learner) -> str:
    """Starts, hears the opener, and tells the conversation's id."""
    started = await learner.start()
    await learner.until("reply_finished")
    return started.conversation.conversation_id


async def test_a_spoken_turn_is_answered_stored_and_heard(house: House) -> None:
    async with house.learner() as learner:
        started = await learner.start()
        assert started.session_id.startswith("ses_")
        assert started.conversation.conversation_id.startswith("cnv_")
        assert started.engine.recognizer == "r"
        opener = await learner.until("reply_finished")
        assert opener.reply_finished.heard_text == "Of course. Anything else?"
        await learner.say_something()
        committed = (await learner.until("turn_committed")).turn_committed
        assert committed.text == "I would like a coffee, please."
        finished = (await learner.until("reply_finished")).reply_finished
        assert finished.sequence == committed.sequence + 1
        assert finished.heard_samples == finished.total_samples > 0
        await learner.send(end_session={})
        kinds = await learner.to_the_end()
        assert learner.events[-1].session_ended.turn_count == 1
        assert [event.sequence for event in learner.events] == list(range(1, len(kinds) + 1))
        for kind in ("speech_started", "speech_ended", "transcript_revised", "reply_measured"):
            assert kind in kinds


async def test_the_engine_is_given_what_was_said_and_heard(house: House) -> None:
    async with house.learner() as learner:
        await opened(learner)
        await learner.say_something()
        await learner.until("reply_finished")
        asked = house.script.asked_for("respond")[-1].respond
        assert asked.turn_text == "I would like a coffee, please."
        assert [line.text for line in asked.context.lines] == ["Of course. Anything else?"]
        assert asked.context.tutor_state == "state"


async def test_an_interruption_stops_the_reply_at_the_last_sample_played(house: House) -> None:
    house.script.reply_s = 5.0
    async with house.learner(plays=False) as learner:
        await learner.start()
        audio = (await learner.until("reply_audio")).reply_audio
        await learner.report(audio.reply_id, 24_000 * 3 // 2)
        await learner.until("reply_text") if "reply_text" not in learner.kinds() else None
        await learner.say_something()
        await learner.until("reply_paused")
        finished = (await learner.until("reply_finished")).reply_finished
        assert finished.outcome == converse_pb.REPLY_OUTCOME_INTERRUPTED
        assert finished.heard_samples <= 24_000 * 3 // 2
        assert "Of course. Anything else?".startswith(finished.heard_text)


async def test_a_cough_resumes_the_reply(house: House) -> None:
    house.script.reply_s = 5.0
    house.script.transcripts = [""]
    async with house.learner(plays=False) as learner:
        await learner.start()
        await learner.until("reply_audio")
        await learner.say_something()
        await learner.until("reply_paused")
        await learner.until("reply_resumed")
        assert "turn_committed" not in learner.kinds()


async def test_text_can_be_typed_and_a_reply_heard_again(house: House) -> None:
    async with house.learner() as learner:
        await opened(learner)
        await learner.send(submit_text=converse_pb.SubmitText(text="A tea instead."))
        assert (await learner.until("turn_committed")).turn_committed.typed
        await learner.until("reply_finished")
        await learner.send(repeat_reply=converse_pb.RepeatReply(speaking_rate=0.5))
        await learner.until("reply_finished")
        assert house.script.asked_for("speak")[0].speak.speaking_rate == 0.5


async def test_a_ping_is_answered_and_settings_change(house: House) -> None:
    async with house.learner() as learner:
        await opened(learner)
        await learner.send(ping=converse_pb.Ping(nonce=7))
        assert (await learner.until("pong")).pong.nonce == 7
        settings = conversation_pb.ConversationSettings(level=learner_pb.CEFR_LEVEL_B1)
        await learner.send(change_settings=converse_pb.ChangeSettings(settings=settings))
        await learner.send(submit_text=converse_pb.SubmitText(text="Hello."))
        await learner.until("turn_committed")
        assert house.script.asked_for("respond")[-1].respond.context.learner.level == 3
        settings = conversation_pb.ConversationSettings(target_language="fr")
        await learner.send(change_settings=converse_pb.ChangeSettings(settings=settings))
        failure = (await learner.until("error_raised")).error_raised.failure
        assert failure.field == "change_settings.settings.target_language"


async def test_the_engine_changes_in_the_middle_of_a_talk_which_goes_on(house: House) -> None:
    async with house.learner() as learner:
        await opened(learner)
        other = engine_pb.EngineSelection(kind=engine_pb.ENGINE_KIND_UNIFIED, speech_to_speech="other")
        settings = conversation_pb.ConversationSettings(engine=other)
        await learner.send(change_settings=converse_pb.ChangeSettings(settings=settings))
        await learner.send(submit_text=converse_pb.SubmitText(text="Hello again."))
        await learner.until("reply_finished")
    first, second = (asked.configure.engine for asked in house.script.asked_for("configure"))
    assert first.speech_to_speech == ""
    assert second == other
    asked = house.script.asked_for("respond")[-1].respond
    assert asked.turn_text == "Hello again."
    assert [line.text for line in asked.context.lines] == ["Of course. Anything else?"]


async def test_an_engine_that_can_t_be_had_is_told_and_the_one_before_goes_on(house: House) -> None:
    async with house.learner() as learner:
        await opened(learner)
        house.script.refuses = "nobody"
        settings = conversation_pb.ConversationSettings(engine=engine_pb.EngineSelection(speech_to_speech="nobody"))
        await learner.send(change_settings=converse_pb.ChangeSettings(settings=settings))
        failure = (await learner.until("error_raised")).error_raised.failure
        assert failure.reason == error_pb.ERROR_REASON_PROVIDER_MISSING
        await learner.send(submit_text=converse_pb.SubmitText(text="Hello again."))
        await learner.until("reply_finished")
    *_, last = house.script.asked_for("configure")
    assert last.configure.engine.speech_to_speech == ""


async def test_an_earlier_conversation_goes_on_without_an_opener(house: House) -> None:
    async with house.learner() as first:
        conversation_id = await opened(first)
        await first.say_something()
        await first.until("reply_finished")
    async with house.learner() as second:
        started = await second.start(conversation_id=conversation_id)
        assert started.conversation.last_sequence == 4
        await second.send(submit_text=converse_pb.SubmitText(text="And a cake."))
        committed = (await second.until("turn_committed")).turn_committed
        assert committed.sequence == 5
        asked = house.script.asked_for("respond")[-1].respond
        assert [line.text for line in asked.context.lines] == [
            "Of course. Anything else?", "I would like a coffee, please.", "Of course. Anything else?",
        ]  # fmt: skip
        assert asked.context.tutor_state == "state"


async def test_the_newest_session_of_a_conversation_wins(house: House) -> None:
    async with house.learner() as first, house.learner() as second:
        conversation_id = await opened(first)
        await second.start(conversation_id=conversation_id)
        await first.to_the_end()
        failure = first.events[-1].session_ended.failure
        assert failure.reason == error_pb.ERROR_REASON_CONVERSATION_CLOSED
        await second.send(submit_text=converse_pb.SubmitText(text="Here I am."))
        await second.until("turn_committed")


async def test_the_end_of_a_session_can_end_the_conversation(house: House) -> None:
    async with house.learner() as first:
        conversation_id = await opened(first)
        await first.send(end_session=converse_pb.EndSession(end_conversation=True))
        await first.to_the_end()
    async with house.learner() as second:
        with refused(PreconditionError, reason="CONVERSATION_CLOSED"):
            await second.start(conversation_id=conversation_id)


async def test_a_client_that_half_closes_gets_the_end_of_the_session(house: House) -> None:
    async with house.learner() as learner:
        await opened(learner)
        await learner.done_sending()
        assert (await learner.to_the_end())[-1] == "session_ended"


async def vanishes(house: House, *, after_speaking: bool) -> str:
    """Loses a client in the middle of things; the id of its conversation."""
    with suppress(RuntimeError):
        async with house.learner(plays=False) as learner:
            started = await learner.start()
            audio = (await learner.until("reply_audio")).reply_audio
            await learner.until("reply_audio_ended")
            await learner.report(audio.reply_id, 24_000)
            if after_speaking:
                await learner.speak(5)
            else:
                await learner.send(ping=converse_pb.Ping(nonce=1))
                await learner.until("pong")
            raise RuntimeError("the client crashes")
    return started.conversation.conversation_id


async def test_heard_words_are_kept_when_the_client_vanishes(house: House) -> None:
    house.script.reply_s = 1.5
    conversation_id = await vanishes(house, after_speaking=False)
    async with house.learner() as learner:
        started = await learner.start(conversation_id=conversation_id)
        assert started.conversation.last_sequence == 2


@pytest.fixture
async def brief(houses: Houses) -> AsyncIterator[House]:
    """Clients that vanish are waited for a moment only."""
    async with houses(resume_s=0.1) as house:
        yield house


async def test_nothing_is_left_running_when_clients_vanish_for_good(brief: House) -> None:
    # The first session opens what stays open: the connections, and the stream to history.
    await vanishes(brief, after_speaking=True)
    await eventually(lambda: not brief.script.open_streams)
    async with no_leaked_tasks():
        for _ in range(3):
            await vanishes(brief, after_speaking=True)
        await eventually(lambda: not brief.script.open_streams)


async def test_nothing_is_left_running_after_an_orderly_end(brief: House) -> None:
    await vanishes(brief, after_speaking=True)
    await eventually(lambda: not brief.script.open_streams)
    async with no_leaked_tasks():
        async with brief.learner() as learner:
            await opened(learner)
            await learner.send(end_session={})
            await learner.to_the_end()
        await eventually(lambda: not brief.script.open_streams)


async def test_the_first_message_must_start_the_session(house: House) -> None:
    async with house.learner() as learner:
        with refused(PreconditionError, reason="STREAM_NOT_CONFIGURED"):
            await learner.send(ping=converse_pb.Ping())
            await learner.until("session_started")


async def test_an_empty_stream_is_refused(house: House) -> None:
    async with house.learner() as learner:
        with refused(PreconditionError, reason="STREAM_NOT_CONFIGURED"):
            await learner.done_sending()
            await learner.until("session_started")


async def test_a_session_is_started_once(house: House) -> None:
    async with house.learner() as learner:
        await learner.start()
        with refused(PreconditionError, reason="STREAM_ALREADY_CONFIGURED"):
            await learner.start()
            await learner.to_the_end()


@pytest.mark.parametrize("user_id", ["usr_test", "usr_other"])
async def test_an_unknown_or_a_foreign_conversation_is_not_found(house: House, user_id: str) -> None:
    async with house.learner() as first:
        conversation_id = await opened(first)
    async with house.learner(user_id) as learner:
        with refused(NotFoundError):
            await learner.start(conversation_id="cnv_unknown" if user_id == "usr_test" else conversation_id)


async def test_resuming_is_not_offered_yet(house: House) -> None:
    async with house.learner() as learner:
        resume = converse_pb.ResumeSession(resume_token="t")
        start = converse_pb.StartSession(resume=resume, input_audio=IN, output_audio=OUT)
        with refused(PreconditionError, reason="NOT_RESUMABLE"):
            await learner.send(start_session=start)
            await learner.to_the_end()


@pytest.mark.parametrize(
    ("audio", "field"),
    [
        (audio_pb.AudioFormat(sample_rate_hz=11_025), "start_session.input_audio.sample_rate_hz"),
        (
            audio_pb.AudioFormat(sample_rate_hz=44_100, encoding=audio_pb.AUDIO_ENCODING_OPUS),
            "start_session.input_audio.sample_rate_hz",
        ),
    ],
)
async def test_sound_that_can_not_be_heard_is_refused(house: House, audio: audio_pb.AudioFormat, field: str) -> None:
    async with house.learner() as learner:
        settings = conversation_pb.ConversationSettings()
        start = converse_pb.StartSession(new_conversation=settings, input_audio=audio, output_audio=OUT)
        with refused(InvalidFieldError, field=field):
            await learner.send(start_session=start)
            await learner.to_the_end()


@pytest.mark.parametrize(
    ("audio", "kind", "reason"),
    [
        (converse_pb.AppendAudio(first_sample=0, pcm=b"\0"), BadAudioError, "BAD_AUDIO"),
        (converse_pb.AppendAudio(first_sample=5, pcm=LOUD), BadAudioError, "BAD_AUDIO"),
        (converse_pb.AppendAudio(first_sample=0, pcm=bytes(32_002)), BadAudioError, "BAD_AUDIO"),
    ],
)
async def test_broken_sound_ends_the_session_with_its_reason(
    house: House, audio: converse_pb.AppendAudio, kind: type[VivavoceError], reason: str
) -> None:
    async with house.learner() as learner:
        await learner.start()
        with refused(kind, reason=reason):
            await learner.send(append_audio=audio)
            await learner.to_the_end()


async def test_sound_faster_than_it_is_spoken_is_refused(house: House) -> None:
    async with house.learner() as learner:
        await learner.start()
        with refused(ExhaustedError, reason="AUDIO_TOO_FAST"):
            for _ in range(20):
                await learner.speak(1, pcm=bytes(32_000))
            await learner.to_the_end()


@pytest.mark.parametrize(
    "message",
    [
        {"ping": {}},
        {"append_audio": {}},
        {"cancel_reply": {}},
        {"commit_turn": {}},
        {"submit_text": {"text": "Hello."}},
    ],
    ids=lambda each: next(iter(each)),
)
async def test_messages_without_end_are_refused_and_the_next_session_is_not(
    house: House, message: dict[str, object]
) -> None:
    async with house.learner() as learner:
        await learner.start()
        flood = asyncio.create_task(repeat(learner, message, 10_000))
        with refused(ExhaustedError, reason="RATE_LIMITED"):
            await learner.to_the_end(15)
        flood.cancel()
        await asyncio.wait([flood])
    await eventually(lambda: house.script.open_streams == 0)
    async with house.learner() as learner:
        await opened(learner)


async def test_a_message_of_ten_megabytes_is_refused(house: House) -> None:
    async with (
        grpc.aio.insecure_channel(house.server.address) as careless,
        learner(careless, house.authority.user_metadata()) as sender,
    ):
        await sender.start()
        with refused(ExhaustedError):
            await sender.send(append_audio=converse_pb.AppendAudio(pcm=bytes(10_000_000)))
            await sender.to_the_end()


async def test_too_long_a_text_is_refused(house: House) -> None:
    async with house.learner() as learner:
        await learner.start()
        with refused(InvalidFieldError, field="submit_text.text"):
            await learner.send(submit_text=converse_pb.SubmitText(text="x" * 2001))
            await learner.to_the_end()


async def test_without_a_token_there_is_no_session(house: House) -> None:
    async with learner(house.channel, ()) as nobody:
        with refused(UnauthenticatedError, reason="TOKEN_MISSING"):
            await nobody.start()


async def test_an_engine_that_refuses_is_told_with_its_reason_and_leaves_no_conversation(house: House) -> None:
    house.script.refuse = PreconditionError("No provider is called x.", reason="PROVIDER_MISSING")
    async with house.learner() as learner:
        with refused(PreconditionError, reason="PROVIDER_MISSING"):
            await learner.start()


async def test_an_engine_that_fails_is_sought_anew_and_the_talk_goes_on(house: House) -> None:
    async with house.learner() as learner:
        await opened(learner)
        await learner.speak(5)
        await learner.until("speech_started")
        house.script.fail.set()
        await eventually(lambda: not house.script.open_streams)
        house.script.fail.clear()
        await learner.until("error_raised")
        await eventually(lambda: house.script.open_streams)
        await learner.be_silent(3)
        await learner.say_something()
        await learner.until("turn_committed")
        await learner.until("reply_finished")
        assert house.script.streams == 2


async def test_an_engine_that_is_away_for_a_while_is_waited_for_and_what_is_owed_is_answered(house: House) -> None:
    async with house.learner() as learner:
        await opened(learner)
        house.script.refuse = UnavailableError("It is started anew.")
        house.script.fail.set()
        await eventually(lambda: house.script.streams >= 3)
        await learner.send(submit_text=converse_pb.SubmitText(text="Hello again."))
        await learner.until("turn_committed")
        house.script.fail.clear()
        house.script.refuse = None
        assert (await learner.until("reply_finished")).reply_finished.heard_samples
    assert "session_ended" not in learner.kinds()


async def test_an_engine_that_ends_again_and_again_ends_the_session(house: House) -> None:
    async with house.learner() as learner:
        await opened(learner)
        house.script.reply_s = 0.04
        for _ in range(3):
            house.script.fail.set()
            await eventually(lambda: not house.script.open_streams)
            house.script.fail.clear()
            await learner.send(submit_text=converse_pb.SubmitText(text="Hello again."))
            await learner.until("reply_finished")
        house.script.fail.set()
        await learner.to_the_end()
        assert learner.events[-1].session_ended.failure.reason == error_pb.ERROR_REASON_PROVIDER_FAILED


async def test_an_engine_that_stays_away_ends_the_session_with_its_reason(house: House) -> None:
    async with house.learner() as learner:
        await opened(learner)
        house.script.refuse = PreconditionError("Gone.", reason="PROVIDER_MISSING")
        house.script.fail.set()
        await learner.to_the_end()
        assert learner.events[-1].session_ended.failure.reason == error_pb.ERROR_REASON_PROVIDER_FAILED


async def test_an_engine_that_says_nothing_is_told_of(houses: Houses) -> None:
    async with houses(engine_silent_s=0.2) as house, house.learner() as learner:
        house.script.may_reply.clear()
        await learner.start()
        failure = (await learner.until("error_raised")).error_raised.failure
        assert failure.reason == error_pb.ERROR_REASON_PROVIDER_FAILED
        house.script.may_reply.set()
        await learner.send(submit_text=converse_pb.SubmitText(text="Hello?"))
        await learner.until("reply_finished")


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ("idle_s", error_pb.ERROR_REASON_IDLE),
        ("silence_s", error_pb.ERROR_REASON_IDLE),
        ("max_session_s", error_pb.ERROR_REASON_DEADLINE),
    ],
)
async def test_sessions_end_by_themselves(houses: Houses, setting: str, reason: error_pb.ErrorReason.ValueType) -> None:
    async with houses(**{setting: 0.5}) as house, house.learner() as learner:
        await learner.start()
        kinds = await learner.to_the_end()
        assert kinds[-1] == "session_ended"
        assert learner.events[-1].session_ended.failure.reason == reason


async def test_one_learner_holds_a_few_sessions_only(houses: Houses) -> None:
    async with houses(max_sessions_per_user=1) as house, house.learner() as first, house.learner() as second:
        await first.start()
        with refused(ExhaustedError, reason="RATE_LIMITED"):
            await second.start()
        async with house.learner("usr_other") as other:
            await other.start()


async def test_too_many_sessions_are_refused(houses: Houses) -> None:
    async with houses(max_sessions=1) as house, house.learner() as first, house.learner("usr_other") as second:
        await first.start()
        with refused(ExhaustedError, reason="OVERLOADED"):
            await second.start()


async def test_a_fresh_token_of_the_same_person_is_taken_and_another_is_not(house: House) -> None:
    async with house.learner() as learner:
        await opened(learner)
        token = house.authority.user_token()
        await learner.send(refresh_access=converse_pb.RefreshAccess(access_token=token))
        await learner.send(ping=converse_pb.Ping())
        await learner.until("pong")
        for wrong in (house.authority.user_token("usr_other"), "nonsense"):
            await learner.send(refresh_access=converse_pb.RefreshAccess(access_token=wrong))
            await learner.until("error_raised")
        assert [event.error_raised.failure.reason for event in learner.events if event.HasField("error_raised")] == [
            error_pb.ERROR_REASON_NOT_ALLOWED, error_pb.ERROR_REASON_TOKEN_INVALID,
        ]  # fmt: skip


async def test_a_token_that_expires_is_announced_and_ends_the_session(house: House) -> None:
    signer = house.authority.signer
    token = signer.sign("usr_test", lifetime_s=2, claims={"sid": "ses_x", "scope": "talk"})
    async with learner(house.channel, (("authorization", f"Bearer {token}"),)) as brief:
        await brief.start()
        await brief.until("access_expiring")
        await brief.to_the_end()
        assert brief.events[-1].session_ended.failure.reason == error_pb.ERROR_REASON_TOKEN_INVALID


async def test_a_server_that_stops_lets_the_reply_end_and_says_goodbye(house: House) -> None:
    async with house.learner() as learner:
        await learner.start()
        await learner.until("reply_audio")
        draining = asyncio.create_task(house.server.drain())
        kinds = await learner.to_the_end()
        assert "go_away" in kinds
        assert kinds.index("go_away") < kinds.index("reply_finished")
        assert learner.events[-1].session_ended.failure.reason == error_pb.ERROR_REASON_DRAINING
        await draining


async def repeat(learner: Learner, message: dict[str, object], times: int) -> None:
    for _ in range(times):
        await learner.send(**message)


async def ping_for_ever(call: grpc.aio.StreamStreamCall[service_pb.ConverseRequest, Any]) -> None:
    with suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
        while True:
            await call.write(service_pb.ConverseRequest(ping=converse_pb.Ping(nonce=1 << 60)))


async def test_a_client_that_never_reads_is_let_go_and_its_neighbour_is_not(houses: Houses) -> None:
    async with (
        houses(stalled_s=0.3, messages_per_s=1e6, resume_s=0.1) as house,
        house.learner("usr_other") as neighbour,
    ):
        await neighbour.start()
        await neighbour.until("reply_finished")
        async with open_channel(house.server.address, audio=True) as channel:
            deaf = ConversationServiceStub(channel).Converse(metadata=house.authority.user_metadata())
            start = converse_pb.StartSession(
                new_conversation=conversation_pb.ConversationSettings(), input_audio=IN, output_audio=OUT
            )
            await deaf.write(service_pb.ConverseRequest(start_session=start))
            async with asyncio.TaskGroup() as group:
                chatter = group.create_task(ping_for_ever(deaf))
                await eventually(lambda: (house.script.streams, house.script.open_streams) == (2, 1), within_s=15)
                chatter.cancel()
            deaf.cancel()
        await neighbour.say_something()
        await neighbour.until("turn_committed")


@pytest.fixture
async def quick(houses: Houses) -> AsyncIterator[House]:
    async with houses(shortest_wait_ms=0.0) as house:
        yield house


async def test_the_ledger_of_a_turn_adds_up(quick: House) -> None:
    async with quick.learner() as learner:
        await opened(learner)
        await learner.say_something()
        ledger = (await learner.until("reply_measured")).reply_measured.ledger
        assert sum(stage.duration_ms for stage in ledger.stages) == pytest.approx(ledger.total_ms, abs=1)
