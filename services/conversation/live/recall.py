"""Asks history what the tutor should know of the learner when a conversation begins."""

import logging
from collections.abc import Callable
from typing import Final

import grpc
from vivavoce.history.v1 import history_pb2 as history_pb
from vivavoce.history.v1 import history_service_pb2 as service_pb
from vivavoce.history.v1.history_service_pb2_grpc import HistoryServiceStub

from mesh.errors import VivavoceError
from mesh.streams import Metadata
from mesh.wire_errors import from_rpc_error
from services.conversation.domain.things import Recollection

#: What the engine's contract takes.
_LONGEST_FACT: Final = 300
_LONGEST_ITEM: Final = 100
_MOST: Final = 50
#: Between the right form of a slip and why.
_NOTE: Final = " \u2014 "

_log: Final = logging.getLogger(__name__)


class Recall:
    """The learner's facts, and what is due for review. A tutor who does not know talks nevertheless."""

    def __init__(self, channel: grpc.aio.Channel, metadata: Callable[[], Metadata], within_s: float) -> None:
        self._stub = HistoryServiceStub(channel)
        self._metadata = metadata
        self._within_s = within_s

    async def of(self, user_id: str) -> Recollection:
        """What is remembered; nothing where history is away, or takes longer than a learner should wait."""
        request = service_pb.GetTutorMemoryRequest(user_id=user_id)
        try:
            known = await self._stub.GetTutorMemory(request, metadata=self._metadata(), timeout=self._within_s)
        except grpc.aio.AioRpcError as failed:
            error: VivavoceError = from_rpc_error(failed)
            _log.warning("the tutor begins without its memory", extra={"reason": error.reason})
            return Recollection()
        return Recollection(
            tuple(fact.text[:_LONGEST_FACT] for fact in known.facts[:_MOST]),
            tuple(_due(item)[:_LONGEST_ITEM] for item in known.due_items[:_MOST]),
        )


def _due(item: history_pb.ReviewItem) -> str:
    """What the tutor may bring up: a word; of a slip, the right form and what was said instead."""
    if item.kind == history_pb.REVIEW_ITEM_KIND_SLIP:
        return f"{item.back.partition(_NOTE)[0]} (not: {item.front})"
    return item.front
