"""Asks history and the user service what the tutor should know of the learner when a conversation begins."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeVar

import grpc
from vivavoce.history.v1 import history_pb2 as history_pb
from vivavoce.history.v1 import history_service_pb2 as history_service_pb
from vivavoce.user.v1 import user_service_pb2 as user_service_pb

from mesh.errors import VivavoceError
from mesh.streams import Metadata
from mesh.wire_errors import from_rpc_error
from services.conversation.domain.choices import Choices, CorrectionStyle, Level, Patience
from services.conversation.domain.things import Recollection

if TYPE_CHECKING:
    from vivavoce.history.v1.history_service_pb2_grpc import HistoryServiceAsyncStub
    from vivavoce.user.v1.user_service_pb2_grpc import UserServiceAsyncStub

T = TypeVar("T")

#: What the engine's contract takes.
_LONGEST_FACT: Final = 300
_LONGEST_ITEM: Final = 100
_MOST: Final = 50
#: Between the right form of a slip and why.
_NOTE: Final = " \u2014 "

_log: Final = logging.getLogger(__name__)


class Recall:
    """The learner's facts, what is due for review, and what they say of themselves.

    A tutor who does not know talks nevertheless.
    """

    def __init__(
        self,
        history: "HistoryServiceAsyncStub",
        users: "UserServiceAsyncStub",
        metadata: Callable[[], Metadata],
        within_s: float,
    ) -> None:
        self._history = history
        self._users = users
        self._metadata = metadata
        self._within_s = within_s

    async def of(self, user_id: str) -> Recollection:
        """What is remembered; nothing of a service that is away, or takes longer than a learner should wait."""
        memory, learner = await asyncio.gather(self._memory(user_id), self._learner(user_id))
        known = Recollection()
        if memory is not None:
            known = Recollection(
                tuple(fact.text[:_LONGEST_FACT] for fact in memory.facts[:_MOST]),
                tuple(_due(item)[:_LONGEST_ITEM] for item in memory.due_items[:_MOST]),
            )
        if learner is not None:
            told = learner.profile
            known = replace(
                known,
                display_name=told.display_name,
                goals=tuple(told.goals),
                interests=tuple(told.interests),
                usual=Choices(
                    patience=Patience(told.patience),
                    correction_style=CorrectionStyle(told.correction_style),
                    level=Level(told.level),
                    native_language=told.native_language,
                ),
            )
        return known

    async def _memory(self, user_id: str) -> history_service_pb.GetTutorMemoryResponse | None:
        request = history_service_pb.GetTutorMemoryRequest(user_id=user_id)
        return await _known(
            self._history.GetTutorMemory(request, metadata=self._metadata(), timeout=self._within_s), "history"
        )

    async def _learner(self, user_id: str) -> user_service_pb.GetLearnerResponse | None:
        request = user_service_pb.GetLearnerRequest(user_id=user_id)
        return await _known(self._users.GetLearner(request, metadata=self._metadata(), timeout=self._within_s), "user")


async def _known(answer: Awaitable[T], service: str) -> T | None:
    try:
        return await answer
    except grpc.aio.AioRpcError as failed:
        error: VivavoceError = from_rpc_error(failed)
        _log.warning("the tutor begins without its memory", extra={"reason": error.reason, "of": service})
        return None


def _due(item: history_pb.ReviewItem) -> str:
    """What the tutor may bring up: a word; of a slip, the right form and what was said instead."""
    if item.kind == history_pb.REVIEW_ITEM_KIND_SLIP:
        return f"{item.back.partition(_NOTE)[0]} (not: {item.front})"
    return item.front
