"""Access tokens: who gets in, and the attacks that do not."""

import asyncio
import base64
import json
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from mesh.clock import VirtualClock
from mesh.errors import UnauthenticatedError, UnavailableError
from mesh.identity import Caller
from mesh.testing import new_authority, new_private_key_pem
from mesh.tokens import ServiceTokens, TokenSigner, TokenVerifier


async def test_a_person_token_tells_account_login_session_scopes_and_guest() -> None:
    authority = new_authority()
    token = authority.signer.sign("usr_1", claims={"sid": "ses_1", "scope": "talk read", "guest": True})
    assert await authority.verifier.verify(token) == Caller("usr_1", "ses_1", frozenset({"talk", "read"}), guest=True)


async def test_a_service_token_tells_the_service() -> None:
    authority = new_authority()
    tokens = ServiceTokens(authority.signer, "conversation")
    assert await authority.verifier.verify(tokens.current()) == Caller(service="conversation")


async def test_a_missing_token_has_its_own_reason() -> None:
    with pytest.raises(UnauthenticatedError) as caught:
        await new_authority().verifier.verify("")
    assert caught.value.reason == "TOKEN_MISSING"


async def test_a_token_is_refused_once_it_expired() -> None:
    clock = VirtualClock()
    authority = new_authority(clock)
    token = authority.signer.sign("usr_1", lifetime_s=600)
    clock.advance(600)
    await authority.verifier.verify(token)  # Within the leeway for clocks that differ.
    clock.advance(6)
    with pytest.raises(UnauthenticatedError, match="expired"):
        await authority.verifier.verify(token)


async def test_a_token_from_the_future_is_refused() -> None:
    ahead, clock = VirtualClock(), VirtualClock()
    ahead.advance(60)
    pem = new_private_key_pem()
    signer, here = TokenSigner(pem, "k", clock=ahead), TokenSigner(pem, "k", clock=clock)
    with pytest.raises(UnauthenticatedError):
        await _verifier([here], clock).verify(signer.sign("usr_1"))


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": "elsewhere"},
        {"aud": "vivavoce.internal"},
        {"aud": ["vivavoce", "vivavoce.internal"]},
        {"aud": None},
        {"iss": "elsewhere"},
        {"iss": None},
        {"sub": "service:conversation"},
        {"sub": "root"},
        {"sub": None},
        {"exp": None},
        {"exp": "never"},
        {"iat": None},
        {"nbf": 4_000_000_000},
    ],
    ids=str,
)
async def test_a_person_token_with_a_wrong_claim_is_refused(changed: dict[str, Any]) -> None:
    pem = new_private_key_pem()
    now = int(time.time())
    claims = {"iss": "vivavoce", "sub": "usr_1", "aud": "vivavoce", "iat": now, "exp": now + 60} | changed
    token = _forge({key: value for key, value in claims.items() if value is not None}, pem)
    with pytest.raises(UnauthenticatedError):
        await _verifier([TokenSigner(pem, "k")]).verify(token)


async def test_the_same_token_with_its_claims_unchanged_is_accepted() -> None:
    pem = new_private_key_pem()
    now = int(time.time())
    token = _forge({"iss": "vivavoce", "sub": "usr_1", "aud": "vivavoce", "iat": now, "exp": now + 60}, pem)
    assert (await _verifier([TokenSigner(pem, "k")]).verify(token)).user_id == "usr_1"


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
async def test_another_algorithm_is_refused(algorithm: str) -> None:
    pem = new_private_key_pem()
    signer = TokenSigner(pem, "k")
    header, payload, _ = signer.sign("usr_1").split(".")
    header = _encode({"alg": algorithm, "kid": "k", "typ": "JWT"})
    key = b"" if algorithm == "none" else signer.jwk()["x"].encode().ljust(32, b"=")
    signature = "" if algorithm == "none" else jwt.encode({}, key, "HS256").rsplit(".", 1)[1]
    with pytest.raises(UnauthenticatedError):
        await _verifier([signer]).verify(f"{header}.{payload}.{signature}")


async def test_a_key_with_a_known_id_but_another_secret_is_refused() -> None:
    ours, theirs = TokenSigner(new_private_key_pem(), "k"), TokenSigner(new_private_key_pem(), "k")
    with pytest.raises(UnauthenticatedError):
        await _verifier([ours]).verify(theirs.sign("usr_1"))


@pytest.mark.parametrize("text", ["x", "a.b.c", "..", "é.é.é", "e30.e30.", "\x00", "a" * 10_000])
async def test_rubbish_is_refused(text: str) -> None:
    with pytest.raises(UnauthenticatedError):
        await new_authority().verifier.verify(text)


async def test_a_rotated_key_is_fetched_once_it_is_met_but_not_for_every_forgery() -> None:
    clock = VirtualClock()
    old, new = (
        TokenSigner(new_private_key_pem(), "old", clock=clock),
        TokenSigner(new_private_key_pem(), "new", clock=clock),
    )
    known, fetches = [old], 0

    async def keys() -> list[dict[str, str]]:
        nonlocal fetches
        fetches += 1
        return [signer.jwk() for signer in known]

    verifier = TokenVerifier(keys, clock)
    await verifier.verify(old.sign("usr_1"))
    known.append(new)
    for _ in range(3):
        with pytest.raises(UnauthenticatedError):
            await verifier.verify(new.sign("usr_1"))
    assert fetches == 1
    clock.advance(5)
    assert (await verifier.verify(new.sign("usr_1"))).user_id == "usr_1"
    assert (await verifier.verify(old.sign("usr_1"))).user_id == "usr_1"
    assert fetches == 2


async def test_calls_that_come_while_the_keys_are_fetched_wait_for_them() -> None:
    signer, arrived, fetches = TokenSigner(new_private_key_pem(), "k"), asyncio.Event(), 0

    async def keys() -> list[dict[str, str]]:
        nonlocal fetches
        fetches += 1
        await arrived.wait()
        return [signer.jwk()]

    verifier = TokenVerifier(keys)
    calls = [asyncio.create_task(verifier.verify(signer.sign(f"usr_{number}"))) for number in range(5)]
    await asyncio.sleep(0)
    arrived.set()
    assert [(await call).user_id for call in calls] == [f"usr_{number}" for number in range(5)]
    assert fetches == 1


async def test_keys_that_could_not_be_fetched_are_fetched_by_the_next_call() -> None:
    signer, away = TokenSigner(new_private_key_pem(), "k"), True

    async def keys() -> list[dict[str, str]]:
        if away:
            raise UnavailableError("The user service can't be reached; try again.")
        return [signer.jwk()]

    verifier = TokenVerifier(keys)
    with pytest.raises(UnavailableError):
        await verifier.verify(signer.sign("usr_1"))
    away = False
    assert (await verifier.verify(signer.sign("usr_1"))).user_id == "usr_1"


def test_a_service_token_is_renewed_before_it_expires_and_not_earlier() -> None:
    clock = VirtualClock()
    tokens = ServiceTokens(new_authority(clock).signer, "media", clock, lifetime_s=300)
    first = tokens.current()
    clock.advance(149)
    assert tokens.current() == first
    clock.advance(1)
    assert tokens.current() != first


def test_the_published_key_holds_no_secret() -> None:
    pem = new_private_key_pem()
    key = load_pem_private_key(pem, None)
    assert isinstance(key, Ed25519PrivateKey)
    secret = base64.urlsafe_b64encode(key.private_bytes_raw()).rstrip(b"=").decode()
    published = TokenSigner(pem, "k").jwk()
    assert set(published) == {"kty", "crv", "alg", "use", "kid", "x"}
    assert secret not in published.values()


def _verifier(signers: list[TokenSigner], clock: VirtualClock | None = None) -> TokenVerifier:
    async def keys() -> list[dict[str, str]]:
        return [signer.jwk() for signer in signers]

    return TokenVerifier(keys, clock)


def _forge(claims: dict[str, Any], pem: bytes) -> str:
    """Signs what PyJWT's encoder would refuse to."""
    key = load_pem_private_key(pem, None)
    assert isinstance(key, Ed25519PrivateKey)
    signed = f"{_encode({'alg': 'EdDSA', 'kid': 'k', 'typ': 'JWT'})}.{_encode(claims)}"
    return f"{signed}.{base64.urlsafe_b64encode(key.sign(signed.encode())).rstrip(b'=').decode()}"


def _encode(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
