"""Personal access tokens: made, shown once, exchanged, listed and revoked."""

import asyncio
import re
from pathlib import Path

import pytest
from sqlalchemy import text
from vivavoce.type.v1 import access_pb2 as access_pb
from vivavoce.user.v1 import user_pb2 as user_pb
from vivavoce.user.v1 import user_service_pb2 as service_pb

from mesh.channel import call_metadata
from mesh.database import Database, open_engine
from mesh.errors import ExhaustedError, InvalidFieldError, NotAllowedError, NotFoundError, UnauthenticatedError
from services.user.access_key_tokens import is_whole, new_token, prefix_of
from services.user.domain.access_keys import MOST
from services.user.domain.people import Role
from services.user.settings import Settings
from services.user.store.roster import RosterStore
from tests.services.calls import refused
from tests.services.user.conftest import PASSWORD, UserMesh, user_mesh

DAY_S = 86_400


async def _list(
    mesh: UserMesh, tokens: user_pb.Tokens, size: int = 0, token: str = ""
) -> service_pb.ListAccessKeysResponse:
    request = service_pb.ListAccessKeysRequest(page_size=size, page_token=token)
    return await mesh.stub.ListAccessKeys(request, metadata=call_metadata(tokens.access_token))


async def _revoke(mesh: UserMesh, tokens: user_pb.Tokens, access_key_id: str) -> None:
    request = service_pb.RevokeAccessKeyRequest(access_key_id=access_key_id)
    await mesh.stub.RevokeAccessKey(request, metadata=call_metadata(tokens.access_token))


def test_a_token_tells_whether_it_was_mistyped_or_cut() -> None:
    token = new_token()
    assert re.fullmatch(r"vvk_[0-9A-Za-z]{57}", token)
    assert is_whole(token)
    swapped = token[:20] + token[21] + token[20] + token[22:] if token[20] != token[21] else token[:-1] + "_"
    for wrong in (token[:-1], token + "x", token.replace("vvk_", "vvr_"), swapped, "vvk_", "", "vvk_" + "é" * 57):
        assert not is_whole(wrong)


async def test_what_is_exchanged_is_the_persons_by_the_key_with_its_scopes_for_five_minutes(mesh: UserMesh) -> None:
    registered = await mesh.register()
    made = await mesh.new_key(registered.tokens, access_pb.SCOPE_READ, access_pb.SCOPE_TALK, name="my script")
    tokens = await mesh.exchange(made.token)
    who = await mesh.verifier.verify(tokens.access_token)
    assert (who.user_id, who.login_session_id) == (registered.user.user_id, made.access_key.access_key_id)
    assert who.scopes == {"talk", "read"}
    assert (tokens.access_lifetime.seconds, tokens.refresh_token) == (300, "")
    assert (await mesh.user(tokens)).email == "ann@example.org"


async def test_the_list_shows_what_recognises_a_key_and_when_it_was_used_but_not_the_key(mesh: UserMesh) -> None:
    tokens = (await mesh.register()).tokens
    made = await mesh.new_key(tokens, name="my script")
    [shown] = (await _list(mesh, tokens)).access_keys
    assert shown == made.access_key
    assert (shown.name, shown.prefix, list(shown.scopes)) == ("my script", made.token[:12], [access_pb.SCOPE_TALK])
    assert shown.expire_time.seconds - shown.create_time.seconds == 90 * DAY_S
    assert not shown.HasField("last_used_time")
    mesh.clock.advance(30)
    await mesh.exchange(made.token)
    [shown] = (await _list(mesh, tokens)).access_keys
    assert shown.last_used_time.seconds - shown.create_time.seconds == 30


async def test_that_a_key_was_used_is_noted_once_a_minute_at_most(mesh: UserMesh) -> None:
    tokens = (await mesh.register()).tokens
    key = (await mesh.new_key(tokens)).token
    noted = []
    for _ in range(3):
        mesh.clock.advance(40)
        await mesh.exchange(key)
        [shown] = (await _list(mesh, tokens)).access_keys
        noted.append(shown.last_used_time.seconds - shown.create_time.seconds)
    assert noted == [40, 40, 120]


async def test_the_database_holds_neither_keys_nor_what_they_follow_from(mesh: UserMesh, database_url: str) -> None:
    key = (await mesh.new_key((await mesh.register()).tokens)).token
    engine = open_engine(database_url, 1)
    with engine.connect() as connection:
        [row] = connection.execute(text("SELECT * FROM access_keys")).mappings()
    engine.dispose()
    assert key not in str(dict(row))
    assert key[12:] not in str(dict(row))


async def test_keys_come_in_pages_latest_first(mesh: UserMesh) -> None:
    tokens = (await mesh.register()).tokens
    names = []
    for number in range(5):
        mesh.clock.advance(1)
        names.append((await mesh.new_key(tokens, name=f"key {number}")).access_key.name)
    seen: list[str] = []
    token, pages = "", 0
    while token or not pages:
        page = await _list(mesh, tokens, 2, token)
        seen += [key.name for key in page.access_keys]
        token, pages = page.next_page_token, pages + 1
    assert (seen, pages) == (names[::-1], 3)


async def test_a_revoked_key_is_neither_listed_nor_exchanged_and_revoking_again_changes_nothing(
    mesh: UserMesh,
) -> None:
    tokens = (await mesh.register()).tokens
    made = await mesh.new_key(tokens)
    for _ in range(2):
        await _revoke(mesh, tokens, made.access_key.access_key_id)
    assert not (await _list(mesh, tokens)).access_keys
    with refused(UnauthenticatedError, reason="TOKEN_INVALID"):
        await mesh.exchange(made.token)


async def test_an_expired_key_is_listed_and_not_exchanged(mesh: UserMesh) -> None:
    tokens = (await mesh.register()).tokens
    made = await mesh.new_key(tokens, days=1)
    mesh.clock.advance(DAY_S - 60)
    assert (await mesh.exchange(made.token)).access_lifetime.seconds == 60
    mesh.clock.advance(60)
    with refused(UnauthenticatedError):
        await mesh.exchange(made.token)
    fresh = await mesh.log_in()
    assert [key.access_key_id for key in (await _list(mesh, fresh)).access_keys] == [made.access_key.access_key_id]


async def test_another_persons_keys_are_not_there(mesh: UserMesh) -> None:
    ann, bea = (await mesh.register()).tokens, (await mesh.register("bea@example.org")).tokens
    made = await mesh.new_key(ann)
    assert not (await _list(mesh, bea)).access_keys
    for strange in (made.access_key.access_key_id, "key_unknown"):
        with refused(NotFoundError):
            await _revoke(mesh, bea, strange)
    await mesh.exchange(made.token)


@pytest.mark.parametrize("forged", ["vvk_", "vvk_" + "A" * 57, "nonsense"])
async def test_what_is_no_key_is_refused(sqlite_mesh: UserMesh, forged: str) -> None:
    with refused(UnauthenticatedError, reason="TOKEN_INVALID"):
        await sqlite_mesh.exchange(forged)


async def test_a_key_that_was_never_made_is_refused(mesh: UserMesh) -> None:
    with refused(UnauthenticatedError, reason="TOKEN_INVALID"):
        await mesh.exchange(new_token())


async def test_only_services_exchange_keys_and_see_what_was_ended(sqlite_mesh: UserMesh) -> None:
    tokens = (await sqlite_mesh.register()).tokens
    metadata = call_metadata(tokens.access_token)
    with refused(NotAllowedError):
        await sqlite_mesh.stub.ExchangeAccessKey(
            service_pb.ExchangeAccessKeyRequest(token=new_token()), metadata=metadata
        )
    with refused(NotAllowedError):
        await sqlite_mesh.stub.ListRevocations(service_pb.ListRevocationsRequest(), metadata=metadata)


async def test_nobody_makes_a_key_that_may_do_more_than_they_may(sqlite_mesh: UserMesh) -> None:
    tokens = (await sqlite_mesh.register()).tokens
    with refused(NotAllowedError, field="scopes"):
        await sqlite_mesh.new_key(tokens, access_pb.SCOPE_TALK, access_pb.SCOPE_ADMIN)
    with refused(InvalidFieldError, field="scopes"):
        await sqlite_mesh.new_key(tokens, access_pb.SCOPE_UNSPECIFIED)


async def test_a_key_may_not_make_or_revoke_keys_nor_change_who_may_come_in(sqlite_mesh: UserMesh) -> None:
    tokens = (await sqlite_mesh.register()).tokens
    made = await sqlite_mesh.new_key(tokens, access_pb.SCOPE_TALK, access_pb.SCOPE_READ, access_pb.SCOPE_WRITE)
    by_key = await sqlite_mesh.exchange(made.token)
    metadata = call_metadata(by_key.access_token)
    stub = sqlite_mesh.stub
    change = service_pb.ChangePasswordRequest(current_password=PASSWORD, new_password=PASSWORD + "!")
    email = service_pb.ChangeEmailRequest(current_password=PASSWORD, email="eve@example.org")
    with refused(NotAllowedError):
        await sqlite_mesh.new_key(by_key)
    with refused(NotAllowedError):
        await _revoke(sqlite_mesh, by_key, made.access_key.access_key_id)
    with refused(NotAllowedError):
        await stub.ChangePassword(change, metadata=metadata)
    with refused(NotAllowedError):
        await stub.ChangeEmail(email, metadata=metadata)
    with refused(NotAllowedError):
        await stub.RevokeLoginSession(service_pb.RevokeLoginSessionRequest(), metadata=metadata)
    with refused(NotAllowedError):
        await stub.DeleteUser(service_pb.DeleteUserRequest(current_password=PASSWORD), metadata=metadata)


async def test_of_many_keys_made_at_once_no_more_than_the_bound_work(mesh: UserMesh) -> None:
    tokens = (await mesh.register()).tokens
    for _ in range(MOST - 2):
        await mesh.new_key(tokens)
    outcomes = await asyncio.gather(*(mesh.new_key(tokens) for _ in range(24)), return_exceptions=True)
    assert sum(isinstance(outcome, service_pb.CreateAccessKeyResponse) for outcome in outcomes) == 2
    with refused(ExhaustedError, reason="RATE_LIMITED"):
        await mesh.new_key(tokens)
    [latest] = (await _list(mesh, tokens, 1)).access_keys
    await _revoke(mesh, tokens, latest.access_key_id)
    assert prefix_of((await mesh.new_key(tokens)).token).startswith("vvk_")


async def test_who_resets_a_password_ends_the_keys_that_were_made_before(mesh: UserMesh) -> None:
    made = await mesh.new_key((await mesh.register()).tokens)
    await mesh.stub.RequestPasswordReset(service_pb.RequestPasswordResetRequest(email="ann@example.org"))
    *_, letter = await mesh.mailbox.expect(2)
    await mesh.stub.ResetPassword(
        service_pb.ResetPasswordRequest(token=letter.token, new_password="a sentence nobody says")
    )
    with refused(UnauthenticatedError):
        await mesh.exchange(made.token)


async def test_access_tokens_that_would_outlive_what_is_remembered_of_their_end_are_refused_at_the_start(
    sqlite_url: str, tmp_path: Path
) -> None:
    settings = Settings(data_dir=tmp_path, database_url=sqlite_url, access_lifetime_s=3601)
    with pytest.raises(InvalidFieldError, match="VIVAVOCE_USER_ACCESS_LIFETIME_S"):
        async with user_mesh(settings):
            pass


async def test_the_key_of_one_who_is_no_admin_any_more_may_do_what_they_may(mesh: UserMesh, database_url: str) -> None:
    registered = await mesh.register()
    now_us = int(mesh.clock.wall().timestamp() * 1_000_000)
    async with Database(database_url, 1) as database:
        roster = RosterStore(database)
        await roster.change_role(registered.user.user_id, Role.ADMIN, now_us)
        made = await mesh.new_key(await mesh.log_in(), access_pb.SCOPE_ADMIN, access_pb.SCOPE_READ)
        by_key = await mesh.verifier.verify((await mesh.exchange(made.token)).access_token)
        assert by_key.scopes == {"admin", "read"}
        await roster.change_role(registered.user.user_id, Role.LEARNER, now_us)
    by_key = await mesh.verifier.verify((await mesh.exchange(made.token)).access_token)
    assert by_key.scopes == {"read"}
