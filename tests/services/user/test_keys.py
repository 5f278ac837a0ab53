"""Signing keys as files."""

import os
import stat
from pathlib import Path

import pytest
from vivavoce.user.v1 import user_service_pb2 as service_pb

from mesh.clock import SystemClock
from mesh.testing import new_private_key_pem
from services.user.keys import open_refresh_secret, open_signing_keys
from services.user.settings import Settings
from tests.services.user.conftest import user_mesh


def test_keys_are_made_once_and_read_by_their_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    first, secret = open_signing_keys(folder, SystemClock()), open_refresh_secret(folder)
    assert open_signing_keys(folder, SystemClock()).signer.jwk() == first.signer.jwk()
    assert open_refresh_secret(folder) == secret
    assert sorted(path.name for path in folder.iterdir()) == ["refresh.key", "signing-1.pem"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_retired_key_is_listed_until_no_token_of_its_lives(tmp_path: Path) -> None:
    old = open_signing_keys(tmp_path, SystemClock()).signer.jwk()
    (tmp_path / "signing-2.pem").write_bytes(new_private_key_pem())
    os.utime(tmp_path / "signing-2.pem", (1000, 1000))
    keys = open_signing_keys(tmp_path, SystemClock())
    new = keys.signer.jwk()
    assert new["kid"] != old["kid"]
    assert keys.public(1599, 600) == [new, old]
    assert keys.public(1600, 600) == [new]


def test_a_file_that_holds_no_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "signing-1.pem").write_text("no key")
    with pytest.raises(ValueError, match="PEM"):
        open_signing_keys(tmp_path, SystemClock())


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
