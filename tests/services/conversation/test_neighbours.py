"""What reaches history and media, and what happens when they are away."""

import socket
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress
from pathlib import Path

import grpc
import pytest
from vivavoce.ai_engine.v1 import catalog_pb2 as catalog_pb
from vivavoce.ai_engine.v1 import engine_pb2 as engine_pb
from vivavoce.conversation.v1 import conversation_pb2 as conversation_pb
from vivavoce.conversation.v1 import converse_pb2 as converse_pb
from vivavoce.history.v1 import history_pb2 as history_event_pb
from vivavoce.history.v1 import history_service_pb2 as history_pb
from vivavoce.history.v1.history_service_pb2_grpc import HistoryServiceStub
from vivavoce.media.v1 import media_pb2 as media_pb
from vivavoce.media.v1 import media_service_pb2 as media_service_pb
from vivavoce.media.v1.media_service_pb2_grpc import MediaServiceStub
from vivavoce.type.v1 import error_pb2 as error_pb

from mesh.channel import open_channel
from mesh.clock import SystemClock
from mesh.errors import ExhaustedError
from mesh.peers import Peers
from mesh.server import MeshServer
from mesh.tokens import ServiceTokens
from services.history.app import open_service as open_history
from services.history.settings import Settings as HistorySettings
from tests.services.calls import refused
from tests.services.conversation.conftest import House
from tests.services.conversation.eventually import eventually, eventually_found

Houses = Callable[..., AbstractAsyncContextManager[House]]


async def in_history(house: House, conversation_id: str, count: int) -> list[history_event_pb.HistoryEvent]:
    """What history has of the conversation, if it has so much."""
    stub = HistoryServiceStub(house.neighbours)
    with suppress(grpc.aio.AioRpcError):
        listed = await stub.ListEvents(
            history_pb.ListEventsRequest(conversation_id=conversation_id), metadata=house.authority.user_metadata()
        )
        if len(listed.events) >= count:
            return list(listed.events)
    return []


async def all_in_history(house: House, conversation_id: str, count: int) -> list[str]:
    """What kinds of events history has of the conversation, once it has so much."""
    events = await eventually_found(lambda: in_history(house, conversation_id, count))
    return [str(event.WhichOneof("event")) for event in events]


async def test_what_was_said_and_heard_arrives_in_history_in_order(house: House) -> None:
    async with house.learner() as learner:
        started = await learner.start()
        await learner.until("reply_finished")
        await learner.say_something()
        await learner.until("reply_finished")
    assert await all_in_history(house, started.conversation.conversation_id, 4) == [
        "conversation_began", "reply_given", "turn_taken", "reply_given",
    ]  # fmt: skip


async def test_what_a_reply_cost_and_how_its_providers_did_arrives_in_history_with_it(house: House) -> None:
    house.script.usage = engine_pb.Usage(
        input_tokens=900,
        output_tokens=40,
        spoken_characters=25,
        cost_micros=1250,
        provider_costs=[engine_pb.ProviderCost(provider="l", cost_micros=1250)],
        provider_attempts=[
            engine_pb.ProviderAttempt(
                provider="l",
                role=catalog_pb.PROVIDER_ROLE_LANGUAGE_MODEL,
                outcome=engine_pb.ATTEMPT_OUTCOME_ANSWERED,
                first_ms=80.5,
                count=1,
            )
        ],
        currency="USD",
    )
    async with house.learner() as learner:
        started = await learner.start()
        await learner.until("reply_finished")
    conversation_id = started.conversation.conversation_id
    opener = (await eventually_found(lambda: in_history(house, conversation_id, 2)))[1]
    assert opener.reply_given.usage == house.script.usage


async def test_what_was_used_for_a_reply_that_the_end_cut_off_arrives_in_history(house: House) -> None:
    house.script.usage = engine_pb.Usage(cost_micros=900, currency="USD")
    house.script.may_reply.clear()
    async with house.learner() as learner:
        started = await learner.start()
        await eventually(lambda: house.script.asked_for("respond"), within_s=20)
    conversation_id = started.conversation.conversation_id
    used = (await eventually_found(lambda: in_history(house, conversation_id, 2)))[1]
    assert used.engine_used.usage == house.script.usage


async def finished_recordings(house: House) -> list[media_pb.Recording]:
    return [recording for recording in await recordings(house) if recording.finished]


async def recordings(house: House) -> list[media_pb.Recording]:
    stub = MediaServiceStub(house.neighbours)
    answer = await stub.ListRecordings(
        media_service_pb.ListRecordingsRequest(), metadata=house.authority.user_metadata()
    )
    return list(answer.recordings)


async def test_both_tracks_are_recorded_where_the_learner_consents(house: House) -> None:
    async with house.learner() as learner:
        await learner.start(settings=conversation_pb.ConversationSettings(record=True))
        await learner.until("reply_finished")
        await learner.say_something()
        finished = (await learner.until("reply_finished")).reply_finished
        await learner.send(end_session={})
        await learner.to_the_end()
    (recording,) = await eventually_found(lambda: finished_recordings(house))
    tracks = {track.track: track.samples for track in recording.tracks}
    assert tracks[media_pb.TRACK_LEARNER] == 11 * 320
    assert tracks[media_pb.TRACK_TUTOR] >= 2 * finished.heard_samples


async def test_the_lines_of_a_talk_are_marked_on_its_recording(house: House) -> None:
    async with house.learner() as learner:
        await learner.start(settings=conversation_pb.ConversationSettings(record=True))
        await learner.until("reply_finished")
        await learner.say_something()
        turn = (await learner.until("turn_committed")).turn_committed.turn_id
        reply = (await learner.until("reply_finished")).reply_finished.reply_id
        await learner.send(end_session={})
        await learner.to_the_end()
    (recording,) = await eventually_found(lambda: finished_recordings(house))
    request = media_service_pb.GetRecordingRequest(recording_id=recording.recording_id)
    stub = MediaServiceStub(house.neighbours)
    answer = await stub.GetRecording(request, metadata=house.authority.user_metadata())
    lines = {line.line_id: line for line in answer.recording.lines}
    samples = {track.track: track.samples for track in answer.recording.tracks}
    assert lines[turn].track == media_pb.TRACK_LEARNER
    assert lines[reply].track == media_pb.TRACK_TUTOR
    assert len(lines) == 3
    assert all(0 <= each.first_sample < each.end_sample <= samples[each.track] for each in lines.values())


@pytest.mark.parametrize(("agreed", "away"), [(False, False), (True, True)])
async def test_a_learner_who_has_not_agreed_or_can_not_be_asked_is_told_and_not_recorded(
    house: House, agreed: bool, away: bool
) -> None:
    house.users.recording, house.users.away = agreed, away
    async with house.learner() as learner:
        await learner.start(settings=conversation_pb.ConversationSettings(record=True))
        failure = (await learner.until("error_raised")).error_raised.failure
        reason = error_pb.ERROR_REASON_SERVICE_UNAVAILABLE if away else error_pb.ERROR_REASON_CONSENT_MISSING
        assert failure.reason == reason
        await learner.until("reply_finished")
        await learner.send(end_session={})
        await learner.to_the_end()
    assert not await recordings(house)


async def test_nothing_is_recorded_where_nobody_asks_for_it(house: House) -> None:
    async with house.learner() as learner:
        await learner.start()
        await learner.until("reply_finished")
        await learner.send(end_session={})
        await learner.to_the_end()
    assert not await recordings(house)


async def test_media_that_is_away_costs_the_recording_and_not_the_talk(houses: Houses) -> None:
    async with houses(media_away=True) as house, house.learner() as learner:
        await learner.start(settings=conversation_pb.ConversationSettings(record=True))
        failure = (await learner.until("error_raised")).error_raised.failure
        assert failure.message.startswith("The recording stopped")
        await learner.say_something()
        await learner.until("turn_committed")
        await learner.until("reply_finished")


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


async def test_what_history_missed_while_it_was_away_arrives_when_it_is_back(houses: Houses, tmp_path: Path) -> None:
    address = f"127.0.0.1:{free_port()}"
    async with houses(history_address=address) as house, AsyncExitStack() as later:
        async with house.learner() as learner:
            started = await learner.start()
            await learner.until("reply_finished")
            await learner.send(submit_text=converse_pb.SubmitText(text="Is anybody there?"))
            await learner.until("turn_committed")
            await learner.until("reply_finished")
        nowhere = await later.enter_async_context(Peers({}, ServiceTokens(house.authority.signer, "history")))
        folder = tmp_path / "later"
        folder.mkdir()
        service = await later.enter_async_context(
            open_history(HistorySettings(data_dir=folder), nowhere, SystemClock())
        )
        await later.enter_async_context(
            MeshServer([service], house.authority.verifier, address=address, drain_s=0.2, notice_s=0.0)
        )
        house.neighbours = await later.enter_async_context(open_channel(address))
        assert await all_in_history(house, started.conversation.conversation_id, 4) == [
            "conversation_began",
            "reply_given",
            "turn_taken",
            "reply_given",
        ]


async def test_a_full_outbox_refuses_new_sessions_and_keeps_those_there_are(houses: Houses) -> None:
    async with (
        houses(history_address=f"127.0.0.1:{free_port()}", outbox_bound=1) as house,
        house.learner() as first,
        house.learner("usr_other") as second,
    ):
        await first.start()
        await first.until("reply_finished")
        with refused(ExhaustedError, reason="OVERLOADED"):
            await second.start()
        await first.say_something()
        await first.until("turn_committed")
