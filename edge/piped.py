"""Answers of HTTP that are piped from a call of the mesh: they end with it, and are broken off where it fails."""

import logging
from collections.abc import AsyncIterable, Mapping
from typing import Final, Protocol

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from edge.connections import connection_of
from mesh.errors import VivavoceError

_log: Final = logging.getLogger(__name__)


class Cancellable(Protocol):
    """A call, or what reads one."""

    def cancel(self) -> object:
        """Ends it, if it still goes on."""
        ...


class Piped(StreamingResponse):
    """Sends `pieces`, and ends the call however that ends.

    What was sent of an answer that failed is left without an end, so that nobody takes it for whole.
    """

    def __init__(
        self,
        pieces: AsyncIterable[bytes],
        call: Cancellable,
        *,
        headers: Mapping[str, str],
        media_type: str,
        status: int = 200,
    ) -> None:
        super().__init__(pieces, status, headers, media_type)
        self._call = call

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends it."""
        try:
            await super().__call__(scope, receive, send)
        except VivavoceError as error:
            _log.warning("answer broken off", extra={"reason": error.reason})
            connection_of(scope).cut()
        finally:
            self._call.cancel()
