"""Signs and verifies access tokens: JWTs with EdDSA (Ed25519), for people and for services."""

import asyncio
import base64
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from mesh import access_keys
from mesh.access_keys import AccessKeys
from mesh.claims import holds, is_token, key_id
from mesh.clock import Clock, SystemClock
from mesh.errors import UnauthenticatedError
from mesh.identity import LEEWAY_S, Caller
from mesh.revocations import Revocations

PEOPLE: Final = "vivavoce"
SERVICES: Final = "vivavoce.internal"
ISSUER: Final = "vivavoce"
_ALGORITHM: Final = "EdDSA"
_REQUIRED: Final = ("iss", "sub", "aud", "exp", "iat")
_SERVICE_PREFIX: Final = "service:"
#: An unknown key id makes us ask for the keys again, but not more often than this.
_REFETCH_S: Final = 5.0

Jwk = dict[str, str]
Keys = Callable[[], Awaitable[list[Jwk]]]


class TokenSigner:
    """Signs tokens with one private key."""

    def __init__(
        self, private_key_pem: bytes | str, kid: str, issuer: str = ISSUER, clock: Clock | None = None
    ) -> None:
        pem = private_key_pem.encode() if isinstance(private_key_pem, str) else private_key_pem
        key = load_pem_private_key(pem, password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise ValueError(
                "The signing key is not an Ed25519 key; make one with `openssl genpkey -algorithm ed25519`."
            )
        self._key = key
        self._kid = kid
        self._issuer = issuer
        self._clock = clock or SystemClock()

    def sign(
        self, subject: str, audience: str = PEOPLE, lifetime_s: float = 600, claims: Mapping[str, object] | None = None
    ) -> str:
        """A token for `subject` that holds from now for `lifetime_s`.

        For people: subject `usr_…`, claims `sid` (login session), `scope` (words separated by spaces), `guest`.
        """
        now = self._clock.wall()
        payload: dict[str, Any] = {
            **(claims or {}),
            "iss": self._issuer,
            "sub": subject,
            "aud": audience,
            "iat": int(now.timestamp()),
            "exp": int((now + timedelta(seconds=lifetime_s)).timestamp()),
        }
        return jwt.encode(payload, self._key, algorithm=_ALGORITHM, headers={"kid": self._kid})

    def jwk(self) -> Jwk:
        """The public half, as a JSON Web Key."""
        raw = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        x = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
        return {"kty": "OKP", "crv": "Ed25519", "alg": _ALGORITHM, "use": "sig", "kid": self._kid, "x": x}


class TokenVerifier:
    """Verifies tokens offline with public keys it fetches by `keys` when it meets a key id it does not know.

    With `access_keys` a personal access token is as good as the access token it is exchanged for. With `revocations`
    what was ended is refused, and so known to whoever watches over streams.
    """

    def __init__(
        self,
        keys: Keys,
        clock: Clock | None = None,
        issuer: str = ISSUER,
        *,
        access_keys: AccessKeys | None = None,
        revocations: Revocations | None = None,
    ) -> None:
        self.revocations = revocations
        self._access_keys = access_keys
        self._fetch = keys
        self._clock = clock or SystemClock()
        self._issuer = issuer
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched_at: float | None = None
        self._fetching = asyncio.Lock()

    async def verify(self, token: str) -> Caller:
        """Who the token stands for.

        Raises:
            UnauthenticatedError: it is missing (TOKEN_MISSING), or malformed, forged, expired, revoked, or made for
                another use (TOKEN_INVALID; the message does not tell which to a forger).
            VivavoceError: the keys could not be fetched and none is cached that fits, or a personal access token
                could not be exchanged.
        """
        if not token:
            raise UnauthenticatedError("Sign in and send the access token with the call.", reason="TOKEN_MISSING")
        if self._access_keys is not None and token.startswith(access_keys.PREFIX):
            token = await self._access_keys.access_token(token)
        who = await self._verify(token)
        if self.revocations is not None:
            self.revocations.check(who)
        return who

    async def _verify(self, token: str) -> Caller:
        if not is_token(token):
            raise _refused()
        try:
            key = await self._key(key_id(jwt.get_unverified_header(token)))
            payload = jwt.decode(
                token,
                key,
                algorithms=[_ALGORITHM],
                audience=[PEOPLE, SERVICES],
                issuer=self._issuer,
                # Times are checked below, by our own clock.
                options={"require": list(_REQUIRED), "verify_exp": False, "verify_iat": False, "verify_nbf": False},
            )
        except (jwt.InvalidTokenError, jwt.PyJWKError) as error:
            raise _refused() from error
        match holds(payload, self._clock.wall().timestamp(), LEEWAY_S):
            case None:
                raise _refused()
            case False:
                raise UnauthenticatedError("The access token has expired; refresh it and repeat the call.")
            case True:
                return _caller(payload)

    async def _key(self, kid: str) -> jwt.PyJWK:
        if kid not in self._keys:
            # Whoever comes while the keys are on their way waits for them, too.
            async with self._fetching:
                if kid not in self._keys and self._may_fetch():
                    self._keys = _usable(await self._fetch())
                    self._fetched_at = self._clock.now()
        try:
            return self._keys[kid]
        except KeyError:
            raise _refused() from None

    def _may_fetch(self) -> bool:
        return self._fetched_at is None or self._clock.now() - self._fetched_at >= _REFETCH_S


class ServiceTokens:
    """The token a service shows to others, renewed before it expires."""

    def __init__(self, signer: TokenSigner, service: str, clock: Clock | None = None, lifetime_s: float = 300) -> None:
        self._signer = signer
        self._service = service
        self._clock = clock or SystemClock()
        self._lifetime_s = lifetime_s
        self._token = ""
        self._renew_at = 0.0

    def current(self) -> str:
        """A token with at least half of its life left."""
        now = self._clock.now()
        if not self._token or now >= self._renew_at:
            self._token = self._signer.sign(f"{_SERVICE_PREFIX}{self._service}", SERVICES, self._lifetime_s)
            self._renew_at = now + self._lifetime_s / 2
        return self._token


def _caller(payload: Mapping[str, Any]) -> Caller:
    subject, audience = str(payload["sub"]), payload["aud"]
    if subject.startswith(_SERVICE_PREFIX):
        if audience != SERVICES:
            raise _refused()
        return Caller(service=subject.removeprefix(_SERVICE_PREFIX))
    if audience != PEOPLE or not subject.startswith("usr_"):
        raise _refused()
    return Caller(
        user_id=subject,
        login_session_id=str(payload.get("sid", "")),
        scopes=frozenset(str(payload.get("scope", "")).split()),
        guest=payload.get("guest") is True,
        expires_at=float(payload["exp"]),
    )


def _usable(jwks: list[Jwk]) -> dict[str, jwt.PyJWK]:
    """The keys by their ids; what is no Ed25519 key is none."""
    usable: dict[str, jwt.PyJWK] = {}
    for jwk in jwks:
        if jwk.get("kty") == "OKP" and jwk.get("crv") == "Ed25519" and jwk.get("kid"):
            with contextlib.suppress(jwt.PyJWTError):
                usable[jwk["kid"]] = jwt.PyJWK(dict(jwk), algorithm=_ALGORITHM)
    return usable


def _refused() -> UnauthenticatedError:
    return UnauthenticatedError("The access token is not valid here; sign in again.")
