"""When something is to be reviewed again, by FSRS."""

from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Final

from fsrs import Card, Rating, Scheduler

#: Dates are not shifted by chance: the same reviews give the same dates.
_SCHEDULER: Final = Scheduler(enable_fuzzing=False)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Outcome(Enum):
    """How a review went."""

    WRONG = "wrong"
    HARD = "hard"
    RIGHT = "right"
    EASY = "easy"


_RATINGS: Final = {
    Outcome.WRONG: Rating.Again,
    Outcome.HARD: Rating.Hard,
    Outcome.RIGHT: Rating.Good,
    Outcome.EASY: Rating.Easy,
}


def new_card(now_us: int) -> str:
    """What is known of an item that was never reviewed: it is due at once."""
    return Card(card_id=0, due=_time(now_us)).to_json()


def reviewed(card: str, outcome: Outcome, time_us: int) -> str:
    """The card after a review. One from before the last review counts as made when that was."""
    before = Card.from_json(card)
    at = max(_time(time_us), before.last_review or _EPOCH)
    after, _ = _SCHEDULER.review_card(before, _RATINGS[outcome], at)
    return after.to_json()


def due_us(card: str) -> int:
    """When the card is due."""
    return (Card.from_json(card).due - _EPOCH) // timedelta(microseconds=1)


def _time(time_us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=time_us)
