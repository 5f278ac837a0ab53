"""A learner whose tutor does not answer as it should."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from vivavoce.conversation.v1 import conversation_pb2 as settings_pb
from vivavoce.conversation.v1 import conversation_service_pb2 as conversation_pb
from vivavoce.conversation.v1 import converse_pb2 as converse_pb
from vivavoce.type.v1 import error_pb2 as error_pb
from vivavoce.type.v1 import failure_pb2 as failure_pb

from cli.talking.learner import join
from mesh.errors import VivavoceError

FAILED = failure_pb.Failure(reason=error_pb.ERROR_REASON_INVALID_FIELD, message="There is no such scenario.")


class LostForWords:
    """A wire to a tutor that opens the session, can't begin, and stays on the line."""

    async def send(self, message: conversation_pb.ConverseRequest) -> None:
        """Takes anything."""

    async def __aiter__(self) -> AsyncIterator[conversation_pb.ConverseResponse]:
        yield conversation_pb.ConverseResponse(session_started=converse_pb.SessionStarted())
        yield conversation_pb.ConverseResponse(error_raised=converse_pb.ErrorRaised(failure=FAILED))
        await asyncio.Event().wait()


async def test_a_tutor_that_can_not_begin_is_told_at_once() -> None:
    settings = settings_pb.ConversationSettings()
    async with join(LostForWords(), settings, input_hz=16_000, client="test") as learner:
        with pytest.raises(VivavoceError, match="no such scenario"):
            async with asyncio.timeout(2):
                await learner.hear_opener()
