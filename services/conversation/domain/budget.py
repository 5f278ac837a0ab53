"""What a session needs of whoever keeps the learner's budget."""

from typing import Protocol


class Budget(Protocol):
    """One learner's budget, as a session sees it. Seconds are totals since the session's place was taken."""

    async def take_place(self, user_id: str, conversation_id: str) -> str:
        """Takes the place of one session, for a minute and a half; the id to renew and leave it by.

        A place that a session on the same conversation had before is free from now on: its process is gone.

        Raises:
            BudgetExhaustedError: no place is left, or an amount is used up.
            NotFoundError: the account was deleted.
            UnavailableError, TimedOutError: nobody answers.
        """
        ...

    async def renew(self, place_id: str, seconds: int) -> None:
        """Books the seconds of sound heard and spoken until now, and keeps the place for as long again.

        Raises:
            BudgetExhaustedError: the budget is used up meanwhile; the seconds are booked.
            NotFoundError: the place was given up long ago.
            UnavailableError, TimedOutError: nobody answers; the next call books these, too.
        """
        ...

    async def leave(self, place_id: str, seconds: int) -> None:
        """Books all seconds, and gives the place up. May be repeated.

        Raises:
            NotFoundError: the place was given up long ago.
            UnavailableError, TimedOutError: nobody answers.
        """
        ...
