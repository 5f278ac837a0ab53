"""Accounts through the real service: register, log in, guests, profiles."""

import logging

import pytest
from vivavoce.type.v1 import learner_pb2 as learner_pb
from vivavoce.user.v1 import user_pb2 as user_pb
from vivavoce.user.v1 import user_service_pb2 as service_pb

from mesh.errors import (
    AlreadyExistsError,
    BadCredentialsError,
    InvalidFieldError,
    NotFoundError,
    UnauthenticatedError,
)
from tests.services.calls import refused
from tests.services.user.conftest import PASSWORD, UserMesh


async def test_who_registers_is_logged_in_and_can_log_in_again(mesh: UserMesh) -> None:
    registered = await mesh.register("Ann@Example.ORG", client="test 1.0")
    assert registered.user.email == "Ann@example.org"
    assert registered.user.role == user_pb.ROLE_LEARNER
    assert await mesh.user(registered.tokens) == registered.user
    assert await mesh.user(await mesh.log_in("ann@example.org")) == registered.user


async def test_the_access_token_says_who_and_what_for_ten_minutes(mesh: UserMesh) -> None:
    registered = await mesh.register()
    known = await mesh.verifier.verify(registered.tokens.access_token)
    assert (known.user_id, known.guest) == (registered.user.user_id, False)
    assert known.login_session_id == registered.tokens.login_session_id
    assert known.scopes == {"talk", "read", "write"}
    assert registered.tokens.access_lifetime.seconds == 600
    mesh.clock.advance(610)
    with refused(UnauthenticatedError, reason="TOKEN_INVALID"):
        await mesh.user(registered.tokens)


async def test_an_address_has_one_account_however_it_is_capitalised(mesh: UserMesh) -> None:
    await mesh.register("ann@example.org")
    with refused(AlreadyExistsError, field="email"):
        await mesh.register("ANN@Example.org")


async def test_a_repeated_registration_gives_the_first_answer(mesh: UserMesh) -> None:
    first = await mesh.register(request_id="once")
    again = await mesh.register(request_id="once")
    assert again.user == first.user
    assert again.tokens.refresh_token == first.tokens.refresh_token
    assert again.tokens.login_session_id == first.tokens.login_session_id


async def test_a_repeated_registration_without_the_password_gives_nothing(mesh: UserMesh) -> None:
    await mesh.register(request_id="once")
    guess = service_pb.RegisterUserRequest(email="ann@example.org", password="another password", request_id="once")
    with refused(AlreadyExistsError):
        await mesh.stub.RegisterUser(guess)


async def test_a_registration_is_not_repeated_after_a_day(mesh: UserMesh) -> None:
    await mesh.register(request_id="once")
    mesh.clock.advance(86_401)
    with refused(AlreadyExistsError):
        await mesh.register(request_id="once")


async def test_a_wrong_password_and_an_unknown_address_are_answered_alike(mesh: UserMesh) -> None:
    await mesh.register()
    with refused(BadCredentialsError) as wrong:
        await mesh.log_in(password="wrong password!")
    with refused(BadCredentialsError) as unknown:
        await mesh.log_in("nobody@example.org")
    assert wrong.error is not None
    assert unknown.error is not None
    assert (wrong.error.message, wrong.error.metadata) == (unknown.error.message, unknown.error.metadata)


async def test_a_short_password_is_refused(sqlite_mesh: UserMesh) -> None:
    with refused(InvalidFieldError, field="password"):
        await sqlite_mesh.stub.RegisterUser(
            service_pb.RegisterUserRequest(email="ann@example.org", password="elevenchars")
        )


@pytest.mark.parametrize("email", ["", "ann", "ann@", "ann@example.org\x00", "a" * 250 + "@example.org"])
async def test_what_is_no_address_is_refused(sqlite_mesh: UserMesh, email: str) -> None:
    with refused(InvalidFieldError, field="email"):
        await sqlite_mesh.register(email)


async def test_a_guest_has_no_address_and_may_talk(mesh: UserMesh) -> None:
    guest = await mesh.guest()
    assert guest.user.guest
    assert guest.user.email == ""
    known = await mesh.verifier.verify(guest.tokens.access_token)
    assert known.guest
    assert known.scopes == {"talk", "read", "write"}


async def test_a_client_name_of_any_characters_is_taken(mesh: UserMesh) -> None:
    await mesh.stub.CreateGuest(service_pb.CreateGuestRequest(client="odd\x00name 😀"))


async def test_a_profile_changes_by_the_fields_of_the_mask(mesh: UserMesh) -> None:
    tokens = (await mesh.guest()).tokens
    profile = user_pb.Profile(display_name="Ann", level=learner_pb.CEFR_LEVEL_B1, goals=["order coffee"])
    await mesh.update(tokens, profile, "display_name", "goals")
    await mesh.update(tokens, user_pb.Profile(time_zone="Europe/Paris", goals=["ignored"]), "time_zone")
    kept = (await mesh.user(tokens)).profile
    assert kept == user_pb.Profile(display_name="Ann", goals=["order coffee"], time_zone="Europe/Paris")


@pytest.mark.parametrize(
    ("profile", "path", "field"),
    [
        (user_pb.Profile(), "shoe_size", "update_mask"),
        (user_pb.Profile(time_zone="Europe/Atlantis"), "time_zone", "profile.time_zone"),
        (user_pb.Profile(time_zone="../../etc/passwd"), "time_zone", "profile.time_zone"),
        (user_pb.Profile(native_language="not a tag"), "native_language", "profile.native_language"),
        (user_pb.Profile(display_name="x" * 101), "display_name", "profile.display_name"),
    ],
)
async def test_a_profile_that_breaks_a_rule_is_refused(
    sqlite_mesh: UserMesh, profile: user_pb.Profile, path: str, field: str
) -> None:
    tokens = (await sqlite_mesh.guest()).tokens
    with refused(InvalidFieldError, field=field):
        await sqlite_mesh.update(tokens, profile, path)


async def test_each_sees_themselves_only(mesh: UserMesh) -> None:
    ann, bea = await mesh.guest(), await mesh.guest()
    assert await mesh.user(ann.tokens) == ann.user
    assert await mesh.user(bea.tokens) == bea.user


async def test_nobody_is_seen_without_a_token(sqlite_mesh: UserMesh) -> None:
    with refused(UnauthenticatedError, reason="TOKEN_MISSING"):
        await sqlite_mesh.stub.GetUser(service_pb.GetUserRequest())


async def test_logs_hold_neither_addresses_nor_passwords_nor_tokens(
    mesh: UserMesh, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    registered = await mesh.register()
    renewed = await mesh.refresh(registered.tokens.refresh_token)
    with refused(AlreadyExistsError):
        await mesh.register()
    with refused(BadCredentialsError):
        await mesh.log_in(password="wrong password!")
    written = "\n".join(str(record.__dict__) for record in caplog.records)
    assert "user registered" in written
    for secret in ("ann@", PASSWORD, "wrong password", renewed.access_token, registered.tokens.refresh_token, "vvr_"):
        assert secret not in written


async def test_whether_a_person_may_be_recorded_is_told_as_it_stands(mesh: UserMesh) -> None:
    tokens = (await mesh.register()).tokens
    user_id = (await mesh.user(tokens)).user_id
    told = []
    for consent in (False, True, False):
        await mesh.update(tokens, user_pb.Profile(recording_consent=consent), "recording_consent")
        told.append(await may_record(mesh, user_id))
    assert told == [False, True, False]


async def test_nobody_agrees_to_anything_who_is_not_there(mesh: UserMesh) -> None:
    with refused(NotFoundError):
        await may_record(mesh, "usr_nobody")


async def may_record(mesh: UserMesh, user_id: str) -> bool:
    request = service_pb.GetConsentRequest(user_id=user_id)
    answer = await mesh.stub.GetConsent(request, metadata=mesh.authority.service_metadata("conversation"))
    return answer.recording
