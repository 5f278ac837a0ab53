"""Budgets through the real service, on both databases."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
from google.protobuf.duration_pb2 import Duration
from grpc.aio import AioRpcError
from sqlalchemy import select
from vivavoce.user.v1 import user_pb2 as user_pb
from vivavoce.user.v1 import user_service_pb2 as service_pb

from mesh.channel import call_metadata
from mesh.database import Database
from mesh.errors import BudgetExhaustedError, NotAllowedError, NotFoundError
from services.user.domain.budgets import Overrides
from services.user.settings import Settings
from services.user.store.budget_rows import BudgetReservationRow
from services.user.store.budgets import GUEST, BudgetStore
from tests.services.calls import refused, until
from tests.services.user.conftest import UserMesh, user_mesh

Budget = service_pb.Budget
#: One turn of talk: what is set aside before each.
TURN = Budget(audio_seconds=10, money_micros_day=100)


@pytest.fixture
async def poor(database_url: str, tmp_path: Path) -> AsyncIterator[UserMesh]:
    """A service that grants little."""
    settings = Settings(
        data_dir=tmp_path / "data",
        database_url=database_url,
        budget_sessions=2,
        budget_audio_seconds=100,
        budget_money_micros_day=-1,
        budget_money_micros_month=5_000,
    )
    async with user_mesh(settings) as running:
        yield running


async def reserve(mesh: UserMesh, user: service_pb.CreateGuestResponse, amount: Budget, lifetime_s: int = 0) -> str:
    request = service_pb.ReserveBudgetRequest(user_id=user.user.user_id, amount=amount)
    if lifetime_s:
        request.lifetime.CopyFrom(Duration(seconds=lifetime_s))
    answer = await mesh.stub.ReserveBudget(request, metadata=mesh.authority.service_metadata("ai_engine"))
    return answer.reservation_id


async def renew(mesh: UserMesh, reservation_id: str, used: Budget) -> None:
    request = service_pb.RenewBudgetRequest(reservation_id=reservation_id, used=used)
    await mesh.stub.RenewBudget(request, metadata=mesh.authority.service_metadata("conversation"))


async def settle(mesh: UserMesh, reservation_id: str, used: Budget) -> None:
    request = service_pb.SettleBudgetRequest(reservation_id=reservation_id, amount=used)
    await mesh.stub.SettleBudget(request, metadata=mesh.authority.service_metadata("ai_engine"))


async def budget(mesh: UserMesh, user: service_pb.CreateGuestResponse) -> service_pb.GetBudgetResponse:
    metadata = call_metadata(user.tokens.access_token)
    return await mesh.stub.GetBudget(service_pb.GetBudgetRequest(), metadata=metadata)


async def left(mesh: UserMesh, user: service_pb.CreateGuestResponse) -> Budget:
    return (await budget(mesh, user)).budget


async def later(mesh: UserMesh, user: service_pb.CreateGuestResponse) -> service_pb.CreateGuestResponse:
    """The person with tokens that hold by now."""
    return service_pb.CreateGuestResponse(user=user.user, tokens=await mesh.refresh(user.tokens.refresh_token))


async def test_what_was_used_is_gone_and_the_rest_is_free_again(poor: UserMesh) -> None:
    user = await poor.guest()
    reservation = await reserve(poor, user, Budget(audio_seconds=60, money_micros_month=400))
    assert (await left(poor, user)).audio_seconds == 40
    await settle(poor, reservation, Budget(audio_seconds=25, money_micros_day=300))
    now = await budget(poor, user)
    assert (now.budget.audio_seconds, now.limits.audio_seconds) == (75, 100)
    assert (now.budget.money_micros_month, now.budget.HasField("money_micros_day")) == (4_700, False)


async def test_twenty_parallel_callers_never_set_aside_more_than_there_is(poor: UserMesh) -> None:
    user = await poor.guest()
    answers = await asyncio.gather(*(reserve(poor, user, TURN) for _ in range(20)), return_exceptions=True)
    granted = [answer for answer in answers if isinstance(answer, str)]
    assert len(granted) == 10
    # Each turns out longer than it was thought to be: the limit is passed by that, and by nothing else.
    await asyncio.gather(*(settle(poor, each, Budget(audio_seconds=11)) for each in granted))
    with refused(BudgetExhaustedError):
        await reserve(poor, user, TURN)
    assert (await left(poor, user)).audio_seconds == 0


async def test_a_refusal_says_what_is_used_up_and_when_it_renews(poor: UserMesh) -> None:
    user = await poor.guest()
    profile = user_pb.Profile(time_zone="Asia/Kolkata")
    await poor.update(user.tokens, profile, "time_zone")
    with refused(BudgetExhaustedError, reason="BUDGET_EXHAUSTED") as refusal:
        await reserve(poor, user, Budget(audio_seconds=101))
    assert refusal.error is not None
    assert refusal.error.metadata == {"amount": "audio_seconds", "limit": "100", "renew_time": "2030-01-01T18:30:00Z"}
    assert (await budget(poor, user)).day_renew_time.ToJsonString() == "2030-01-01T18:30:00Z"


async def test_a_new_day_begins_anew_and_the_month_goes_on(poor: UserMesh) -> None:
    user = await poor.guest()
    await settle(poor, await reserve(poor, user, TURN), Budget(audio_seconds=100, money_micros_day=3_000))
    poor.clock.advance(86_400)
    user = await later(poor, user)
    tomorrow = await left(poor, user)
    assert (tomorrow.audio_seconds, tomorrow.money_micros_month) == (100, 2_000)


async def test_settling_twice_books_once(poor: UserMesh) -> None:
    user = await poor.guest()
    reservation = await reserve(poor, user, TURN)
    await asyncio.gather(*(settle(poor, reservation, Budget(audio_seconds=7)) for _ in range(5)))
    await settle(poor, reservation, Budget(audio_seconds=70))
    assert (await left(poor, user)).audio_seconds == 93


async def test_a_reservation_that_nobody_settles_frees_itself_and_can_still_be_settled_late(poor: UserMesh) -> None:
    user = await poor.guest()
    reservation = await reserve(poor, user, Budget(audio_seconds=90))
    poor.clock.advance(3_601)
    user = await later(poor, user)
    assert (await left(poor, user)).audio_seconds == 100
    await settle(poor, reservation, Budget(audio_seconds=80))
    assert (await left(poor, user)).audio_seconds == 20


async def test_a_session_is_a_lease_that_is_renewed_and_books_as_it_goes(poor: UserMesh) -> None:
    user = await poor.guest()
    session = Budget(concurrent_sessions=1, audio_seconds=20)
    first = await reserve(poor, user, session, lifetime_s=90)
    second = await reserve(poor, user, session, lifetime_s=90)
    with refused(BudgetExhaustedError) as refusal:
        await reserve(poor, user, session, lifetime_s=90)
    assert refusal.error is not None
    assert refusal.error.metadata["amount"] == "concurrent_sessions"
    poor.clock.advance(60)
    await renew(poor, first, Budget(audio_seconds=30))
    await renew(poor, first, Budget(audio_seconds=30))
    poor.clock.advance(60)
    # The second was not renewed: its place is free.
    await settle(poor, await reserve(poor, user, session, lifetime_s=90), Budget())
    await settle(poor, first, Budget(audio_seconds=45))
    await settle(poor, second, Budget())
    assert (await left(poor, user)).audio_seconds == 55


async def test_a_renewal_after_the_last_second_is_refused_and_still_booked(poor: UserMesh) -> None:
    user = await poor.guest()
    session = await reserve(poor, user, Budget(concurrent_sessions=1, audio_seconds=20), lifetime_s=90)
    with refused(BudgetExhaustedError):
        await renew(poor, session, Budget(audio_seconds=95))
    await settle(poor, session, Budget(audio_seconds=102))
    assert (await left(poor, user)).audio_seconds == 0
    with refused(BudgetExhaustedError):
        await reserve(poor, user, Budget(concurrent_sessions=1))


async def test_a_person_or_a_role_can_be_granted_more(poor: UserMesh, database_url: str) -> None:
    user, other = await poor.guest(), await poor.guest()
    async with Database(database_url, 1) as database:
        store = BudgetStore(database, Overrides())
        await store.override(GUEST, Overrides(audio_seconds=300, concurrent_sessions=-1))
        await store.override(user.user.user_id, Overrides(audio_seconds=500))
    assert (await left(poor, user)).audio_seconds == 500
    assert (await left(poor, other)).audio_seconds == 300
    assert not (await left(poor, other)).HasField("concurrent_sessions")


async def test_the_operator_can_stop_everything(sqlite_url: str, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data", database_url=sqlite_url, spending_stopped=True)
    async with user_mesh(settings) as mesh:
        user = await mesh.guest()
        with refused(BudgetExhaustedError) as refusal:
            await reserve(mesh, user, TURN)
        assert refusal.error is not None
        assert refusal.error.metadata == {"amount": "everything"}


async def test_nobody_reserves_for_whom_is_not_there_and_only_services_reserve(poor: UserMesh) -> None:
    user = await poor.guest()
    request = service_pb.ReserveBudgetRequest(user_id="usr_gone", amount=TURN)
    with refused(NotFoundError):
        await poor.stub.ReserveBudget(request, metadata=poor.authority.service_metadata("ai_engine"))
    with refused(NotFoundError):
        await settle(poor, "bud_gone", TURN)
    with refused(NotAllowedError):
        await poor.stub.ReserveBudget(request, metadata=call_metadata(user.tokens.access_token))


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_is_reserved_renewed_and_settled_the_books_add_up(poor: UserMesh, seed: int) -> None:
    chance = random.Random(seed)
    user = await poor.guest()
    reserved: dict[str, int] = {}
    told: dict[str, int] = {}
    for _ in range(40):
        step = chance.choice(["reserve", "reserve", "renew", "settle", "settle"])
        if step == "reserve" or not reserved:
            wanted = chance.randint(1, 15)
            try:
                reservation = await reserve(poor, user, Budget(audio_seconds=wanted))
            except AioRpcError:
                # Refused only where less is left.
                assert wanted > 100 - sum(told.values()) - sum(reserved.values())
            else:
                reserved[reservation], told[reservation] = wanted, 0
            continue
        reservation = chance.choice(list(reserved))
        # A turn takes up to three seconds more than was thought; totals only grow.
        used = max(told[reservation], chance.randint(0, reserved[reservation] + 3))
        told[reservation] = used
        if step == "settle":
            await settle(poor, reservation, Budget(audio_seconds=used))
            del reserved[reservation]
        else:
            with suppress(AioRpcError):
                await renew(poor, reservation, Budget(audio_seconds=used))
        assert (await left(poor, user)).audio_seconds == max(0, 100 - sum(told.values()) - sum(reserved.values()))
    for reservation in reserved:
        await settle(poor, reservation, Budget(audio_seconds=told[reservation]))
    assert (await left(poor, user)).audio_seconds == max(0, 100 - sum(told.values()))
    assert sum(told.values()) <= 100 + 3 * len(told)


async def test_what_was_set_aside_for_the_same_purpose_is_free_again_and_may_still_be_booked(poor: UserMesh) -> None:
    user, metadata = await poor.guest(), poor.authority.service_metadata("conversation")
    request = service_pb.ReserveBudgetRequest(
        user_id=user.user.user_id, amount=Budget(concurrent_sessions=1, audio_seconds=60), purpose="cnv_1"
    )
    first = await poor.stub.ReserveBudget(request, metadata=metadata)
    await poor.stub.ReserveBudget(request, metadata=metadata)
    assert (await left(poor, user)).concurrent_sessions == 1
    await settle(poor, first.reservation_id, Budget(audio_seconds=10))
    assert (await left(poor, user)).audio_seconds == 100 - 60 - 10
    with refused(BudgetExhaustedError):
        await poor.stub.ReserveBudget(
            service_pb.ReserveBudgetRequest(
                user_id=user.user.user_id, amount=Budget(concurrent_sessions=1, audio_seconds=60), purpose="cnv_2"
            ),
            metadata=metadata,
        )


async def test_what_ended_is_swept_away(poor: UserMesh, database_url: str) -> None:
    user = await poor.guest()
    await reserve(poor, user, TURN)

    async def swept() -> bool:
        await poor.clock.elapse(3_601)
        return not await rows.read(lambda session: session.scalars(select(BudgetReservationRow)).all())

    async with Database(database_url, 1) as rows:
        assert not await swept()
        await until(swept)
