"""Answers Play: which bytes of a file are wanted, and brings them."""

from collections.abc import AsyncGenerator
from typing import Final

from vivavoce.media.v1 import media_service_pb2 as service_pb

from mesh.errors import InvalidFieldError
from services.media.player import Playable

_PIECE_BYTES: Final = 64 * 1024


async def pieces(playable: Playable, first_byte: int, byte_count: int) -> AsyncGenerator[service_pb.PlayResponse, None]:
    """First what is known of the file, then the bytes from `first_byte`, of the end where it is negative.

    `byte_count` is how many at most, 0 all that follow, -1 none.

    Raises:
        InvalidFieldError: the file has no such byte.
    """
    size = playable.size_bytes
    first = max(0, size + first_byte) if first_byte < 0 else first_byte
    if first >= size:
        raise InvalidFieldError(
            f"The file has {size} bytes; begin before its end.", field="first_byte", metadata={"size": str(size)}
        )
    left = size - first if byte_count == 0 else max(0, min(byte_count, size - first))
    file = service_pb.PlayedFile(
        content_type=playable.content_type, name=playable.name, size_bytes=size, first_byte=first, byte_count=left
    )
    yield service_pb.PlayResponse(file=file)
    while left:
        piece = await playable.read(first, min(left, _PIECE_BYTES))
        if not piece:
            return
        yield service_pb.PlayResponse(content=piece)
        first, left = first + len(piece), left - len(piece)
