"""Makes personal access tokens, and tells apart what can't be one without asking the database."""

import secrets
import string
import zlib
from typing import Final

from mesh.access_keys import PREFIX

_ALPHABET: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
#: Characters shown in lists to recognise it by, and those that nobody sees again: 256 bits and more.
_SHOWN: Final = 8
_SECRET: Final = 43
_CHECKSUM: Final = 6


def new_token() -> str:
    """`vvk_`, 51 random letters and digits, and a checksum by which one that leaked can be found in files."""
    body = PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(_SHOWN + _SECRET))
    return body + _checksum(body)


def prefix_of(token: str) -> str:
    """What is shown of it in lists."""
    return token[: len(PREFIX) + _SHOWN]


def is_whole(token: str) -> bool:
    """Whether it is written as one, and neither mistyped nor cut."""
    body, checksum = token[:-_CHECKSUM], token[-_CHECKSUM:]
    written = len(token) == len(PREFIX) + _SHOWN + _SECRET + _CHECKSUM and token.startswith(PREFIX) and token.isascii()
    return written and checksum == _checksum(body)


def _checksum(body: str) -> str:
    number = zlib.crc32(body.encode())
    digits = []
    for _ in range(_CHECKSUM):
        number, digit = divmod(number, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))
