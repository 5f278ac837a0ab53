"""Lets each address make so many requests a minute, and have so many of them and of sockets open at once."""

import asyncio
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from edge.addresses import Places, household_of
from edge.denials import deny
from mesh.errors import OverloadedError, VivavoceError
from mesh.rates import Rates

#: Nobody waits longer for a store that is slow or hangs.
_PATIENCE_S: Final = 0.2
#: Counts that may go on behind those who did not wait for them; who comes then waits.
_LATE: Final = 64


class Gate:
    """Stands before the application. Behind trusted proxies the address is the one they forward."""

    def __init__(self, app: ASGIApp, *, rates: Rates, rate: str, requests: Places, sockets: Places) -> None:
        self._app = app
        self._rates = rates
        self._rate = rate
        self._places = {"http": requests, "websocket": sockets}
        self._counting: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the call on, or refuses it as RATE_LIMITED or OVERLOADED."""
        address = scope["client"][0] if scope.get("client") else ""
        places = self._places[scope["type"]]
        try:
            await self._count(address)
            if not places.take(address):
                raise OverloadedError("Your address has too much open at once; wait for some of it to end.")
        except VivavoceError as error:
            await deny(error, scope, receive, send)
            return
        try:
            await self._app(scope, receive, send)
        finally:
            places.leave(address)

    async def _count(self, address: str) -> None:
        """Counts one more, and lets it through where that takes long.

        Raises:
            RateLimitedError: there were too many.
        """
        counting = asyncio.create_task(self._rates.admit(self._rate, "edge", household_of(address)), name="rate")
        self._counting.add(counting)
        counting.add_done_callback(self._counted)
        await asyncio.wait({counting}, timeout=_PATIENCE_S if len(self._counting) <= _LATE else None)
        if counting.done():
            counting.result()

    def _counted(self, counting: asyncio.Task[None]) -> None:
        self._counting.discard(counting)
        if not counting.cancelled():
            # Who was let through meanwhile is not told.
            counting.exception()
