"""Sets parts of budgets aside, and books what was used of them."""

from datetime import timedelta
from typing import Final

from mesh.clock import Clock
from mesh.errors import BudgetExhaustedError
from mesh.ids import new_id
from services.user.domain.budgets import Account, Amounts, Budgets, Reservation

#: A reservation that is not settled ends by itself after this.
LONGEST_S: Final = 3600


class Spending:
    """What the services that cost something ask."""

    def __init__(self, budgets: Budgets, clock: Clock, *, stopped: bool) -> None:
        self._budgets = budgets
        self._clock = clock
        self._stopped = stopped

    async def account(self, user_id: str) -> Account:
        """How the person's budget stands.

        Raises:
            NotFoundError: the account was deleted.
        """
        return await self._budgets.account(user_id, self._clock.wall())

    async def reserve(self, user_id: str, amounts: Amounts, lifetime_s: int = LONGEST_S, *, purpose: str = "") -> str:
        """Sets `amounts` aside; the id to settle by. What was set aside before for the same `purpose` is freed.

        Raises:
            BudgetExhaustedError: less is left, or the operator has stopped all spending.
            NotFoundError: the account was deleted.
        """
        self._refuse_if_stopped()
        now = self._clock.wall()
        expires_us = int((now + timedelta(seconds=lifetime_s)).timestamp() * 1_000_000)
        reservation = Reservation(new_id("bud"), user_id, amounts, Amounts(), lifetime_s, expires_us, purpose=purpose)
        if refusal := await self._budgets.reserve(reservation, now):
            raise refusal
        return reservation.reservation_id

    async def renew(self, reservation_id: str, used: Amounts) -> None:
        """Books what was used since the reservation was made, and keeps it for as long again.

        Raises:
            BudgetExhaustedError: the budget is used up meanwhile. What was used is booked, and the reservation kept.
            NotFoundError: there is no such reservation.
        """
        refusal = await self._budgets.book(reservation_id, used, self._clock.wall(), settle=False)
        if refusal:
            raise refusal
        self._refuse_if_stopped()

    async def settle(self, reservation_id: str, used: Amounts) -> None:
        """Books what was used since the reservation was made, and frees the rest. A second time changes nothing.

        Raises:
            NotFoundError: there is no such reservation, or it ended hours ago.
        """
        await self._budgets.book(reservation_id, used, self._clock.wall(), settle=True)

    def _refuse_if_stopped(self) -> None:
        if self._stopped:
            raise BudgetExhaustedError(
                "The operator has stopped everything that may cost; try again another time.",
                metadata={"amount": "everything"},
            )
