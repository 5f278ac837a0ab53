"""Where a person is logged in: the list, and its end."""

import pytest
from vivavoce.user.v1 import user_pb2 as user_pb
from vivavoce.user.v1 import user_service_pb2 as service_pb

from mesh.channel import call_metadata
from mesh.errors import InvalidFieldError, NotFoundError, UnauthenticatedError
from tests.services.calls import refused
from tests.services.user.conftest import UserMesh


async def _page(
    mesh: UserMesh, tokens: user_pb.Tokens, size: int = 0, token: str = ""
) -> service_pb.ListLoginSessionsResponse:
    request = service_pb.ListLoginSessionsRequest(page_size=size, page_token=token)
    return await mesh.stub.ListLoginSessions(request, metadata=call_metadata(tokens.access_token))


async def _revoke(mesh: UserMesh, tokens: user_pb.Tokens, login_session_id: str = "") -> int:
    request = service_pb.RevokeLoginSessionRequest(login_session_id=login_session_id)
    answer = await mesh.stub.RevokeLoginSession(request, metadata=call_metadata(tokens.access_token))
    return answer.revoked_count


async def test_the_list_shows_where_one_is_logged_in_latest_first_and_which_is_this(mesh: UserMesh) -> None:
    first = (await mesh.register(client="phone 1")).tokens
    mesh.clock.advance(60)
    second = await mesh.log_in(client="page 2")
    shown = (await _page(mesh, first)).login_sessions
    assert [login.login_session_id for login in shown] == [second.login_session_id, first.login_session_id]
    assert [(login.client, login.current) for login in shown] == [("page 2", False), ("phone 1", True)]
    assert shown[0].create_time.ToMicroseconds() - shown[1].create_time.ToMicroseconds() == 60_000_000


async def test_the_list_comes_in_pages(mesh: UserMesh) -> None:
    tokens = (await mesh.register()).tokens
    for _ in range(4):
        await mesh.log_in()
    seen: list[str] = []
    token, pages = "", 0
    while token or not pages:
        page = await _page(mesh, tokens, 2, token)
        seen += [login.login_session_id for login in page.login_sessions]
        token, pages = page.next_page_token, pages + 1
    assert (len(seen), len(set(seen)), pages) == (5, 5, 3)


async def test_another_persons_page_token_is_refused(sqlite_mesh: UserMesh) -> None:
    ann, bea = (await sqlite_mesh.register()).tokens, (await sqlite_mesh.register("bea@example.org")).tokens
    await sqlite_mesh.log_in()
    token = (await _page(sqlite_mesh, ann, 1)).next_page_token
    for forged in (token, "x"):
        with refused(InvalidFieldError, field="page_token"):
            await _page(sqlite_mesh, bea, 1, forged)


async def test_one_login_session_is_revoked_and_revoking_it_again_changes_nothing(mesh: UserMesh) -> None:
    here, there = (await mesh.register()).tokens, await mesh.log_in()
    assert await _revoke(mesh, here, there.login_session_id) == 1
    assert await _revoke(mesh, here, there.login_session_id) == 0
    with refused(UnauthenticatedError, reason="TOKEN_INVALID"):
        await mesh.refresh(there.refresh_token)
    assert [each.login_session_id for each in (await _page(mesh, here)).login_sessions] == [here.login_session_id]
    assert (await mesh.refresh(here.refresh_token)).access_token


async def test_all_but_this_one_are_revoked_and_nobody_elses(mesh: UserMesh) -> None:
    here, bea = (await mesh.register()).tokens, (await mesh.register("bea@example.org")).tokens
    others = [await mesh.log_in() for _ in range(3)]
    assert await _revoke(mesh, here) == 3
    for other in others:
        with refused(UnauthenticatedError):
            await mesh.refresh(other.refresh_token)
    for living in (here, bea):
        assert (await mesh.refresh(living.refresh_token)).access_token


@pytest.mark.parametrize("login_session_id", ["lgn_unknown", "x\x00y"])
async def test_what_is_no_login_session_of_ones_own_is_not_found(mesh: UserMesh, login_session_id: str) -> None:
    tokens = (await mesh.guest()).tokens
    with refused(NotFoundError):
        await _revoke(mesh, tokens, login_session_id)


async def test_another_persons_login_session_is_not_found_and_lives_on(mesh: UserMesh) -> None:
    ann, bea = (await mesh.guest()).tokens, (await mesh.guest()).tokens
    with refused(NotFoundError):
        await _revoke(mesh, ann, bea.login_session_id)
    assert (await mesh.refresh(bea.refresh_token)).access_token


async def test_what_can_be_renewed_no_more_is_not_listed(mesh: UserMesh) -> None:
    await mesh.register()
    mesh.clock.advance(30 * 86_400 + 1)
    here = await mesh.log_in()
    assert [each.login_session_id for each in (await _page(mesh, here)).login_sessions] == [here.login_session_id]
