"""Issues tickets, each of which opens one WebSocket within half a minute, and redeems them."""

import secrets
from typing import Final

from mesh.errors import UnauthenticatedError
from mesh.identity import Caller
from services.user.domain.acts import Act
from services.user.domain.keeping import People, Standings, TicketDrawer
from services.user.domain.tickets import Ticket
from services.user.issuing import Issued, Issuer
from services.user.limits import Limits
from services.user.refresh_tokens import hash_of

_LIFETIME_US: Final = 30_000_000
#: How long the access token holds that a ticket is redeemed for; a socket brings another before it ends.
_ACCESS_S: Final = 300
_PREFIX: Final = "vvt_"


class Tickets:
    """They are kept with the people: whoever can be found can take one, whatever else is away."""

    def __init__(
        self, *, drawer: TicketDrawer, people: People, standings: Standings, issuer: Issuer, limits: Limits
    ) -> None:
        self._drawer = drawer
        self._people = people
        self._standings = standings
        self._issuer = issuer
        self._limits = limits

    async def issue(self, who: Caller, origin: str) -> str:
        """A ticket for `who`, good for pages of `origin` only where that is not empty.

        Raises:
            NotFoundError: the account was deleted.
            RateLimitedError: too many were asked for.
        """
        await self._limits.place(Act.TICKET)
        await self._limits.account(Act.TICKET, who.user_id)
        token = _PREFIX + secrets.token_urlsafe(32)
        ticket = Ticket(
            token_hash=hash_of(token),
            user_id=who.user_id,
            session_id=who.login_session_id,
            scopes=who.scopes,
            origin=origin,
            expire_time_us=self._issuer.now_us() + _LIFETIME_US,
        )
        await self._drawer.add(ticket)
        return token

    async def redeem(self, token: str, origin: str) -> Issued:
        """The access token of whoever the ticket was issued to, once; `origin` is where the socket comes from.

        Raises:
            UnauthenticatedError: the ticket is unknown, used, expired or of another origin, or its login session has
                ended; the message does not tell which.
        """
        ticket, now_us = await self._drawer.take(hash_of(token)), self._issuer.now_us()
        if ticket is None or not ticket.opens(origin, now_us):
            raise _not_valid()
        if not await self._standings.stands(ticket.session_id, now_us):
            raise _not_valid()
        user = await self._people.user(ticket.user_id)
        if user is None:
            raise _not_valid()
        return self._issuer.brief(user, ticket.session_id, ticket.scopes, _ACCESS_S)


def _not_valid() -> UnauthenticatedError:
    return UnauthenticatedError("The ticket is not valid; ask for another and open the socket at once.")
