"""Spoken turns through the whole mesh, by both doors, and what they leave behind."""

import grpc
from vivavoce.conversation.v1 import conversation_pb2 as settings_pb
from vivavoce.history.v1 import history_pb2 as event_pb
from vivavoce.history.v1 import history_service_pb2 as history_pb
from vivavoce.history.v1.history_service_pb2_grpc import HistoryServiceStub
from vivavoce.media.v1 import media_pb2 as recording_pb
from vivavoce.media.v1 import media_service_pb2 as media_pb
from vivavoce.media.v1.media_service_pb2_grpc import MediaServiceStub
from vivavoce.user.v1 import user_pb2 as profile_pb
from vivavoce.user.v1 import user_service_pb2 as user_pb
from vivavoce.user.v1.user_service_pb2_grpc import UserServiceStub

from cli.compose import RunningMesh
from cli.talking.learner import Answered, join
from cli.talking.wires import Wire, open_grpc, open_socket
from mesh.channel import call_metadata
from tests.mesh.clients import eventually
from tests.mesh.conftest import CAFE, Say, Watch

ORDER = "Hello, I would like a cappuccino, please."
_CALL_S = 10.0


async def order(wire: Wire, say: Say, settings: settings_pb.ConversationSettings = CAFE) -> tuple[str, str, Answered]:
    """The conversation, the opening line, and what came of ordering a coffee."""
    async with join(wire, settings, input_hz=16_000, client="test") as learner:
        opener = await learner.hear_opener()
        answer = await learner.say(await say(ORDER))
        await learner.end()
        assert opener is not None
        return learner.started.conversation.conversation_id, opener.text, answer


async def test_a_turn_spoken_over_grpc_is_understood_and_answered_aloud(
    channel: grpc.aio.Channel, token: str, say: Say, watch: Watch
) -> None:
    async with open_grpc(channel, token) as wire:
        _, opener, answer = await order(wire, say)
    assert "drink" in opener.lower()
    assert "cappuccino" in answer.transcript.lower()
    assert "cappuccino" in answer.reply.lower()
    assert answer.reply_sound.duration_s > 1
    assert answer.outcome == "heard"
    _check_ledger(answer)
    await watch.settled()


async def test_a_turn_spoken_over_the_websocket_is_understood_and_answered_aloud(
    mesh: RunningMesh, token: str, say: Say, watch: Watch
) -> None:
    async with open_socket(mesh.web, token) as wire:
        _, _, answer = await order(wire, say)
    assert "cappuccino" in answer.transcript.lower()
    assert answer.reply_sound.duration_s > 1
    _check_ledger(answer)
    await watch.settled()


async def test_what_was_said_arrives_in_history_in_order(channel: grpc.aio.Channel, token: str, say: Say) -> None:
    async with open_grpc(channel, token) as wire:
        conversation_id, opener, answer = await order(wire, say)
    history = HistoryServiceStub(channel)
    request = history_pb.ListEventsRequest(conversation_id=conversation_id)

    async def lines() -> list[str] | None:
        try:
            listed = await history.ListEvents(request, metadata=call_metadata(token), timeout=_CALL_S)
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.NOT_FOUND:
                raise
            # The first delivery is still on its way.
            return None
        told = {event.sequence: _line(event) for event in listed.events}
        assert sorted(told) == list(range(1, len(told) + 1))
        said = [told[sequence] for sequence in sorted(told) if told[sequence]]
        return said if len(said) >= 3 else None

    said = await eventually(lines)
    assert said[:2] == [opener, answer.transcript]
    assert said[2].strip() == answer.reply.strip()


async def test_the_sound_of_both_is_kept_where_the_learner_asks_for_it(
    channel: grpc.aio.Channel, token: str, say: Say
) -> None:
    consent = user_pb.UpdateUserRequest(profile=profile_pb.Profile(recording_consent=True))
    consent.update_mask.paths.append("recording_consent")
    await UserServiceStub(channel).UpdateUser(consent, metadata=call_metadata(token), timeout=_CALL_S)
    recorded = settings_pb.ConversationSettings(scenario_id="cafe", record=True)
    async with open_grpc(channel, token) as wire:
        conversation_id, _, answer = await order(wire, say, recorded)
    media = MediaServiceStub(channel)
    request = media_pb.ListRecordingsRequest(conversation_id=conversation_id)

    async def finished() -> recording_pb.Recording | None:
        listed = await media.ListRecordings(request, metadata=call_metadata(token), timeout=_CALL_S)
        return next((recording for recording in listed.recordings if recording.finished), None)

    recording = await eventually(finished)
    lengths = {track.track: track.samples / track.audio_format.sample_rate_hz for track in recording.tracks}
    spoken_s = (await say(ORDER)).duration_s
    assert lengths[recording_pb.TRACK_LEARNER] > spoken_s
    assert lengths[recording_pb.TRACK_TUTOR] > answer.reply_sound.duration_s


def _check_ledger(answer: Answered) -> None:
    """The stages follow one another, and add up to what the server measured."""
    assert answer.ledger is not None
    stages = {stage.name: stage.duration_ms for stage in answer.ledger.stages}
    assert stages["endpoint"] > 100
    assert min(stages.values()) >= 0
    assert abs(sum(stages.values()) - answer.ledger.total_ms) <= 20


def _line(event: event_pb.HistoryEvent) -> str:
    match event.WhichOneof("event"):
        case "turn_taken":
            return event.turn_taken.text
        case "reply_given":
            return event.reply_given.heard_text
        case _:
            return ""
