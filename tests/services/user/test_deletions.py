"""Deleting an account, on both databases: at once here, and until it is done everywhere else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import partial
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import pytest
from sqlalchemy import Table, select
from sqlalchemy.orm import Session
from vivavoce.user.v1 import user_pb2 as user_pb
from vivavoce.user.v1 import user_service_pb2 as service_pb

from mesh.channel import call_metadata
from mesh.database import Database
from mesh.errors import BadCredentialsError, NotFoundError, UnauthenticatedError
from services.user.settings import Settings
from services.user.store import Base
from services.user.store.own_data import STAYS
from tests.services.calls import refused, until
from tests.services.user.conftest import PASSWORD, UserMesh, user_mesh
from tests.services.user.keepers import Keepers

#: Tables that are about nobody, with the reason; every other one says whose its rows are, or hangs on one that does.
ABOUT_NOBODY = {
    "guesses": "counts guesses under a hash that leads back to no account, for a day",
    "deletions": "is what is left of a deleted account",
    "revocations": "has the ids of login sessions that are gone, for as long as an access token of theirs could live",
}


@pytest.fixture
def keepers() -> Keepers:
    return Keepers()


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", database_url=database_url, deletion_look_s=0.1)


@pytest.fixture
async def mesh(settings: Settings, keepers: Keepers) -> AsyncIterator[UserMesh]:
    async with user_mesh(settings, keepers.services()) as running:
        yield running


async def delete(mesh: UserMesh, tokens: user_pb.Tokens, password: str = "") -> service_pb.DeletionReceipt:
    request = service_pb.DeleteUserRequest(current_password=password)
    answer = await mesh.stub.DeleteUser(request, metadata=call_metadata(tokens.access_token), timeout=5)
    return answer.receipt


async def receipt(mesh: UserMesh, receipt_id: str) -> service_pb.DeletionReceipt:
    request = service_pb.GetDeletionReceiptRequest(receipt_id=receipt_id)
    return (await mesh.stub.GetDeletionReceipt(request)).receipt


async def test_an_account_is_gone_here_and_forgotten_everywhere(mesh: UserMesh, keepers: Keepers) -> None:
    tokens = (await mesh.register()).tokens
    elsewhere = await mesh.log_in()
    user_id = (await mesh.user(tokens)).user_id
    given = await delete(mesh, tokens, PASSWORD)
    assert given.HasField("finish_time")
    assert not given.pending_services
    assert dict(given.removed) | {"user": 0} == {"user": 0, "conversation": 3, "history": 40, "media": 2}
    assert given.removed["user"] >= 4
    assert keepers.asked == [(name, user_id, given.receipt_id) for name in ("conversation", "history", "media")]
    assert await receipt(mesh, given.receipt_id) == given
    for token in (tokens.refresh_token, elsewhere.refresh_token):
        with refused(UnauthenticatedError):
            await mesh.refresh(token)
    with refused(BadCredentialsError):
        await mesh.log_in()
    with refused(NotFoundError):
        await mesh.user(tokens)
    assert (await mesh.register()).user.user_id != user_id


async def test_its_access_tokens_are_listed_to_be_refused(mesh: UserMesh) -> None:
    registered, elsewhere = await mesh.register(), await mesh.log_in()
    await delete(mesh, registered.tokens, PASSWORD)
    answer = await mesh.stub.ListRevocations(
        service_pb.ListRevocationsRequest(), metadata=mesh.authority.service_metadata("edge")
    )
    ended = {revocation.session_id for revocation in answer.revocations}
    assert ended == {registered.tokens.login_session_id, elsewhere.login_session_id}


async def test_only_who_knows_the_password_deletes_and_a_guest_needs_none(mesh: UserMesh, keepers: Keepers) -> None:
    tokens = (await mesh.register()).tokens
    for wrong in ("", "a wrong password"):
        with refused(BadCredentialsError):
            await delete(mesh, tokens, wrong)
    assert (await mesh.user(tokens)).email
    assert not keepers.asked
    assert (await delete(mesh, (await mesh.guest()).tokens)).HasField("finish_time")


async def test_deleting_again_gives_the_same_receipt(mesh: UserMesh, keepers: Keepers) -> None:
    tokens = (await mesh.guest()).tokens
    first, *others = await asyncio.gather(*(delete(mesh, tokens) for _ in range(4)))
    assert {each.receipt_id for each in others} == {first.receipt_id}
    assert await delete(mesh, tokens) == await receipt(mesh, first.receipt_id)
    assert len(keepers.asked) == 3


async def test_a_receipt_tells_nothing_to_who_does_not_have_its_id(mesh: UserMesh) -> None:
    with refused(NotFoundError):
        await receipt(mesh, "del_unknown")


async def test_what_a_service_that_is_away_keeps_is_pending_until_it_is_back(
    settings: Settings, keepers: Keepers
) -> None:
    keepers.away = {"history"}
    async with user_mesh(settings, keepers.services()) as mesh:
        given = await delete(mesh, (await mesh.guest()).tokens)
        assert list(given.pending_services) == ["history"]
        assert not given.HasField("finish_time")
        assert (given.removed["conversation"], given.removed["media"]) == (3, 2)
        keepers.away = set()
        mesh.clock.advance(60)

        async def finished() -> bool:
            return (await receipt(mesh, given.receipt_id)).HasField("finish_time")

        await until(finished, within_s=15)
    # The channel itself tries a few times, too.
    assert [name for name, _ in groupby(keepers.asked, itemgetter(0))] == [
        "conversation",
        "history",
        "media",
        "history",
    ]


async def test_a_deletion_that_a_crash_left_half_done_is_finished_by_the_next_process(
    settings: Settings, keepers: Keepers
) -> None:
    keepers.stuck = {"history"}
    async with AsyncExitStack() as stack:
        mesh = await stack.enter_async_context(user_mesh(settings, keepers.services()))
        tokens = (await mesh.register()).tokens
        begun = asyncio.create_task(delete(mesh, tokens, PASSWORD))

        async def history_is_asked() -> bool:
            return len(keepers.asked) == 2

        await until(history_is_asked)
        receipt_id = keepers.asked[0][2]
        assert list((await receipt(mesh, receipt_id)).pending_services) == ["history", "media"]
        begun.cancel()
    keepers.stuck = set()
    async with user_mesh(settings, keepers.services()) as mesh:
        # The process that ended had it for itself for a while.
        mesh.clock.advance(300)

        async def finished() -> bool:
            return (await receipt(mesh, receipt_id)).HasField("finish_time")

        await until(finished, within_s=15)
    assert {request_id for _, _, request_id in keepers.asked} == {receipt_id}
    assert [service for service, _, _ in keepers.asked] == ["conversation", "history", "history", "media"]


async def test_a_guest_who_does_not_come_back_is_deleted_after_a_month(mesh: UserMesh, keepers: Keepers) -> None:
    gone, comes_back, account = await mesh.guest(), await mesh.guest(), await mesh.register()
    mesh.clock.advance(20 * 86_400)
    tokens = await mesh.refresh(comes_back.tokens.refresh_token)
    await mesh.clock.elapse(11 * 86_400)

    async def begun() -> bool:
        await mesh.clock.elapse(3_601)
        await asyncio.sleep(0.1)  # The sweep is in a thread; the month must not be over for the other guest, too.
        return bool(keepers.asked)

    async def forgotten() -> bool:
        mesh.clock.advance(1)
        return {service for service, _, _ in keepers.asked} == {"conversation", "history", "media"}

    await until(begun, within_s=20)
    await until(forgotten, within_s=20)
    assert {user_id for _, user_id, _ in keepers.asked} == {gone.user.user_id}
    assert (await mesh.user(await mesh.refresh(tokens.refresh_token))).guest
    assert account.user.user_id not in str(keepers.asked)


def written_rows(table: Table, session: Session) -> list[str]:
    return [str(row) for row in session.execute(select(table))]


async def test_nothing_is_left_of_a_person_but_that_they_were_deleted(
    mesh: UserMesh, settings: Settings, database_url: str
) -> None:
    registered = await mesh.register(client="The only client of its name")
    user_id, login = registered.user.user_id, registered.tokens.login_session_id
    other = await mesh.register("bob@example.org")
    await mesh.mailbox.expect(2)
    reserved = service_pb.ReserveBudgetRequest(user_id=user_id, amount=service_pb.Budget(audio_seconds=5))
    await mesh.stub.ReserveBudget(reserved, metadata=mesh.authority.service_metadata("conversation"))
    await delete(mesh, registered.tokens, PASSWORD)
    left: dict[str, list[str]] = {}
    async with Database(database_url, 1) as database:
        for table in Base.metadata.sorted_tables:
            left[table.name] = await database.read(partial(written_rows, table))
    for table_name, written in left.items():
        for row in written:
            assert table_name == "revocations" or login not in row
            assert "ann@example.org" not in row
            assert "The only client" not in row
            assert table_name in STAYS | {"audit_events"} or user_id not in row
    assert mesh.mailbox.all("ann@example.org") == []
    assert mesh.mailbox.all("bob@example.org")
    assert [row for row in left["audit_events"] if user_id in row and "account_deleted" not in row] == []
    assert any(other.user.user_id in row for row in left["users"])


def test_every_table_says_whose_its_rows_are() -> None:
    for table in Base.metadata.sorted_tables:
        owned = "user_id" in table.c or table.name == "budget_overrides"
        hangs_on = any(key.ondelete == "CASCADE" for key in table.foreign_keys)
        assert owned or hangs_on or table.name in ABOUT_NOBODY, table.name
