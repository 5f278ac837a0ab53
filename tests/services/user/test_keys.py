"""Signing keys as files, and their change while everything runs."""

import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jwt
import pytest
from vivavoce.user.v1 import user_service_pb2 as service_pb

from mesh.clock import VirtualClock
from mesh.errors import UnauthenticatedError
from mesh.testing import until
from services.user.keys import SigningKeys, open_refresh_secret, open_signing_keys, rotate
from services.user.settings import Settings
from tests.services.calls import refused
from tests.services.user.conftest import UserMesh, user_mesh

DAY_S = 86_400


def keys_at(folder: Path, clock: VirtualClock) -> SigningKeys:
    return open_signing_keys(folder, clock, token_life_s=600)


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("signing-*.pem"))


def kid_of(token: str) -> str:
    return str(jwt.get_unverified_header(token)["kid"])


def test_keys_are_made_once_and_read_by_their_owner_only(tmp_path: Path) -> None:
    folder, clock = tmp_path / "keys", VirtualClock()
    first, secret = keys_at(folder, clock), open_refresh_secret(folder)
    assert keys_at(folder, clock).signer.jwk() == first.signer.jwk()
    assert open_refresh_secret(folder) == secret
    assert sorted(path.name for path in folder.iterdir()) == ["refresh.key", "signing-1.pem"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_new_key_is_listed_before_it_signs_and_the_old_one_until_no_token_of_its_lives(tmp_path: Path) -> None:
    clock = VirtualClock()
    old = keys_at(tmp_path, clock).signer.jwk()
    clock.advance(100)
    rotate(tmp_path, clock)
    keys = keys_at(tmp_path, clock)
    new = keys.public()[1]
    assert keys.public() == [old, new]
    assert keys.signer.jwk() == old
    clock.advance(10)
    assert keys.signer.jwk() == new
    assert keys.public() == [new, old]
    clock.advance(604)
    assert keys.public() == [new, old]
    clock.advance(1)
    assert keys.public() == [new]


def test_keys_made_at_once_are_whole_and_all_listed(tmp_path: Path) -> None:
    clock = VirtualClock()
    keys_at(tmp_path, clock)
    with ThreadPoolExecutor(8) as threads:
        made = set(threads.map(lambda _: rotate(tmp_path, clock), range(8)))
    assert sorted(path.name for path in made) == files(tmp_path)[1:]
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]
    assert len(keys_at(tmp_path, clock).public()) == len(files(tmp_path))


async def test_a_running_service_takes_a_new_key_up_and_removes_the_worn_out_one(tmp_path: Path) -> None:
    clock = VirtualClock()
    keys = keys_at(tmp_path, clock)
    old = keys.signer.jwk()
    async with keys:
        clock.advance(100)
        rotate(tmp_path, clock)
        await _look(clock, lambda: len(keys.public()) == 2)
        await _look(clock, lambda: keys.signer.jwk() != old)
        clock.advance(620)
        await _look(clock, lambda: files(tmp_path) == ["signing-2.pem"])
        assert len(keys.public()) == 1


async def test_a_key_of_its_age_is_followed_by_the_next(tmp_path: Path) -> None:
    clock = VirtualClock()
    async with open_signing_keys(tmp_path, clock, token_life_s=600, max_age_s=90 * DAY_S) as keys:
        old = keys.signer.jwk()
        clock.advance(89 * DAY_S)
        await _look(clock, lambda: files(tmp_path) == ["signing-1.pem"])
        clock.advance(2 * DAY_S)
        await _look(clock, lambda: keys.signer.jwk() != old)
        assert files(tmp_path)[-1] == "signing-2.pem"


async def test_a_file_that_is_half_copied_stops_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    clock = VirtualClock()
    async with keys_at(tmp_path, clock) as keys:
        old = keys.signer.jwk()
        (tmp_path / "signing-2.pem").write_text("-----BEGIN PRIV")
        await _look(clock, lambda: "signing keys can't be read" in caplog.text)
        assert keys.signer.jwk() == old


def test_a_file_that_holds_no_key_is_refused_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "signing-1.pem").write_text("no key")
    with pytest.raises(ValueError, match="PEM"):
        keys_at(tmp_path, VirtualClock())


async def test_after_a_change_of_keys_old_and_new_tokens_are_accepted_without_a_restart(
    tmp_path: Path, sqlite_mesh: UserMesh
) -> None:
    old = (await sqlite_mesh.register()).tokens
    assert (await sqlite_mesh.user(old)).user_id
    rotate(tmp_path / "data" / "keys", sqlite_mesh.clock)
    new = old
    for _ in range(200):
        sqlite_mesh.clock.advance(1)
        new = await sqlite_mesh.refresh(new.refresh_token)
        assert (await sqlite_mesh.user(new)).user_id
        if kid_of(new.access_token) != kid_of(old.access_token):
            break
    assert kid_of(new.access_token) != kid_of(old.access_token)
    assert (await sqlite_mesh.user(old)).user_id
    sqlite_mesh.clock.advance(700)
    with refused(UnauthenticatedError, reason="TOKEN_INVALID"):
        await sqlite_mesh.user(old)


async def test_tokens_outlive_a_restart(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    async with user_mesh(settings) as before:
        guest = await before.guest()
    async with user_mesh(settings) as after:
        assert await after.user(guest.tokens) == guest.user
        assert (await after.refresh(guest.tokens.refresh_token)).login_session_id == guest.tokens.login_session_id


async def test_the_listed_keys_hold_no_private_part(tmp_path: Path) -> None:
    async with user_mesh(Settings(data_dir=tmp_path)) as mesh:
        (key,) = (await mesh.stub.ListSigningKeys(service_pb.ListSigningKeysRequest())).keys
    assert (key.kty, key.crv, key.alg, key.use) == ("OKP", "Ed25519", "EdDSA", "sig")
    assert len(key.kid) == len(key.x) == 43


async def _look(clock: VirtualClock, holds: Callable[[], bool]) -> None:
    """Lets the watch look at the folder until `holds`; reading happens in a thread, beside the clock."""

    def looked() -> bool:
        clock.advance(5)
        return holds()

    await until(looked, within_s=20)
