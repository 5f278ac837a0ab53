"""Asks the user service about budgets."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final, TypeVar

import grpc
from google.protobuf.duration_pb2 import Duration
from vivavoce.user.v1 import user_service_pb2 as service_pb

from mesh.streams import Metadata
from mesh.wire_errors import from_rpc_error

if TYPE_CHECKING:
    from vivavoce.user.v1.user_service_pb2_grpc import UserServiceAsyncStub

T = TypeVar("T")

_ANSWERED_WITHIN_S: Final = 2.0
#: A place nobody renews is free again after this.
_PLACE_S: Final = 90
#: Set aside with each place: more than is heard and spoken until it is renewed, so that sessions at once share what is
#: left rather than each take it for its own.
_AHEAD_S: Final = 30


class UserBudget:
    """`Budget` over gRPC."""

    def __init__(self, stub: "UserServiceAsyncStub", metadata: Callable[[], Metadata]) -> None:
        self._stub = stub
        self._metadata = metadata

    async def take_place(self, user_id: str, conversation_id: str) -> str:
        """See `Budget`."""
        request = service_pb.ReserveBudgetRequest(
            user_id=user_id,
            amount=service_pb.Budget(concurrent_sessions=1, audio_seconds=_AHEAD_S),
            lifetime=Duration(seconds=_PLACE_S),
            purpose=conversation_id,
        )
        answer = await _answer(self._stub.ReserveBudget(request, metadata=self._metadata(), timeout=_ANSWERED_WITHIN_S))
        return answer.reservation_id

    async def renew(self, place_id: str, seconds: int) -> None:
        """See `Budget`."""
        request = service_pb.RenewBudgetRequest(reservation_id=place_id, used=_seconds(seconds))
        await _answer(self._stub.RenewBudget(request, metadata=self._metadata(), timeout=_ANSWERED_WITHIN_S))

    async def leave(self, place_id: str, seconds: int) -> None:
        """See `Budget`."""
        request = service_pb.SettleBudgetRequest(reservation_id=place_id, amount=_seconds(seconds))
        await _answer(self._stub.SettleBudget(request, metadata=self._metadata(), timeout=_ANSWERED_WITHIN_S))


async def _answer(asked: Awaitable[T]) -> T:
    try:
        return await asked
    except grpc.aio.AioRpcError as error:
        raise from_rpc_error(error) from error


def _seconds(seconds: int) -> service_pb.Budget:
    return service_pb.Budget(audio_seconds=seconds)
