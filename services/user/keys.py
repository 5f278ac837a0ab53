"""The secrets of the user service as files: keys that sign access tokens, and the one refresh tokens descend by."""

import base64
import hashlib
import json
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

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


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """The key that signs, and those that signed before it."""

    signer: TokenSigner
    _retired: tuple[tuple[Jwk, float], ...]

    def public(self, now_s: float, access_lifetime_s: float) -> list[Jwk]:
        """The keys by which a living token may be signed, the current one first."""
        return [self.signer.jwk(), *(jwk for jwk, retired_s in self._retired if now_s < retired_s + access_lifetime_s)]


def open_signing_keys(folder: Path, clock: Clock) -> SigningKeys:
    """Reads `signing-1.pem`, `signing-2.pem`, … below `folder`, of which the last signs; makes the first one.

    A key is retired when the next one's file is written. Blocks.

    Raises:
        ValueError: a file holds no Ed25519 key.
    """
    _make_private(folder)
    if not _numbered(folder):
        _create(folder / "signing-1.pem", _new_key())
    files = _numbered(folder)
    signers = [_signer(path, clock) for path in files]
    retired = [(signer.jwk(), path.stat().st_mtime) for signer, path in zip(signers, files[1:], strict=False)]
    return SigningKeys(signers[-1], tuple(reversed(retired)))


def open_refresh_secret(folder: Path) -> bytes:
    """Reads the secret, or makes one. Without it no refresh token can be renewed: everyone logs in again. Blocks."""
    _make_private(folder)
    path = folder / _REFRESH
    if not path.exists():
        _create(path, secrets.token_bytes(32))
    return path.read_bytes()


def _numbered(folder: Path) -> list[Path]:
    found = {int(match[1]): path for path in folder.iterdir() if (match := _SIGNING.fullmatch(path.name))}
    return [found[number] for number in sorted(found)]


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


def _create(path: Path, content: bytes) -> None:
    """Writes a file that only its owner reads, whole or not at all; keeps the one that another replica made first."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        try:
            path.hardlink_to(part)
        except FileExistsError:
            return
    finally:
        part.unlink()
