"""Page tokens: where a list goes on, good only for the caller and the question they were given for."""

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from typing import Final, TypeAlias

from mesh.errors import InvalidFieldError

Position: TypeAlias = tuple[str | int, ...]

_SUM_BYTES: Final = 12


def page_token(position: Position, question: Sequence[str]) -> str:
    """A token that stands for `position` in the answer to `question`: RPC, caller and filters.

    It is a checksum, not a signature: who forges one gets a page of their own list, from where they like.
    """
    written = json.dumps(position, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_sum(written, question) + written).rstrip(b"=").decode()


def page_position(token: str, question: Sequence[str]) -> Position | None:
    """The position the token stands for; None for an empty one, which asks for the first page.

    Raises:
        InvalidFieldError: it is garbled, or was given for another question or to someone else.
    """
    if not token:
        return None
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise _refused() from None
    written = raw[_SUM_BYTES:]
    if raw[:_SUM_BYTES] != _sum(written, question):
        raise _refused()
    return tuple(json.loads(written))


def _sum(written: bytes, question: Sequence[str]) -> bytes:
    asked = json.dumps(list(question)).encode()
    return hashlib.blake2b(asked + b"\0" + written, digest_size=_SUM_BYTES, person=b"vivavoce page").digest()


def _refused() -> InvalidFieldError:
    return InvalidFieldError(
        "page_token does not belong to this list; repeat the call that gave it with the same filters, or start over.",
        field="page_token",
    )
