"""Sessions and the learner's budget, with the real user service."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from vivavoce.history.v1 import history_service_pb2 as history_pb
from vivavoce.history.v1.history_service_pb2_grpc import HistoryServiceStub
from vivavoce.type.v1 import error_pb2 as error_pb
from vivavoce.user.v1 import user_service_pb2 as user_pb
from vivavoce.user.v1.user_service_pb2_grpc import UserServiceStub

from mesh.errors import BudgetExhaustedError
from services.user.settings import Settings as UserSettings
from tests.services.calls import refused
from tests.services.conversation.conftest import House
from tests.services.conversation.eventually import eventually_found

Houses = Callable[..., AbstractAsyncContextManager[House]]


@pytest.fixture
async def house(houses: Houses, tmp_path: Path) -> AsyncIterator[House]:
    """A house whose learners may hold two sessions at once, and talk for five minutes a day."""
    people = UserSettings(data_dir=tmp_path, budget_sessions=2, budget_audio_seconds=300)
    async with houses(people=people, max_sessions_per_user=50) as opened:
        yield opened


async def guest(house: House) -> str:
    return (await UserServiceStub(house.neighbours).CreateGuest(user_pb.CreateGuestRequest())).user.user_id


async def left(house: House, user_id: str) -> user_pb.Budget:
    answer = await UserServiceStub(house.neighbours).GetBudget(
        user_pb.GetBudgetRequest(), metadata=house.authority.user_metadata(user_id)
    )
    return answer.budget


async def test_a_session_too_many_is_refused_before_it_opens(house: House) -> None:
    user_id = await guest(house)
    async with house.learner(user_id) as first, house.learner(user_id) as second, house.learner(user_id) as third:
        await first.start()
        await second.start()
        with refused(BudgetExhaustedError, reason="BUDGET_EXHAUSTED") as refusal:
            await third.start()
        assert refusal.error is not None
        assert refusal.error.metadata["amount"] == "concurrent_sessions"
        assert not third.events
    listed = await HistoryServiceStub(house.neighbours).ListConversations(
        history_pb.ListConversationsRequest(), metadata=house.authority.user_metadata(user_id)
    )
    assert len(listed.conversations) <= 2


async def test_of_twenty_sessions_at_once_as_many_open_as_may(house: House) -> None:
    user_id = await guest(house)

    async def try_to_talk() -> bool:
        async with house.learner(user_id) as learner:
            try:
                await learner.start()
            except BudgetExhaustedError:
                return False
            await all_tried.wait()
            return True

    all_tried = asyncio.Event()
    tries = [asyncio.create_task(try_to_talk()) for _ in range(20)]
    _, talking = await asyncio.wait(tries, timeout=8, return_when=asyncio.FIRST_EXCEPTION)
    all_tried.set()
    assert len(talking) == 2
    assert sum(await asyncio.gather(*tries)) == 2


async def test_what_was_heard_and_spoken_is_booked_and_the_place_is_free(house: House) -> None:
    user_id = await guest(house)
    async with house.learner(user_id) as learner:
        await learner.start()
        finished = (await learner.until("reply_finished")).reply_finished
        await learner.be_silent(150)
        await learner.send(end_session={})
        await learner.to_the_end()

    async def booked() -> bool:
        return (await left(house, user_id)).concurrent_sessions == 2

    await eventually_found(booked)
    # Three seconds were sent; what the tutor said comes on top.
    assert 300 - (await left(house, user_id)).audio_seconds >= 3 + finished.total_samples // 24_000


async def test_a_learner_whose_day_is_used_up_is_told_when_it_renews(house: House) -> None:
    user_id = await guest(house)
    stub = UserServiceStub(house.neighbours)
    metadata = house.authority.service_metadata("ai_engine")
    amount = user_pb.Budget(audio_seconds=280)
    reserved = await stub.ReserveBudget(user_pb.ReserveBudgetRequest(user_id=user_id, amount=amount), metadata=metadata)
    await stub.SettleBudget(
        user_pb.SettleBudgetRequest(reservation_id=reserved.reservation_id, amount=amount), metadata=metadata
    )
    async with house.learner(user_id) as learner:
        with refused(BudgetExhaustedError) as refusal:
            await learner.start()
    assert refusal.error is not None
    assert refusal.error.metadata["amount"] == "audio_seconds"
    assert "renew_time" in refusal.error.metadata


async def test_a_session_whose_budget_is_used_up_ends_by_that_name(houses: Houses, tmp_path: Path) -> None:
    people = UserSettings(data_dir=tmp_path, budget_audio_seconds=31)
    async with houses(people=people, budget_every_s=0.2) as house:
        user_id = await guest(house)
        async with house.learner(user_id) as learner:
            await learner.start()
            await learner.until("reply_finished")
            await learner.be_silent(100)
            await learner.to_the_end(within_s=15)
        assert learner.events[-1].session_ended.failure.reason == error_pb.ERROR_REASON_BUDGET_EXHAUSTED
