"""The RPCs about budgets: what is left, and what services set aside and book."""

from dataclasses import asdict
from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp
from vivavoce.user.v1 import user_service_pb2 as service_pb

from mesh.identity import caller
from mesh.interceptors.wire import Context
from services.user.budgets import LONGEST_S, Spending
from services.user.domain.budgets import Amounts, Limits


class BudgetRpcs:
    """Translates; the rules are the domain's."""

    def __init__(self, spending: Spending) -> None:
        self._spending = spending

    async def GetBudget(self, request: service_pb.GetBudgetRequest, context: Context) -> service_pb.GetBudgetResponse:
        """Returns what the caller may still use."""
        account = await self._spending.account(caller().user_id)
        return service_pb.GetBudgetResponse(
            budget=_budget(account.left()),
            limits=_budget(account.limits),
            day_renew_time=_timestamp(account.windows.day_renews),
            month_renew_time=_timestamp(account.windows.month_renews),
        )

    async def ReserveBudget(
        self, request: service_pb.ReserveBudgetRequest, context: Context
    ) -> service_pb.ReserveBudgetResponse:
        """Sets aside what may be used."""
        lifetime_s = request.lifetime.seconds + (request.lifetime.nanos > 0) or LONGEST_S
        reservation_id = await self._spending.reserve(
            request.user_id, _amounts(request.amount), lifetime_s, purpose=request.purpose
        )
        return service_pb.ReserveBudgetResponse(reservation_id=reservation_id)

    async def RenewBudget(
        self, request: service_pb.RenewBudgetRequest, context: Context
    ) -> service_pb.RenewBudgetResponse:
        """Books what was used until now, and keeps the reservation."""
        await self._spending.renew(request.reservation_id, _amounts(request.used))
        return service_pb.RenewBudgetResponse()

    async def SettleBudget(
        self, request: service_pb.SettleBudgetRequest, context: Context
    ) -> service_pb.SettleBudgetResponse:
        """Books what was used, and frees the rest."""
        await self._spending.settle(request.reservation_id, _amounts(request.amount))
        return service_pb.SettleBudgetResponse()


def _amounts(budget: service_pb.Budget) -> Amounts:
    return Amounts(
        concurrent_sessions=budget.concurrent_sessions,
        audio_seconds=budget.audio_seconds,
        model_tokens=budget.model_tokens,
        spoken_characters=budget.spoken_characters,
        money_micros=max(budget.money_micros_day, budget.money_micros_month),
    )


def _budget(limits: Limits) -> service_pb.Budget:
    return service_pb.Budget(**asdict(limits))


def _timestamp(time: datetime) -> Timestamp:
    written = Timestamp()
    written.FromDatetime(time)
    return written
