"""Storing for a session, when the store is not well."""

import asyncio

from mesh.clock import VirtualClock
from mesh.errors import UnavailableError
from services.conversation.domain import events
from services.conversation.domain.commands import StoreEnd, StoreReply, StoreTurn
from services.conversation.domain.records import Record, ReplyGiven, TurnTaken
from services.conversation.live.keeper import Keeper

TURN = StoreTurn(TurnTaken("trn_1", 1, "Hello.", typed=True))
REPLY = StoreReply(ReplyGiven("rep_1", "trn_1", "Hi.", "", interrupted=False, heard_ms=300), "state")


class Sick:
    """A store that fails as often as it is told to."""

    def __init__(self, failures: list[Exception]) -> None:
        self._failures = failures
        self.kept: list[Record] = []
        self.again: list[bool] = []

    async def append(
        self, conversation_id: str, record: Record, tutor_state: str | None = None, *, again: bool = False
    ) -> int:
        self.again.append(again)
        if self._failures:
            raise self._failures.pop(0)
        self.kept.append(record)
        return len(self.kept)


async def told(store: Sick, *commands: StoreTurn | StoreReply | StoreEnd) -> list[events.Event]:
    """What the session hears when these are to be stored."""
    clock = VirtualClock()
    heard: list[events.Event] = []

    async def post(event: events.Event) -> None:
        heard.append(event)

    keeper = Keeper("cnv_1", store, clock, post)  # type: ignore[arg-type]  # A keeper only appends.
    for command in commands:
        assert keeper.keep(command) is None
    keeper.close()
    async with asyncio.TaskGroup() as group:
        running = group.create_task(keeper.run())
        while not running.done():
            await clock.elapse(1.0)
    return heard


async def test_things_are_stored_in_order_and_told() -> None:
    heard = await told(Sick([]), TURN, REPLY, StoreEnd())
    assert heard == [events.TurnStored("trn_1", 1), events.ReplyStored("rep_1", 2), events.Stored()]


async def test_a_store_that_is_away_for_half_a_minute_is_waited_for() -> None:
    store = Sick([UnavailableError("away")] * 16)
    assert await told(store, TURN, REPLY) == [events.TurnStored("trn_1", 1), events.ReplyStored("rep_1", 2)]
    # The first time it may have kept it, and failed to say so.
    assert store.again == [False, *[True] * 16, False]


async def test_a_store_that_stays_away_is_told_and_the_next_is_tried() -> None:
    failed, kept = await told(Sick([UnavailableError("away")] * 33), TURN, REPLY)
    assert isinstance(failed, events.StoringFailed)
    assert (failed.subject_id, failed.failure.reason) == ("trn_1", "SERVICE_UNAVAILABLE")
    assert kept == events.ReplyStored("rep_1", 1)


async def test_a_fault_ends_nothing() -> None:
    failed, kept = await told(Sick([ZeroDivisionError()]), TURN, REPLY)
    assert isinstance(failed, events.StoringFailed)
    assert failed.failure.reason == "INTERNAL"
    assert kept == events.ReplyStored("rep_1", 1)


async def test_more_than_can_wait_is_refused() -> None:
    async def post(event: events.Event) -> None:
        raise AssertionError

    keeper = Keeper("cnv_1", Sick([]), VirtualClock(), post)  # type: ignore[arg-type]  # A keeper only appends.
    refusals = [keeper.keep(TURN) for _ in range(257)]
    assert refusals[:256] == [None] * 256
    assert refusals[256] is not None
    assert refusals[256].failure.reason == "OVERLOADED"
