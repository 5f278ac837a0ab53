"""Carries the pieces of a file from the mesh to whoever downloads it."""

from typing import Final, Self

import grpc
from google.protobuf.message import Message

from edge.piped import Piped
from edge.rest.files import File
from mesh.streams import next_answer

Call = grpc.aio.UnaryStreamCall[Message, Message]

_PIECE_S: Final = 30.0


class Pieces:
    """The bytes a call answers with, piece by piece; each must come within 30 s."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._first: bytes | None = None

    async def begin(self) -> None:
        """Waits for the first piece, so that a call that fails at once is answered as a failure.

        Raises:
            VivavoceError: what the service answered instead.
        """
        self._first = await self._read()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        """The next piece, the one already read first.

        Raises:
            VivavoceError: the call failed.
        """
        piece, self._first = self._first, b""
        piece = piece or await self._read()
        if piece is None:
            raise StopAsyncIteration
        return piece

    def cancel(self) -> None:
        """Ends the call, if it still goes on."""
        self._call.cancel()

    async def _read(self) -> bytes | None:
        while (message := await next_answer(self._call, _PIECE_S)) is not None:
            # The contract gives such an answer one field.
            if piece := getattr(message, message.DESCRIPTOR.fields[0].name):
                return bytes(piece)
        return None


def download(pieces: Pieces, file: File) -> Piped:
    """A file on its way."""
    headers = {"content-disposition": f'attachment; filename="{file.name}"', "cache-control": "no-store"}
    return Piped(pieces, pieces, headers=headers, media_type=file.media_type)
