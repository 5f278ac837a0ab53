"""How often one place may ask for what costs something."""

from pathlib import Path

import pytest

from mesh.errors import InvalidFieldError, RateLimitedError
from services.user.settings import Settings
from tests.services.calls import refused
from tests.services.user.conftest import user_mesh


async def test_one_network_is_bounded_and_others_are_not(
    tmp_path: Path, sqlite_url: str, ephemeral_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIVAVOCE_EPHEMERAL_URL", ephemeral_url)
    settings = Settings(data_dir=tmp_path, database_url=sqlite_url, login_rate="2/hour", refresh_rate="1/hour")
    async with user_mesh(settings) as mesh:
        tokens = (await mesh.register()).tokens
        for address in ("198.51.100.1", "198.51.100.2"):
            await mesh.log_in(at=address)
        with refused(RateLimitedError) as refusal:
            await mesh.log_in(at="198.51.100.3")
        assert refusal.error is not None
        assert int(refusal.error.metadata["retry_after_s"]) > 0
        assert (await mesh.log_in(at="203.0.113.1")).access_token
        renewed = await mesh.refresh(tokens.refresh_token)
        with refused(RateLimitedError):
            await mesh.refresh(renewed.refresh_token)


async def test_registrations_and_guests_are_bounded(tmp_path: Path, sqlite_url: str) -> None:
    settings = Settings(data_dir=tmp_path, database_url=sqlite_url, register_rate="1/hour", guest_rate="1/hour")
    async with user_mesh(settings) as mesh:
        await mesh.register()
        with refused(RateLimitedError):
            await mesh.register("bea@example.org")
        await mesh.guest()
        with refused(RateLimitedError):
            await mesh.guest()


async def test_a_rate_that_cannot_be_read_is_told_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(InvalidFieldError, match='"often" is not a rate'):
        async with user_mesh(Settings(data_dir=tmp_path, login_rate="often")):
            pass


async def test_a_store_that_is_none_is_told_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIVAVOCE_EPHEMERAL_URL", "carrier-pigeon://loft")
    with pytest.raises(InvalidFieldError, match="VIVAVOCE_EPHEMERAL_URL names no store"):
        async with user_mesh(Settings(data_dir=tmp_path)):
            pass
