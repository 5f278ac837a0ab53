"""Personal access tokens where access tokens are taken: exchanged, remembered for a minute, and revoked."""

import asyncio
from dataclasses import dataclass, field

import pytest

from mesh import access_keys
from mesh.access_keys import AccessKeys
from mesh.clock import VirtualClock
from mesh.errors import UnauthenticatedError, UnavailableError, VivavoceError
from mesh.identity import Caller
from mesh.revocations import News, Revocations
from mesh.testing import new_authority, no_leaked_tasks
from mesh.tokens import TokenVerifier


@dataclass
class Exchange:
    """Exchanges tokens as the user service would; slow where `open` is cleared."""

    asked: list[str] = field(default_factory=list)
    error: VivavoceError | None = None
    open: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.open.set()

    async def __call__(self, key: str) -> str:
        self.asked.append(key)
        await self.open.wait()
        if self.error is not None:
            raise self.error
        return f"token {len(self.asked)} for {key}"


async def test_fifty_calls_at_once_make_one_exchange_which_holds_for_a_minute() -> None:
    clock, exchange = VirtualClock(), Exchange()
    keys = AccessKeys(exchange, clock)
    assert set(await asyncio.gather(*(keys.access_token("vvk_a") for _ in range(50)))) == {"token 1 for vvk_a"}
    clock.advance(59)
    await keys.access_token("vvk_a")
    assert len(exchange.asked) == 1
    clock.advance(1)
    assert await keys.access_token("vvk_a") == "token 2 for vvk_a"


async def test_who_leaves_during_an_exchange_takes_nobody_with_them() -> None:
    exchange = Exchange()
    keys = AccessKeys(exchange, VirtualClock())
    exchange.open.clear()
    async with no_leaked_tasks():
        first, second = (asyncio.create_task(keys.access_token("vvk_a")) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.sleep(0)
        exchange.open.set()
        assert await second == "token 1 for vvk_a"


async def test_a_refusal_is_told_to_all_who_wait_and_not_remembered() -> None:
    exchange = Exchange(error=UnauthenticatedError("No."))
    keys = AccessKeys(exchange, VirtualClock())
    outcomes = await asyncio.gather(*(keys.access_token("vvk_a") for _ in range(5)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [UnauthenticatedError] * 5
    exchange.error = None
    assert await keys.access_token("vvk_a") == "token 2 for vvk_a"


async def test_the_oldest_are_forgotten_when_too_many_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_keys, "_BOUND", 2)
    exchange = Exchange()
    keys = AccessKeys(exchange, VirtualClock())
    for key in ("vvk_a", "vvk_b", "vvk_c", "vvk_c", "vvk_b", "vvk_a"):
        await keys.access_token(key)
    assert exchange.asked == ["vvk_a", "vvk_b", "vvk_c", "vvk_a"]


async def test_a_personal_access_token_is_as_good_as_the_access_token_it_stands_for_until_it_is_revoked() -> None:
    clock = VirtualClock()
    authority = new_authority(clock)
    ended: list[str] = []

    async def exchange(_: str) -> str:
        return authority.user_token("usr_1", "talk", sid="key_1", lifetime_s=300)

    async def since(_: object) -> News:
        return News(ended, clock.wall())

    async def keys() -> list[dict[str, str]]:
        return [authority.signer.jwk()]

    async with Revocations(since, clock) as revocations:
        verifier = TokenVerifier(keys, clock, access_keys=AccessKeys(exchange, clock), revocations=revocations)
        assert await verifier.verify("vvk_a") == Caller("usr_1", "key_1", frozenset({"talk"}))
        ended.append("key_1")
        await clock.elapse(5)
        with pytest.raises(UnauthenticatedError):
            await verifier.verify("vvk_a")


async def test_where_the_user_service_is_away_a_personal_access_token_is_unavailable_not_invalid() -> None:
    exchange = Exchange(error=UnavailableError("The user service is away."))
    authority = new_authority()

    async def keys() -> list[dict[str, str]]:
        return [authority.signer.jwk()]

    verifier = TokenVerifier(keys, access_keys=AccessKeys(exchange, VirtualClock()))
    with pytest.raises(UnavailableError):
        await verifier.verify("vvk_a")


async def test_where_nobody_exchanges_them_personal_access_tokens_are_refused() -> None:
    with pytest.raises(UnauthenticatedError):
        await new_authority().verifier.verify("vvk_a")
