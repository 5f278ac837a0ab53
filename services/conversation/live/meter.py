"""Books what a session uses on the learner's budget: beside the talk, and never on its way."""

import logging
import math
import random
from collections.abc import Awaitable, Callable
from typing import Final

from mesh.clock import Clock
from mesh.errors import BudgetExhaustedError, NotFoundError, VivavoceError
from services.conversation.domain import events
from services.conversation.domain.budget import Budget
from services.conversation.domain.things import Failure

#: Waits between the tries to book the last seconds of a session that is over; after them, they are given up.
_LATE_S: Final = (1.0, 5.0, 15.0, 30.0, 60.0)

_log: Final = logging.getLogger(__name__)


class Meter:
    """The budget of one session. Where the user service is away, the talk goes on and its seconds are booked later."""

    def __init__(
        self,
        budget: Budget,
        user_id: str,
        conversation_id: str,
        clock: Clock,
        post: Callable[[events.Event], Awaitable[None]],
        *,
        every_s: float,
        first_s: float,
    ) -> None:
        self._budget = budget
        self._user_id = user_id
        self._conversation_id = conversation_id
        self._clock = clock
        self._post = post
        self._every_s = every_s
        self._first_s = first_s
        self._place_id = ""
        #: Seconds that were booked on this place, and on those that were lost before it.
        self._booked = self._elsewhere = 0
        #: Seconds of sound heard and spoken so far; told by whoever counts samples.
        self.seconds: Callable[[], float] = lambda: 0.0

    async def open(self) -> None:
        """Takes the place of the session.

        Raises:
            BudgetExhaustedError: no place is left, or an amount is used up.
            NotFoundError: the account was deleted.
        """
        try:
            self._place_id = await self._budget.take_place(self._user_id, self._conversation_id)
        except (BudgetExhaustedError, NotFoundError):
            raise
        except VivavoceError as error:
            _log.warning("a session begins without a look at the budget", extra={"reason": error.reason})

    async def run(self) -> None:
        """Books now and then until it is cancelled, or the budget is used up, which it tells the session."""
        wait_s = self._first_s
        while True:
            await self._clock.sleep(wait_s)
            wait_s = self._every_s
            try:
                await self._renew()
            except BudgetExhaustedError as error:
                await self._post(events.BudgetSpent(Failure.of(error)))
                return
            except VivavoceError as error:
                _log.warning("what a session uses is booked later", extra={"reason": error.reason})

    async def close(self) -> bool:
        """Books the last seconds and gives the place up; False where it should be tried again later."""
        if not self._place_id and not self._used():
            return True
        try:
            if not self._place_id:
                self._place_id = await self._budget.take_place(self._user_id, self._conversation_id)
            await self._budget.leave(self._place_id, self._used())
        except VivavoceError as error:
            # What can't be mended by waiting: the account is gone, or the limit passed without this.
            _log.warning("the end of a session is not booked", extra={"reason": error.reason})
            return not error.retryable
        return True

    async def close_late(self) -> None:
        """Tries again for two minutes. What is not booked then is lost, and the place frees itself."""
        for pause_s in _LATE_S:
            await self._clock.sleep(pause_s)
            if await self.close():
                return
        _log.error("seconds of a session could not be booked", extra={"seconds": self._used()})

    async def _renew(self) -> None:
        if not self._place_id:
            self._place_id = await self._budget.take_place(self._user_id, self._conversation_id)
        used = self._used()
        try:
            await self._budget.renew(self._place_id, used)
        except NotFoundError:
            # The user service was away for hours. What was booked there is not booked again on the next place.
            self._place_id, self._elsewhere = "", self._elsewhere + self._booked
            self._booked = 0
            raise
        self._booked = used

    def _used(self) -> int:
        return math.ceil(self.seconds()) - self._elsewhere


def first_booking_s(conversation_id: str, every_s: float) -> float:
    """When to book for the first time; drawn by the id, so that those who came together do not all book together."""
    return every_s * random.Random(conversation_id).random()
