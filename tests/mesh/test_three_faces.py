"""The same learner over gRPC, the browser's socket and OpenAI's dialect has the same conversation."""

import grpc
import pytest
from vivavoce.conversation.v1 import conversation_pb2 as settings_pb
from vivavoce.history.v1 import history_pb2 as event_pb
from vivavoce.history.v1 import history_service_pb2 as history_pb
from vivavoce.history.v1.history_service_pb2_grpc import HistoryServiceStub
from vivavoce.type.v1 import learner_pb2 as learner_pb

from cli.compose import RunningMesh
from cli.talking.learner import join
from cli.talking.wires import Wire, open_grpc, open_socket
from mesh.channel import call_metadata
from tests.mesh.clients import eventually
from tests.mesh.conftest import Say
from tests.mesh.realtime_talker import talking

LINES = ("Hello, I would like a cappuccino, please.", "A small one, please.")
#: As clients of the dialect have it: the learner begins.
ANSWERS = settings_pb.ConversationSettings(
    scenario_id="cafe", initiative=settings_pb.TUTOR_INITIATIVE_ANSWERS, patience=learner_pb.PATIENCE_NORMAL
)
_CALL_S = 10.0


async def by_wire(wire: Wire, say: Say) -> str:
    async with join(wire, ANSWERS, input_hz=16_000, client="test") as learner:
        for line in LINES:
            await learner.say(await say(line))
        await learner.end()
        return learner.started.conversation.conversation_id


async def by_dialect(web: str, token: str, say: Say) -> str:
    async with talking(web, token) as talker:
        for line in LINES:
            seen = len(talker.events)
            talker.say(await say(line))
            await talker.until("response.done", seen)
            await talker.played_out(seen)
        await talker.connection.send({"type": "tutor.end_session"})  # type: ignore[arg-type]  # The tutor's own.
        return str((await talker.until("tutor.session_started")).conversation.conversation_id)


@pytest.mark.timeout(180)
async def test_what_was_said_and_heard_is_the_same_by_every_door(
    mesh: RunningMesh, channel: grpc.aio.Channel, token: str, say: Say
) -> None:
    async with open_grpc(channel, token) as wire:
        native = await by_wire(wire, say)
    async with open_socket(mesh.web, token) as wire:
        browser = await by_wire(wire, say)
    dialect = await by_dialect(mesh.web, token, say)
    told = [await _told(channel, token, each) for each in (native, browser, dialect)]
    assert [who for who, _ in told[0]] == ["learner", "tutor"] * len(LINES)
    assert told[1] == told[0]
    assert told[2] == told[0]


async def _told(channel: grpc.aio.Channel, token: str, conversation_id: str) -> list[tuple[str, str]]:
    """Who said what, once all of it has arrived."""
    history = HistoryServiceStub(channel)
    request = history_pb.ListEventsRequest(conversation_id=conversation_id)

    async def lines() -> list[tuple[str, str]] | None:
        try:
            listed = await history.ListEvents(request, metadata=call_metadata(token), timeout=_CALL_S)
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.NOT_FOUND:
                raise
            return None
        said = [line for event in listed.events if (line := _line(event))]
        return said if len(said) >= 2 * len(LINES) else None

    return await eventually(lines)


def _line(event: event_pb.HistoryEvent) -> tuple[str, str] | None:
    match event.WhichOneof("event"):
        case "turn_taken":
            return "learner", event.turn_taken.text
        case "reply_given":
            return "tutor", event.reply_given.heard_text
        case _:
            return None
