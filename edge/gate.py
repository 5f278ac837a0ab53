"""Lets each address make so many requests a minute, and have so many of them and of sockets open at once."""

from starlette.types import ASGIApp, Receive, Scope, Send

from edge.addresses import Places, household_of
from edge.denials import deny
from mesh.errors import OverloadedError, VivavoceError
from mesh.rates import Rates


class Gate:
    """Stands before the application. Behind trusted proxies the address is the one they forward."""

    def __init__(self, app: ASGIApp, *, rates: Rates, rate: str, requests: Places, sockets: Places) -> None:
        self._app = app
        self._rates = rates
        self._rate = rate
        self._places = {"http": requests, "websocket": sockets}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the call on, or refuses it as RATE_LIMITED or OVERLOADED."""
        address = scope["client"][0] if scope.get("client") else ""
        places = self._places[scope["type"]]
        try:
            await self._rates.admit(self._rate, "edge", household_of(address))
            if not places.take(address):
                raise OverloadedError("Your address has too much open at once; wait for some of it to end.")
        except VivavoceError as error:
            await deny(error, scope, receive, send)
            return
        try:
            await self._app(scope, receive, send)
        finally:
            places.leave(address)
