"""Which passwords may be set."""

import contextlib
import time

import pytest
from vivavoce.user.v1 import user_pb2 as user_pb
from vivavoce.user.v1 import user_service_pb2 as service_pb

from mesh.errors import BadCredentialsError, InvalidFieldError
from services.user.password_policy import open_policy
from tests.services.calls import refused
from tests.services.user.conftest import UserMesh


@pytest.mark.parametrize(
    "password", ["qwerty123456", "1qaz2wsx3edc", "Mailcreated5240", "MAILCREATED5240", "zUROcELiFOhI"]
)
def test_a_password_that_was_stolen_elsewhere_is_refused(password: str) -> None:
    with pytest.raises(InvalidFieldError, match="stolen elsewhere") as caught:
        open_policy().check(password, (), "password")
    assert caught.value.field == "password"


@pytest.mark.parametrize(
    "password", ["aaaaaaaaaaaaaaaa", "abcabcabcabcabcabc", "passwordpassword1", "abcdefghijklmnop"]
)
def test_a_password_that_is_easy_to_guess_is_refused(password: str) -> None:
    with pytest.raises(InvalidFieldError):
        open_policy().check(password, (), "new_password")


@pytest.mark.parametrize("password", ["florentine-2024", "florentineflorentine", "florentine@papaver.org"])
def test_a_password_made_of_what_others_know_of_its_owner_is_refused(password: str) -> None:
    policy = open_policy()
    with pytest.raises(InvalidFieldError, match="easy to guess"):
        policy.check(password, ("florentine@papaver.org", "Florentine"), "password")


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "kein Zeichen muss sein",
        "пароль из четырёх слов",
        "面白い長い合言葉ですよね、はい",
        "q" * 3 + "W8-tellurium" * 4,
    ],
)
def test_no_kind_of_character_is_asked_for(password: str) -> None:
    open_policy().check(password, ("ann@example.org",), "password")


def test_the_longest_password_is_judged_within_a_moment() -> None:
    policy, begun = open_policy(), time.process_time()
    for password in ("p@ssw0rd" * 32, "x" * 256, "4bcd3fgh!jk1mn0pqr5tuvwxyz" * 9, "1l|!i$5s0O" * 25):
        with contextlib.suppress(InvalidFieldError):
            policy.check(password, (), "password")
    assert time.process_time() - begun < 2.0


@pytest.mark.parametrize("length", [64, 256])
async def test_a_long_password_is_taken_whole(sqlite_mesh: UserMesh, length: int) -> None:
    password = ("correct horse battery staple; " * 9)[:length]
    await sqlite_mesh.stub.RegisterUser(service_pb.RegisterUserRequest(email="ann@example.org", password=password))
    assert (await sqlite_mesh.log_in(password=password)).access_token
    with refused(BadCredentialsError):
        await sqlite_mesh.log_in(password=password[:-1] + "?")


async def test_who_registers_with_their_own_name_is_told_what_to_do(sqlite_mesh: UserMesh) -> None:
    request = service_pb.RegisterUserRequest(
        email="ann@example.org",
        password="Florentine Papaver",
        profile=user_pb.Profile(display_name="Florentine Papaver"),
    )
    with refused(InvalidFieldError, field="password") as refusal:
        await sqlite_mesh.stub.RegisterUser(request)
    assert refusal.error is not None
    assert "take a few words" in refusal.error.message
