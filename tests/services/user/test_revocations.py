"""The list of what was ended, by which every process refuses access tokens before they expire."""

from datetime import datetime

import pytest
from vivavoce.user.v1 import user_pb2 as user_pb
from vivavoce.user.v1 import user_service_pb2 as service_pb

from mesh.channel import call_metadata
from mesh.database import Database
from mesh.errors import UnauthenticatedError
from services.user import revocations
from services.user.domain.deletions import Deletion
from services.user.store.deletions import DeletionStore
from services.user.store.standings import StandingStore
from tests.services.calls import refused
from tests.services.user.conftest import PASSWORD, UserMesh


async def ended(mesh: UserMesh, start: datetime | None = None) -> service_pb.ListRevocationsResponse:
    request = service_pb.ListRevocationsRequest()
    if start is not None:
        request.start_time.FromDatetime(start)
    return await mesh.stub.ListRevocations(request, metadata=mesh.authority.service_metadata("history"))


def ids(answer: service_pb.ListRevocationsResponse) -> list[str]:
    return [revocation.session_id for revocation in answer.revocations]


async def test_whatever_ends_a_login_session_or_a_key_is_listed_oldest_first(mesh: UserMesh) -> None:
    here = (await mesh.register()).tokens
    metadata = call_metadata(here.access_token)
    assert ids(await ended(mesh)) == []
    expected: list[str] = []

    logged_out = await mesh.log_in()
    await mesh.log_out(logged_out)
    expected.append(logged_out.login_session_id)

    mesh.clock.advance(1)
    revoked = await mesh.log_in()
    request = service_pb.RevokeLoginSessionRequest(login_session_id=revoked.login_session_id)
    await mesh.stub.RevokeLoginSession(request, metadata=metadata)
    expected.append(revoked.login_session_id)

    mesh.clock.advance(1)
    stolen = await mesh.log_in()
    successor = await mesh.refresh(stolen.refresh_token)
    await mesh.refresh(successor.refresh_token)
    with refused(UnauthenticatedError):
        await mesh.refresh(stolen.refresh_token)
    expected.append(stolen.login_session_id)

    mesh.clock.advance(1)
    other = await mesh.log_in()
    change = service_pb.ChangePasswordRequest(current_password=PASSWORD, new_password="a sentence nobody says")
    await mesh.stub.ChangePassword(change, metadata=metadata)
    expected.append(other.login_session_id)

    mesh.clock.advance(1)
    key = (await mesh.new_key(here)).access_key
    await mesh.stub.RevokeAccessKey(
        service_pb.RevokeAccessKeyRequest(access_key_id=key.access_key_id), metadata=metadata
    )
    expected.append(key.access_key_id)

    answer = await ended(mesh)
    assert ids(answer) == expected
    assert answer.revocations[-1].revoke_time.seconds == int(mesh.clock.wall().timestamp())


async def test_an_answer_says_where_to_go_on_which_overlaps_it(mesh: UserMesh) -> None:
    first, second = (await mesh.register()).tokens, await mesh.log_in()
    await mesh.log_out(first)
    answer = await ended(mesh)
    mesh.clock.advance(20)
    await mesh.log_out(second)
    answer = await ended(mesh, answer.next_start_time.ToDatetime())
    assert ids(answer) == [first.login_session_id, second.login_session_id]
    mesh.clock.advance(40)
    answer = await ended(mesh, answer.next_start_time.ToDatetime())
    assert ids(answer) == [first.login_session_id, second.login_session_id]
    assert ids(await ended(mesh, answer.next_start_time.ToDatetime())) == []


async def test_who_asks_first_is_told_of_the_last_hour(mesh: UserMesh) -> None:
    tokens = (await mesh.register()).tokens
    await mesh.log_out(tokens)
    mesh.clock.advance(3600)
    assert ids(await ended(mesh)) == [tokens.login_session_id]
    mesh.clock.advance(1)
    assert ids(await ended(mesh)) == []


async def test_more_than_fits_comes_in_several_answers(mesh: UserMesh, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revocations, "_MOST", 2)
    await mesh.register()
    expected = []
    for _ in range(5):
        mesh.clock.advance(1)
        tokens: user_pb.Tokens = await mesh.log_in()
        await mesh.log_out(tokens)
        expected.append(tokens.login_session_id)
    told: list[str] = []
    answer = await ended(mesh)
    for _ in range(6):
        told += [each for each in ids(answer) if each not in told]
        answer = await ended(mesh, answer.next_start_time.ToDatetime())
    assert told == expected


async def test_the_access_tokens_of_a_deleted_account_are_ended_for_an_hour(mesh: UserMesh, database_url: str) -> None:
    registered = await mesh.register()
    key = (await mesh.new_key(registered.tokens)).access_key
    now_us = int(mesh.clock.wall().timestamp() * 1_000_000)
    async with Database(database_url, 1) as database:
        await DeletionStore(database).begin(Deletion("del_1", registered.user.user_id, now_us, {}))
        assert set(ids(await ended(mesh))) == {registered.tokens.login_session_id, key.access_key_id}
        assert await StandingStore(database).prune(now_us) == 0
        assert await StandingStore(database).prune(now_us + 1) == 2
