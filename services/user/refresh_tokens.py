"""Makes refresh tokens, and from each the one that follows it."""

import base64
import hashlib
import hmac
import secrets
from typing import Final

_PREFIX: Final = "vvr_"


class RefreshTokens:
    """A token's successor follows from it and the server's secret, so that it can be returned twice and kept nowhere.

    Without the secret nobody, not even the holder of a token, knows the next one.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def fresh(self) -> str:
        """A token that follows from nothing: 256 random bits."""
        return _written(secrets.token_bytes(32))

    def first(self, user_id: str, registration_id: str) -> str:
        """The first token of a registration: the same for a repeated call, fresh for one that can't be repeated."""
        if not registration_id:
            return self.fresh()
        return self._derived("registration", f"{user_id}\0{registration_id}")

    def successor(self, token: str) -> str:
        """The token that follows."""
        return self._derived("successor", token)

    def _derived(self, purpose: str, seed: str) -> str:
        return _written(hmac.digest(self._secret, f"{purpose}\0{seed}".encode(), "sha256"))


def hash_of(token: str) -> bytes:
    """What is kept of a token. A fast hash will do: 256 random bits can't be guessed."""
    return hashlib.sha256(token.encode()).digest()


def _written(raw: bytes) -> str:
    return _PREFIX + base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
