"""Refresh tokens through the real service: each works once, and reuse ends the login session."""

import asyncio
from dataclasses import replace

from vivavoce.user.v1 import user_pb2 as user_pb
from vivavoce.user.v1 import user_service_pb2 as service_pb

from mesh.channel import call_metadata
from mesh.database import Database
from mesh.errors import UnauthenticatedError
from services.user.domain.logins import RefreshToken
from services.user.store.logins import LoginsStore
from services.user.store.people import PeopleStore
from tests.services.calls import refused
from tests.services.user.conftest import PASSWORD, UserMesh


async def test_a_refresh_token_is_exchanged_for_new_tokens(mesh: UserMesh) -> None:
    first = (await mesh.guest()).tokens
    second = await mesh.refresh(first.refresh_token)
    assert second.refresh_token != first.refresh_token
    assert second.refresh_token.startswith("vvr_")
    assert second.login_session_id == first.login_session_id
    assert (await mesh.user(second)).guest


async def test_fifty_parallel_refreshes_leave_one_living_successor(mesh: UserMesh) -> None:
    first = (await mesh.guest()).tokens.refresh_token
    answers = await asyncio.gather(*(mesh.refresh(first) for _ in range(50)))
    (successor,) = {answer.refresh_token for answer in answers}
    assert (await mesh.refresh(successor)).refresh_token != successor


async def test_after_the_grace_a_used_token_ends_its_login_session(mesh: UserMesh) -> None:
    first = (await mesh.guest()).tokens.refresh_token
    second = (await mesh.refresh(first)).refresh_token
    mesh.clock.advance(11)
    for token in (first, second, first):
        with refused(UnauthenticatedError, reason="TOKEN_INVALID"):
            await mesh.refresh(token)


async def test_a_parent_shown_after_its_successor_was_used_ends_the_login_session(mesh: UserMesh) -> None:
    first = (await mesh.guest()).tokens.refresh_token
    second = (await mesh.refresh(first)).refresh_token
    third = (await mesh.refresh(second)).refresh_token
    for token in (first, third, second):
        with refused(UnauthenticatedError):
            await mesh.refresh(token)


async def test_after_reuse_nothing_of_the_family_works_however_many_race(mesh: UserMesh) -> None:
    first = (await mesh.guest()).tokens.refresh_token
    living = (await mesh.refresh(first)).refresh_token
    mesh.clock.advance(11)
    with refused(UnauthenticatedError):
        await mesh.refresh(first)
    answers = await asyncio.gather(*(mesh.refresh(living) for _ in range(50)), return_exceptions=True)
    assert all(isinstance(answer, Exception) for answer in answers)


async def test_while_reuse_is_found_out_a_racing_renewal_gains_nothing_that_lasts(mesh: UserMesh) -> None:
    first = (await mesh.guest()).tokens.refresh_token
    living = (await mesh.refresh(first)).refresh_token
    mesh.clock.advance(11)
    shown = [first, living] * 25
    answers = await asyncio.gather(*(mesh.refresh(token) for token in shown), return_exceptions=True)
    gained = {answer.refresh_token for answer in answers if isinstance(answer, user_pb.Tokens)}
    assert len(gained) <= 1
    for token in (first, living, *gained):
        with refused(UnauthenticatedError, reason="TOKEN_INVALID"):
            await mesh.refresh(token)


async def test_a_login_that_proved_the_password_before_it_was_changed_opens_nothing(
    mesh: UserMesh, database_url: str
) -> None:
    registered = await mesh.register()
    async with Database(database_url, 1) as database:
        people, logins = PeopleStore(database), LoginsStore(database)
        before = await people.credentials_of(registered.user.user_id)
        login = await logins.login(registered.tokens.login_session_id)
        assert before is not None
        assert login is not None
        change = service_pb.ChangePasswordRequest(current_password=PASSWORD, new_password="a lantern above the harbour")
        await mesh.stub.ChangePassword(change, metadata=call_metadata(registered.tokens.access_token))
        late = replace(login, login_session_id="lgn_late")
        token = RefreshToken(b"late", "lgn_late", 0, login.create_time_us)
        assert not await logins.add_login(late, token, before.password_hash)
        assert await logins.login("lgn_late") is None


async def test_reuse_in_one_place_leaves_the_other_places_logged_in(mesh: UserMesh) -> None:
    here = (await mesh.register()).tokens.refresh_token
    there = (await mesh.log_in()).refresh_token
    await mesh.refresh(here)
    mesh.clock.advance(11)
    with refused(UnauthenticatedError):
        await mesh.refresh(here)
    assert (await mesh.refresh(there)).access_token


async def test_log_out_ends_the_login_session_and_may_be_repeated(mesh: UserMesh) -> None:
    tokens = (await mesh.guest()).tokens
    await mesh.log_out(tokens)
    await mesh.log_out(tokens)
    with refused(UnauthenticatedError):
        await mesh.refresh(tokens.refresh_token)


async def test_a_token_that_was_never_issued_is_refused(mesh: UserMesh) -> None:
    for token in ("vvr_" + "A" * 43, "x", "\x00", "😀"):
        with refused(UnauthenticatedError, reason="TOKEN_INVALID"):
            await mesh.refresh(token)


async def test_a_refresh_token_holds_thirty_days_from_its_issue(mesh: UserMesh) -> None:
    token = (await mesh.guest()).tokens.refresh_token
    mesh.clock.advance(29 * 86_400)
    token = (await mesh.refresh(token)).refresh_token
    mesh.clock.advance(30 * 86_400)
    with refused(UnauthenticatedError):
        await mesh.refresh(token)


async def test_an_account_logs_in_again_after_ninety_days_and_a_guest_never_has_to(mesh: UserMesh) -> None:
    account, guest = (await mesh.register()).tokens.refresh_token, (await mesh.guest()).tokens.refresh_token
    for _ in range(3):
        mesh.clock.advance(29 * 86_400)
        account = (await mesh.refresh(account)).refresh_token
        guest = (await mesh.refresh(guest)).refresh_token
    mesh.clock.advance(4 * 86_400)
    with refused(UnauthenticatedError):
        await mesh.refresh(account)
    assert (await mesh.refresh(guest)).access_token
