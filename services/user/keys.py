"""The secrets of the user service as files: keys that sign access tokens, and the one refresh tokens descend by."""

import asyncio
import base64
import hashlib
import json
import logging
import os
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from mesh.clock import Clock
from mesh.tokens import Jwk, TokenSigner

_SIGNING: Final = re.compile(r"signing-(\d+)\.pem")
_REFRESH: Final = "refresh.key"
#: Longer than the least time between two looks of a service for keys it does not know.
ANNOUNCED_S: Final = 10.0
_LOOK_EVERY_S: Final = 5.0
#: A token is accepted a little beyond its end, for clocks that differ.
_LEEWAY_S: Final = 5.0

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key, the file it is in, and when it was made."""

    signer: TokenSigner
    file: Path
    made_s: float


class SigningKeys:
    """The keys in a folder, `signing-1.pem` and up, which it follows within its `async with` block.

    A new key is listed at once and signs after `ANNOUNCED_S`, so that no service meets a token whose key it could not
    have fetched. The key before it stays listed until no token of its lives; then its file is removed. Where the newest
    is older than `max_age_s` (0: never) the next one is made. Replicas share the folder.
    """

    def __init__(
        self, folder: Path, keys: Sequence[SigningKey], clock: Clock, *, token_life_s: float, max_age_s: float = 0
    ) -> None:
        self._folder = folder
        self._keys = keys
        self._clock = clock
        self._token_life_s = token_life_s + _LEEWAY_S
        self._max_age_s = max_age_s
        self._watching: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Begins to follow the folder."""
        self._watching = asyncio.create_task(self._watch(), name="signing keys")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stops following it."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait([self._watching])

    @property
    def signer(self) -> TokenSigner:
        """The key that signs now."""
        return self._keys[self._current()].signer

    def public(self) -> list[Jwk]:
        """The keys by which a living token may be signed, or soon will be; the current one first."""
        current, oldest = self._current(), self._oldest_listed()
        order = [current, *range(current + 1, len(self._keys)), *range(current - 1, oldest - 1, -1)]
        return [self._keys[index].signer.jwk() for index in order]

    def _current(self) -> int:
        """The last that was announced long enough; the first where none was."""
        announced = [
            index for index, key in enumerate(self._keys) if index == 0 or key.made_s + ANNOUNCED_S <= self._now_s()
        ]
        return announced[-1]

    def _oldest_listed(self) -> int:
        """The first of which a token may live: one that the next did not replace that long ago."""
        current = self._current()
        living = [
            index
            for index in range(current)
            if self._now_s() < self._keys[index + 1].made_s + ANNOUNCED_S + self._token_life_s
        ]
        return min(living, default=current)

    async def _watch(self) -> None:
        while True:
            await self._clock.sleep(_LOOK_EVERY_S)
            try:
                self._keys = await asyncio.to_thread(self._look)
            except (OSError, ValueError) as error:
                # The keys that are known go on: a half-copied file is whole at the next look.
                _log.warning("signing keys can't be read", extra={"error": type(error).__name__})

    def _look(self) -> Sequence[SigningKey]:
        keys = _read(self._folder, self._clock)
        if self._max_age_s and self._now_s() - keys[-1].made_s > self._max_age_s:
            rotate(self._folder, self._clock)
            keys = _read(self._folder, self._clock)
        self._keys = keys
        for key in keys[: self._oldest_listed()]:
            key.file.unlink(missing_ok=True)
            _log.info("worn-out signing key removed", extra={"file": key.file.name})
        return keys[self._oldest_listed() :]

    def _now_s(self) -> float:
        return self._clock.wall().timestamp()


def open_signing_keys(folder: Path, clock: Clock, *, token_life_s: float, max_age_s: float = 0) -> SigningKeys:
    """Reads the keys below `folder`; makes the first one where there is none. Blocks.

    Raises:
        ValueError: a file holds no Ed25519 key.
    """
    _make_private(folder)
    if not _numbered(folder):
        rotate(folder, clock)
    return SigningKeys(folder, _read(folder, clock), clock, token_life_s=token_life_s, max_age_s=max_age_s)


def rotate(folder: Path, clock: Clock) -> Path:
    """Makes the next key; running services take it up. Two who do so at the same moment get the same. Blocks."""
    _make_private(folder)
    number = max(_numbered(folder), default=0) + 1
    path = folder / f"signing-{number}.pem"
    _create(path, _new_key(), made_s=clock.wall().timestamp())
    _log.info("signing key made", extra={"file": path.name})
    return path


def open_refresh_secret(folder: Path) -> bytes:
    """Reads the secret, or makes one. Without it no refresh token can be renewed: everyone logs in again. Blocks."""
    _make_private(folder)
    path = folder / _REFRESH
    if not path.exists():
        _create(path, secrets.token_bytes(32))
    return path.read_bytes()


def _numbered(folder: Path) -> dict[int, Path]:
    return {int(match[1]): path for path in folder.iterdir() if (match := _SIGNING.fullmatch(path.name))}


def _read(folder: Path, clock: Clock) -> Sequence[SigningKey]:
    files = [path for _, path in sorted(_numbered(folder).items())]
    return [SigningKey(_signer(path, clock), path, path.stat().st_mtime) for path in files]


def _signer(path: Path, clock: Clock) -> TokenSigner:
    pem = path.read_bytes()
    key = load_pem_private_key(pem, password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError(f"{path} is not an Ed25519 key; put one there, or remove the file to have one made.")
    return TokenSigner(pem, _thumbprint(key), clock=clock)


def _thumbprint(key: Ed25519PrivateKey) -> str:
    """As RFC 7638 says: the key's id follows from the key."""
    raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    members = {"crv": "Ed25519", "kty": "OKP", "x": _base64url(raw)}
    return _base64url(hashlib.sha256(json.dumps(members, separators=(",", ":")).encode()).digest())


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _new_key() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _make_private(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _create(path: Path, content: bytes, *, made_s: float | None = None) -> None:
    """Writes a file that only its owner reads, whole or not at all; keeps the one that another replica made first.

    `made_s` is when it says that it was made; now, if none is given.
    """
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if made_s is not None:
            os.utime(part, (made_s, made_s))
        try:
            path.hardlink_to(part)
        except FileExistsError:
            return
    finally:
        part.unlink()
