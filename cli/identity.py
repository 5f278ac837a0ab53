"""The key by which the services of one installation know each other, and the keys that tokens are verified with."""

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

import grpc
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from mesh.errors import VivavoceError
from mesh.people_keys import people_keys
from mesh.tokens import Jwk, TokenSigner

_KID: Final = "services"

_log: Final = logging.getLogger(__name__)


def open_service_key(path: Path) -> TokenSigner:
    """Reads the key that service tokens are signed with; makes one that only its owner can read. Blocks."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _create(path)
    return TokenSigner(path.read_bytes(), _KID)


class SigningKeys:
    """The public keys by which callers are known: those people's tokens are signed with, and the services' own.

    Services that know each other by certificate have no key of their own.
    """

    def __init__(self, services: TokenSigner | None, user_channel: Callable[[], grpc.aio.Channel]) -> None:
        self._services = [services.jwk()] if services else []
        self._user_channel = user_channel

    async def __call__(self) -> list[Jwk]:
        """Fetches people's keys from the user service; only the services' own where that is away."""
        try:
            # Services that start together may ask before the user service listens.
            return [*self._services, *await people_keys(self._user_channel(), patient=True)]
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
