"""Forged and stale access tokens: not one gets in."""

import time

import pytest

from mesh.errors import UnauthenticatedError
from mesh.tokens import Jwk, TokenVerifier
from tests.mesh_runtime.conftest import EchoMesh
from tests.mesh_runtime.echo import new_echo
from tests.mesh_runtime.forgeries import FORGERIES, Forge, Forgery
from tests.services.calls import refused


@pytest.fixture(scope="module")
def forge() -> Forge:
    return Forge(int(time.time()))


def verifier(*keys: Jwk) -> TokenVerifier:
    async def known() -> list[Jwk]:
        return list(keys)

    return TokenVerifier(known)


async def test_the_real_token_is_taken(forge: Forge) -> None:
    caller = await verifier(forge.jwk).verify(forge.real_token())
    assert (caller.user_id, caller.login_session_id) == ("usr_1", "lgn_1")
    assert caller.scopes == {"talk", "read", "write"}


@pytest.mark.parametrize("forgery", FORGERIES, ids=lambda forgery: forgery.what)
async def test_a_forged_or_stale_token_is_refused(forgery: Forgery, forge: Forge) -> None:
    with pytest.raises(UnauthenticatedError) as caught:
        await verifier(forge.jwk).verify(forgery.make(forge))
    assert caught.value.reason in ("TOKEN_INVALID", "TOKEN_MISSING")
    assert "usr_" not in caught.value.message


def test_there_are_as_many_as_were_promised() -> None:
    assert len({forgery.what for forgery in FORGERIES}) == len(FORGERIES) >= 40


async def test_a_key_that_is_listed_for_something_else_signs_nothing(forge: Forge) -> None:
    rsa = {"kty": "RSA", "kid": "k", "n": "AQAB", "e": "AQAB", "alg": "RS256", "use": "sig"}
    for listed in (rsa, {**forge.jwk, "crv": "Ed448"}, {**forge.jwk, "x": "AA"}, {}):
        with pytest.raises(UnauthenticatedError):
            await verifier(listed).verify(forge.real_token())


@pytest.mark.parametrize("mesh", ["network"], indirect=True)
async def test_a_call_with_any_of_them_is_refused(mesh: EchoMesh, forge: Forge) -> None:
    for forgery in FORGERIES:
        token = forgery.make(forge)
        if len(token) > 4_000 or not token.isascii() or not token.isprintable():
            continue  # gRPC itself refuses to send these.
        with refused(UnauthenticatedError):
            await mesh.stub.SayMine(new_echo(), metadata=(("authorization", f"Bearer {token}"),))
