"""Links that play something for an hour: what it is, and until when, under a signature."""

import base64
import binascii
import hashlib
import hmac
import os
import secrets
from pathlib import Path
from typing import Final

from mesh.clock import Clock
from mesh.errors import InvalidFieldError, NotAllowedError
from services.media.domain.playback import Playback

LIFETIME_S: Final = 3600
_KEY_BYTES: Final = 32
_SUM_BYTES: Final = 32


class Links:
    """Makes and reads links. Whoever holds one may play what it says; it holds no access token."""

    def __init__(self, key: bytes, clock: Clock) -> None:
        self._key = key
        self._clock = clock

    def make(self, playback: Playback) -> tuple[str, int]:
        """The link, and the second since 1970 at which it ends."""
        ends_at = int(self._clock.wall().timestamp()) + LIFETIME_S
        text = f"{ends_at}:{playback.write()}".encode()
        return _encoded(self._sum(text) + text), ends_at

    def read(self, link: str) -> Playback:
        """What it plays.

        Raises:
            InvalidFieldError: it is garbled, or not ours.
            NotAllowedError: its time is over.
        """
        raw = _decoded(link)
        given, text = raw[:_SUM_BYTES], raw[_SUM_BYTES:]
        if not hmac.compare_digest(given, self._sum(text)):
            raise _garbled()
        ends_at, _, written = text.decode().partition(":")
        if int(ends_at) <= self._clock.wall().timestamp():
            raise NotAllowedError("The link has expired; ask for a new one.")
        return Playback.read(written)

    def _sum(self, text: bytes) -> bytes:
        return hmac.digest(self._key, text, hashlib.sha256)


def open_key(secret: str, file: Path) -> bytes:
    """The key that links are signed with: of `secret`, or else that of a file, which is made when there is none."""
    if secret:
        return hashlib.sha256(secret.encode()).digest()
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return file.read_bytes()
    with os.fdopen(descriptor, "wb") as written:
        key = secrets.token_bytes(_KEY_BYTES)
        written.write(key)
    return key


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decoded(link: str) -> bytes:
    try:
        return base64.b64decode(link + "=" * (-len(link) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise _garbled() from None


def _garbled() -> InvalidFieldError:
    return InvalidFieldError("The link is garbled or was not made here; ask for a new one.", field="link")
