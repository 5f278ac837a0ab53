"""Passwords and addresses through the real service: change, reset, verification, and what nobody learns by them."""

import asyncio

import pytest
from vivavoce.user.v1 import user_pb2 as user_pb
from vivavoce.user.v1 import user_service_pb2 as service_pb

from mesh.channel import call_metadata
from mesh.errors import (
    AlreadyExistsError,
    BadCredentialsError,
    InvalidFieldError,
    NotAllowedError,
    RateLimitedError,
    UnauthenticatedError,
)
from tests.services.calls import refused
from tests.services.user.conftest import PASSWORD, UserMesh

NEW = "a lantern above the harbour"


async def verify(mesh: UserMesh, token: str) -> user_pb.User:
    return (await mesh.stub.VerifyEmail(service_pb.VerifyEmailRequest(token=token))).user


async def request_reset(mesh: UserMesh, email: str = "ann@example.org", at: str = "") -> None:
    request = service_pb.RequestPasswordResetRequest(email=email)
    await mesh.stub.RequestPasswordReset(request, metadata=mesh.at(at) if at else ())


async def reset(mesh: UserMesh, token: str, password: str = NEW) -> None:
    await mesh.stub.ResetPassword(service_pb.ResetPasswordRequest(token=token, new_password=password))


async def change_password(mesh: UserMesh, tokens: user_pb.Tokens, current: str = PASSWORD, new: str = NEW) -> None:
    request = service_pb.ChangePasswordRequest(current_password=current, new_password=new)
    await mesh.stub.ChangePassword(request, metadata=call_metadata(tokens.access_token))


async def change_email(mesh: UserMesh, tokens: user_pb.Tokens, email: str, current: str = PASSWORD) -> None:
    request = service_pb.ChangeEmailRequest(current_password=current, email=email)
    await mesh.stub.ChangeEmail(request, metadata=call_metadata(tokens.access_token))


async def send_again(mesh: UserMesh, tokens: user_pb.Tokens) -> None:
    request = service_pb.SendEmailVerificationRequest()
    await mesh.stub.SendEmailVerification(request, metadata=call_metadata(tokens.access_token))


async def upgrade(
    mesh: UserMesh, tokens: user_pb.Tokens, email: str = "ann@example.org", password: str = PASSWORD
) -> user_pb.User:
    request = service_pb.UpgradeGuestRequest(email=email, password=password)
    return (await mesh.stub.UpgradeGuest(request, metadata=call_metadata(tokens.access_token))).user


async def test_who_registers_gets_a_link_that_verifies_the_address_once(mesh: UserMesh) -> None:
    registered = await mesh.register()
    assert not registered.user.email_verified
    (letter,) = await mesh.mailbox.expect(1)
    assert (letter.to, letter.subject) == ("ann@example.org", "Confirm your address")
    assert letter.link.startswith("http://127.0.0.1:8080/#verify=")
    assert (await verify(mesh, letter.token)).email_verified
    assert (await mesh.user(registered.tokens)).email_verified
    with refused(UnauthenticatedError, field="token"):
        await verify(mesh, letter.token)


async def test_a_link_ends_after_its_time(mesh: UserMesh) -> None:
    await mesh.register()
    (verification,) = await mesh.mailbox.expect(1)
    await request_reset(mesh)
    _, password = await mesh.mailbox.expect(2)
    mesh.clock.advance(3600)
    with refused(UnauthenticatedError, field="token"):
        await reset(mesh, password.token)
    mesh.clock.advance(23 * 3600)
    with refused(UnauthenticatedError, field="token"):
        await verify(mesh, verification.token)


async def test_a_link_serves_its_own_purpose_only(mesh: UserMesh) -> None:
    await mesh.register()
    (verification,) = await mesh.mailbox.expect(1)
    await request_reset(mesh)
    _, password = await mesh.mailbox.expect(2)
    with refused(UnauthenticatedError, field="token"):
        await verify(mesh, password.token)
    with refused(UnauthenticatedError, field="token"):
        await reset(mesh, verification.token)


async def test_the_verification_is_sent_again_until_the_address_is_verified_and_not_too_often(mesh: UserMesh) -> None:
    tokens = (await mesh.register()).tokens
    await send_again(mesh, tokens)
    _, second = await mesh.mailbox.expect(2)
    for _ in range(2):
        await send_again(mesh, tokens)
    with refused(RateLimitedError):
        await send_again(mesh, tokens)
    await mesh.mailbox.expect(4)
    await verify(mesh, second.token)
    await send_again(mesh, tokens)
    await mesh.mailbox.expect_no_more(4)


async def test_a_reset_sets_the_password_and_ends_all_login_sessions(mesh: UserMesh) -> None:
    here, there = (await mesh.register()).tokens, await mesh.log_in()
    await request_reset(mesh, "ANN@example.org")
    _, letter = await mesh.mailbox.expect(2)
    assert "/#reset=" in letter.link
    await reset(mesh, letter.token)
    for tokens in (here, there):
        with refused(UnauthenticatedError):
            await mesh.refresh(tokens.refresh_token)
    with refused(BadCredentialsError):
        await mesh.log_in()
    assert (await mesh.user(await mesh.log_in(password=NEW))).email_verified
    *_, told = await mesh.mailbox.expect(3)
    assert told.subject == "Your password was changed"


async def test_a_reset_link_works_once_however_many_use_it_at_once(mesh: UserMesh) -> None:
    await mesh.register()
    await request_reset(mesh)
    await request_reset(mesh)
    _, first, second = await mesh.mailbox.expect(3)
    passwords = [f"a lantern above the harbour {number}" for number in range(8)]
    answers = await asyncio.gather(
        *(reset(mesh, first.token, password) for password in passwords), return_exceptions=True
    )
    (kept,) = [password for password, answer in zip(passwords, answers, strict=True) if answer is None]
    assert (await mesh.log_in(password=kept)).access_token
    with refused(UnauthenticatedError, field="token"):
        await reset(mesh, second.token)


async def test_a_bad_new_password_leaves_the_link_working(mesh: UserMesh) -> None:
    await mesh.register()
    await request_reset(mesh)
    _, letter = await mesh.mailbox.expect(2)
    with refused(InvalidFieldError, field="new_password"):
        await reset(mesh, letter.token, "ann@example.org")
    await reset(mesh, letter.token)


async def test_an_unknown_address_is_answered_alike_and_gets_no_mail(mesh: UserMesh) -> None:
    await mesh.register()
    await mesh.mailbox.expect(1)
    await request_reset(mesh, "nobody@example.org")
    await request_reset(mesh, "ann@example.org")
    await mesh.mailbox.expect(2, "ann@example.org")
    await mesh.mailbox.expect_no_more(2)


@pytest.mark.parametrize("email", ["ann@example.org", "nobody@example.org"])
async def test_a_reset_may_be_asked_for_a_few_times_an_hour_whether_the_address_is_known_or_not(
    sqlite_mesh: UserMesh, email: str
) -> None:
    await sqlite_mesh.register()
    for number in range(3):
        await request_reset(sqlite_mesh, email, at=f"203.0.{number}.1")
    with refused(RateLimitedError):
        await request_reset(sqlite_mesh, email.upper(), at="203.0.9.1")


async def test_a_reset_helps_an_owner_who_is_slowed_down_by_others_guesses(mesh: UserMesh) -> None:
    await mesh.register()
    for number in range(8):
        with refused((BadCredentialsError, RateLimitedError)):
            await mesh.log_in(password=f"wrong password {number}", at="203.0.113.9")
    with refused(RateLimitedError):
        await mesh.log_in(at="203.0.113.9")
    await request_reset(mesh)
    _, letter = await mesh.mailbox.expect(2)
    await reset(mesh, letter.token)
    assert (await mesh.log_in(password=NEW, at="203.0.113.9")).access_token


async def test_changing_the_password_ends_the_other_login_sessions_and_keeps_this_one(mesh: UserMesh) -> None:
    here, there = (await mesh.register()).tokens, await mesh.log_in()
    await change_password(mesh, here)
    with refused(UnauthenticatedError):
        await mesh.refresh(there.refresh_token)
    assert (await mesh.refresh(here.refresh_token)).access_token
    assert (await mesh.log_in(password=NEW)).access_token
    *_, told = await mesh.mailbox.expect(2)
    assert told.subject == "Your password was changed"


@pytest.mark.parametrize("kind", ["password", "email"])
async def test_the_password_until_now_is_asked_for_again_and_guesses_are_slowed_down(
    sqlite_mesh: UserMesh, kind: str
) -> None:
    tokens = (await sqlite_mesh.register()).tokens

    async def change(current: str) -> None:
        if kind == "password":
            await change_password(sqlite_mesh, tokens, current)
        else:
            await change_email(sqlite_mesh, tokens, "new@example.org", current)

    for number in range(5):
        with refused(BadCredentialsError, field="current_password"):
            await change(f"wrong password {number}")
    with refused(RateLimitedError):
        await change(PASSWORD)
    sqlite_mesh.clock.advance(2)
    await change(PASSWORD)


async def test_of_two_who_change_the_password_at_once_one_does(mesh: UserMesh) -> None:
    tokens = (await mesh.register()).tokens
    candidates = [f"a lantern above the harbour {number}" for number in range(4)]
    answers = await asyncio.gather(
        *(change_password(mesh, tokens, new=candidate) for candidate in candidates), return_exceptions=True
    )
    (kept,) = [candidate for candidate, answer in zip(candidates, answers, strict=True) if answer is None]
    assert (await mesh.log_in(password=kept)).access_token


async def test_a_new_address_counts_once_it_is_verified(mesh: UserMesh) -> None:
    here, there = (await mesh.register()).tokens, await mesh.log_in()
    await change_email(mesh, here, "new@Example.org")
    with refused(UnauthenticatedError):
        await mesh.refresh(there.refresh_token)
    assert (await mesh.user(here)).email == "ann@example.org"
    (letter,) = await mesh.mailbox.expect(1, "new@example.org")
    warned = (await mesh.mailbox.expect(2, "ann@example.org"))[1]
    assert warned.subject == "Your account is to move to another address"
    user = await verify(mesh, letter.token)
    assert (user.email, user.email_verified) == ("new@example.org", True)
    assert (await mesh.log_in("new@example.org")).access_token
    with refused(BadCredentialsError):
        await mesh.log_in("ann@example.org")


async def test_a_new_password_stops_a_change_of_address_that_somebody_else_asked_for(mesh: UserMesh) -> None:
    owner, thief = (await mesh.register()).tokens, await mesh.log_in()
    await change_email(mesh, thief, "thief@example.org")
    (letter,) = await mesh.mailbox.expect(1, "thief@example.org")
    owner = await mesh.log_in()
    await change_password(mesh, owner)
    with refused(UnauthenticatedError, field="token"):
        await verify(mesh, letter.token)
    assert (await mesh.user(owner)).email == "ann@example.org"


async def test_a_reset_link_to_an_address_that_was_given_up_works_no_more(mesh: UserMesh) -> None:
    tokens = (await mesh.register()).tokens
    await request_reset(mesh)
    old = (await mesh.mailbox.expect(2, "ann@example.org"))[1]
    await change_email(mesh, tokens, "new@example.org")
    (letter,) = await mesh.mailbox.expect(1, "new@example.org")
    await verify(mesh, letter.token)
    with refused(UnauthenticatedError, field="token"):
        await reset(mesh, old.token)


async def test_whether_another_account_has_the_new_address_is_not_told(mesh: UserMesh) -> None:
    ann = (await mesh.register()).tokens
    await mesh.register("bea@example.org")
    await mesh.mailbox.expect(2)
    await change_email(mesh, ann, "bea@example.org")
    await mesh.mailbox.expect(3)
    await mesh.mailbox.expect_no_more(3)
    assert len(mesh.mailbox.all("bea@example.org")) == 1


async def test_an_address_that_was_taken_meanwhile_is_refused_and_nothing_changes(mesh: UserMesh) -> None:
    ann = (await mesh.register()).tokens
    await change_email(mesh, ann, "new@example.org")
    (letter,) = await mesh.mailbox.expect(1, "new@example.org")
    await mesh.register("new@example.org")
    with refused(AlreadyExistsError, field="email"):
        await verify(mesh, letter.token)
    assert (await mesh.user(ann)).email == "ann@example.org"


async def test_ones_own_address_is_no_new_one(sqlite_mesh: UserMesh) -> None:
    tokens = (await sqlite_mesh.register()).tokens
    with refused(InvalidFieldError, field="email"):
        await change_email(sqlite_mesh, tokens, "ann@EXAMPLE.org")


async def test_a_guest_becomes_an_account_and_stays_the_same_person(mesh: UserMesh) -> None:
    guest = await mesh.guest()
    user = await upgrade(mesh, guest.tokens)
    assert (user.user_id, user.guest, user.email) == (guest.user.user_id, False, "ann@example.org")
    (letter,) = await mesh.mailbox.expect(1)
    assert (await verify(mesh, letter.token)).email_verified
    renewed = await mesh.refresh(guest.tokens.refresh_token)
    assert not (await mesh.verifier.verify(renewed.access_token)).guest
    assert (await mesh.user(await mesh.log_in())).user_id == guest.user.user_id


async def test_a_guest_who_became_an_account_logs_in_again_after_ninety_days(sqlite_mesh: UserMesh) -> None:
    tokens = (await sqlite_mesh.guest()).tokens
    await upgrade(sqlite_mesh, tokens)
    refresh = tokens.refresh_token
    for _ in range(3):
        sqlite_mesh.clock.advance(29 * 86_400)
        refresh = (await sqlite_mesh.refresh(refresh)).refresh_token
    sqlite_mesh.clock.advance(4 * 86_400)
    with refused(UnauthenticatedError):
        await sqlite_mesh.refresh(refresh)


async def test_a_guest_cannot_take_an_address_that_has_an_account_and_stays_a_guest(mesh: UserMesh) -> None:
    await mesh.register()
    guest = await mesh.guest()
    with refused(AlreadyExistsError, field="email"):
        await upgrade(mesh, guest.tokens)
    assert (await mesh.user(guest.tokens)).guest


async def test_an_account_is_not_upgraded_again(sqlite_mesh: UserMesh) -> None:
    tokens = (await sqlite_mesh.register()).tokens
    with refused(NotAllowedError):
        await upgrade(sqlite_mesh, tokens, "other@example.org")


async def test_of_several_upgrades_of_one_guest_at_once_one_is_done(mesh: UserMesh) -> None:
    tokens = (await mesh.guest()).tokens
    answers = await asyncio.gather(
        *(upgrade(mesh, tokens, f"ann{number}@example.org") for number in range(4)), return_exceptions=True
    )
    assert sum(isinstance(answer, user_pb.User) for answer in answers) == 1


async def test_a_guest_has_nothing_to_change(sqlite_mesh: UserMesh) -> None:
    tokens = (await sqlite_mesh.guest()).tokens
    for attempt in (
        change_password(sqlite_mesh, tokens),
        change_email(sqlite_mesh, tokens, "ann@example.org"),
        send_again(sqlite_mesh, tokens),
    ):
        with refused(NotAllowedError):
            await attempt
