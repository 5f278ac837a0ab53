"""What reaches history and media, and what happens when they are away."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from vivavoce.conversation.v1 import conversation_pb2 as conversation_pb
from vivavoce.history.v1 import history_service_pb2 as history_pb
from vivavoce.history.v1.history_service_pb2_grpc import HistoryServiceStub
from vivavoce.media.v1 import media_pb2 as media_pb
from vivavoce.media.v1 import media_service_pb2 as media_service_pb
from vivavoce.media.v1.media_service_pb2_grpc import MediaServiceStub

from tests.services.conversation.conftest import House

Houses = Callable[..., AbstractAsyncContextManager[House]]


async def kinds_in_history(house: House, conversation_id: str, count: int) -> list[str]:
    """What history has of the conversation, once it has so much."""
    stub = HistoryServiceStub(house.neighbours)
    for _ in range(200):
        listed = await stub.ListEvents(
            history_pb.ListEventsRequest(conversation_id=conversation_id), metadata=house.authority.user_metadata()
        )
        if len(listed.events) >= count:
            return [str(event.WhichOneof("event")) for event in listed.events]
    raise AssertionError("history did not get it")


async def test_what_was_said_and_heard_arrives_in_history_in_order(house: House) -> None:
    async with house.learner() as learner:
        started = await learner.start()
        await learner.until("reply_finished")
        await learner.say_something()
        await learner.until("reply_finished")
    assert await kinds_in_history(house, started.conversation.conversation_id, 4) == [
        "conversation_began", "reply_given", "turn_taken", "reply_given",
    ]  # fmt: skip


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
    for _ in range(200):
        found = await recordings(house)
        if found and found[0].finished:
            break
    tracks = {track.track: track.samples for track in found[0].tracks}
    assert tracks[media_pb.TRACK_LEARNER] == 11 * 320
    assert tracks[media_pb.TRACK_TUTOR] >= 2 * finished.heard_samples


async def test_nothing_is_recorded_without_consent(house: House) -> None:
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
