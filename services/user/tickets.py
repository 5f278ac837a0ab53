"""Issues tickets, each of which opens one WebSocket within half a minute, and redeems them."""

import hashlib
import json
import secrets
from typing import Any, Final

from mesh.ephemeral import Ephemeral
from mesh.errors import UnauthenticatedError
from mesh.identity import Caller
from services.user.domain.acts import Act
from services.user.domain.keeping import People, Standings
from services.user.issuing import Issued, Issuer
from services.user.limits import Limits

LIFETIME_S: Final = 30.0
#: How long the access token holds that a ticket is redeemed for; a socket brings another before it ends.
_ACCESS_S: Final = 300
_PREFIX: Final = "vvt_"


class Tickets:
    """Keeps them where what may be lost is kept, by their hash. What is lost there is a ticket that is not valid."""

    def __init__(
        self, *, ephemeral: Ephemeral, people: People, standings: Standings, issuer: Issuer, limits: Limits
    ) -> None:
        self._ephemeral = ephemeral
        self._people = people
        self._standings = standings
        self._issuer = issuer
        self._limits = limits

    async def issue(self, who: Caller, origin: str) -> str:
        """A ticket for `who`, good for pages of `origin` only where that is not empty.

        Raises:
            RateLimitedError: too many were asked for.
            UnavailableError: the store can't be reached.
        """
        await self._limits.place(Act.TICKET)
        await self._limits.account(Act.TICKET, who.user_id)
        ticket = _PREFIX + secrets.token_urlsafe(32)
        bound = {
            "user_id": who.user_id,
            "sid": who.login_session_id,
            "scopes": sorted(who.scopes),
            "origin": origin,
        }
        await self._ephemeral.put(_key(ticket), json.dumps(bound), lifetime_s=LIFETIME_S)
        return ticket

    async def redeem(self, ticket: str, origin: str) -> Issued:
        """The access token of whoever the ticket was issued to, once; `origin` is where the socket comes from.

        Raises:
            UnauthenticatedError: the ticket is unknown, used, expired or of another origin, or its login session has
                ended; the message does not tell which.
            UnavailableError: the store can't be reached.
        """
        kept = await self._ephemeral.take(_key(ticket))
        if kept is None:
            raise _not_valid()
        bound: dict[str, Any] = json.loads(kept)
        if bound["origin"] not in ("", origin) or not await self._standings.stands(bound["sid"], self._issuer.now_us()):
            raise _not_valid()
        user = await self._people.user(bound["user_id"])
        if user is None:
            raise _not_valid()
        return self._issuer.brief(user, bound["sid"], frozenset(bound["scopes"]), _ACCESS_S)


def _key(ticket: str) -> str:
    return f"ticket:{hashlib.sha256(ticket.encode()).hexdigest()}"


def _not_valid() -> UnauthenticatedError:
    return UnauthenticatedError("The ticket is not valid; ask for another and open the socket at once.")
