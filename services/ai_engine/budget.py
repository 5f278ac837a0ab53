"""Keeps budgets at the user service: reserves within a short deadline, settles beside the talk."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final

import grpc
from vivavoce.user.v1 import user_service_pb2 as service_pb

from mesh.clock import Clock
from mesh.errors import NotBuiltError, TimedOutError, UnavailableError, VivavoceError
from mesh.mailbox import Closed, Mailbox
from mesh.streams import Metadata
from mesh.wire_errors import from_rpc_error
from services.ai_engine.domain.spending import Amount

if TYPE_CHECKING:
    from vivavoce.user.v1.user_service_pb2_grpc import UserServiceAsyncStub

_log: Final = logging.getLogger(__name__)

#: A learner waits meanwhile.
_RESERVED_WITHIN_S: Final = 0.5
_SETTLED_WITHIN_S: Final = 5.0
#: Settlements that may wait. Full: one is dropped and logged; its reservation stands until it expires.
_WAITING: Final = 1024
_AGAIN_AFTER_S: Final = 2.0
_TRIES: Final = 3


class UserSpending:
    """Budgets of the user service (Spending). While it can't be asked, each person has a grace (ADR 0023)."""

    def __init__(
        self, stub: "UserServiceAsyncStub", metadata: Callable[[], Metadata], *, grace_micros: int, clock: Clock
    ) -> None:
        self._stub = stub
        self._metadata = metadata
        self._grace_micros = grace_micros
        self._clock = clock
        #: What each person was given in grace since the service last answered.
        self._given: dict[str, int] = {}
        self._waiting: Mailbox[service_pb.SettleBudgetRequest] = Mailbox(_WAITING)

    async def reserve(self, user_id: str, most: Amount) -> str:
        """Sets aside what a call may cost at most."""
        request = service_pb.ReserveBudgetRequest(user_id=user_id, amount=_budget(most))
        try:
            answer = await self._stub.ReserveBudget(request, metadata=self._metadata(), timeout=_RESERVED_WITHIN_S)
        except grpc.aio.AioRpcError as failed:
            error = from_rpc_error(failed)
            if not isinstance(error, UnavailableError | TimedOutError | NotBuiltError):
                raise error from None
            return self._in_grace(user_id, most, error)
        self._given.clear()
        return answer.reservation_id

    def settle(self, reservation_id: str, used: Amount) -> None:
        """Books what it did cost, beside the talk."""
        if not reservation_id:
            return
        request = service_pb.SettleBudgetRequest(reservation_id=reservation_id, amount=_budget(used))
        if not self._waiting.offer(request):
            _log.error("a settlement was dropped", extra={"waiting": _WAITING})

    def close(self) -> None:
        """No more settlements will come."""
        self._waiting.close()

    async def run(self) -> None:
        """Settles one after another until it is closed."""
        while True:
            try:
                request = await self._waiting.get()
            except Closed:
                return
            await self._settle(request)

    def _in_grace(self, user_id: str, most: Amount, error: VivavoceError) -> str:
        given = self._given.get(user_id, 0) + max(1, most.money_micros)
        if given > self._grace_micros:
            raise UnavailableError(
                "Budgets can't be asked for now, and what may be spent without asking is spent; try again later.",
                metadata={"cause": error.reason},
            ) from None
        self._given[user_id] = given
        _log.warning("spent without asking", extra={"user_id": user_id, "cause": error.reason})
        return ""

    async def _settle(self, request: service_pb.SettleBudgetRequest) -> None:
        for attempt in range(_TRIES):
            if attempt:
                await self._clock.sleep(_AGAIN_AFTER_S)
            try:
                await self._stub.SettleBudget(request, metadata=self._metadata(), timeout=_SETTLED_WITHIN_S)
            except grpc.aio.AioRpcError as failed:
                if not from_rpc_error(failed).retryable:
                    break
            else:
                return
        _log.error("a settlement failed", extra={"reservation_id": request.reservation_id})


@asynccontextmanager
async def open_spending(
    stub: "UserServiceAsyncStub", metadata: Callable[[], Metadata], *, grace_micros: int, clock: Clock
) -> AsyncIterator[UserSpending]:
    """Runs the settling for the length of the block; at its end what waits is settled, for some seconds at most."""
    spending = UserSpending(stub, metadata, grace_micros=grace_micros, clock=clock)
    settling = asyncio.create_task(spending.run(), name="settling")
    try:
        yield spending
    finally:
        spending.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(_SETTLED_WITHIN_S):
                await asyncio.wait((settling,))
        settling.cancel()


def _budget(amount: Amount) -> service_pb.Budget:
    return service_pb.Budget(
        model_tokens=amount.model_tokens or None,
        spoken_characters=amount.spoken_characters or None,
        audio_seconds=amount.audio_seconds or None,
        money_micros_day=amount.money_micros,
        money_micros_month=amount.money_micros,
    )
