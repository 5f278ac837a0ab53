"""What a process knows callers by: the key that the services of one installation share, and the user service."""

import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from mesh.access_keys import AccessKeys
from mesh.clock import Clock
from mesh.errors import VivavoceError
from mesh.revocations import Revocations
from mesh.tokens import Jwk, TokenSigner, TokenVerifier
from mesh.user_service import UserService

_KID: Final = "services"

_log: Final = logging.getLogger(__name__)


def open_service_key(path: Path) -> TokenSigner:
    """Reads the key that service tokens are signed with; makes one that only its owner can read. Blocks."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _create(path)
    return TokenSigner(path.read_bytes(), _KID)


@asynccontextmanager
async def open_verifier(
    signer: TokenSigner | None, user_service: UserService, clock: Clock
) -> AsyncIterator[TokenVerifier]:
    """What one process knows callers by, for the length of the block: one for all that it hosts."""
    async with Revocations(user_service.ended_since, clock) as revocations:
        yield TokenVerifier(
            SigningKeys(signer, user_service),
            clock,
            access_keys=AccessKeys(user_service.exchange, clock),
            revocations=revocations,
        )


class SigningKeys:
    """The public keys by which callers are known: those people's tokens are signed with, and the services' own.

    Services that know each other by certificate have no key of their own.
    """

    def __init__(self, services: TokenSigner | None, user_service: UserService) -> None:
        self._services = [services.jwk()] if services else []
        self._user_service = user_service

    async def __call__(self) -> list[Jwk]:
        """Fetches people's keys from the user service; only the services' own where that is away."""
        try:
            # Services that start together may ask before the user service listens.
            return [*self._services, *await self._user_service.signing_keys(patient=True)]
        except VivavoceError as error:
            _log.warning("signing keys can't be fetched", extra={"reason": error.reason})
            return self._services


def _create(path: Path) -> None:
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    part = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(pem)
    try:
        # The first of several processes that start together wins, and all read the same key.
        path.hardlink_to(part)
    except FileExistsError:
        return
    finally:
        part.unlink()
