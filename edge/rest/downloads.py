"""Carries the pieces of a file from the mesh to whoever downloads it; a failure midway breaks the connection off."""

import asyncio
import logging
from typing import Final, Self

import grpc
from google.protobuf.message import Message
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from edge.connections import connection_of
from edge.rest.files import File
from mesh.errors import TimedOutError, VivavoceError
from mesh.wire_errors import from_rpc_error

Call = grpc.aio.UnaryStreamCall[Message, Message]

_PIECE_S: Final = 30.0
_log: Final = logging.getLogger(__name__)


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
        try:
            async with asyncio.timeout(_PIECE_S):
                while isinstance(message := await self._call.read(), Message):
                    # The contract gives such an answer one field.
                    if piece := getattr(message, message.DESCRIPTOR.fields[0].name):
                        return bytes(piece)
        except TimeoutError:
            raise TimedOutError("The file did not come in time; try again.") from None
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None
        return None


class Download(StreamingResponse):
    """A file on its way. The call ends with it, however it ends."""

    def __init__(self, pieces: Pieces, file: File) -> None:
        headers = {"content-disposition": f'attachment; filename="{file.name}"', "cache-control": "no-store"}
        super().__init__(pieces, media_type=file.media_type, headers=headers)
        self._pieces = pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends it. What was sent of a file that failed is left without an end, so that nobody takes it for whole."""
        try:
            await super().__call__(scope, receive, send)
        except VivavoceError as error:
            _log.warning("download broken off", extra={"reason": error.reason})
            connection_of(scope).cut()
        finally:
            self._pieces.cancel()
