"""Writes down what happens to accounts, and shows it to their owners and to operators."""

from typing import Final

from mesh.clock import Clock
from mesh.errors import NotAllowedError
from mesh.identity import Caller
from mesh.ids import new_id
from mesh.origin import client_address
from mesh.pages import Place
from services.user.domain.audit import AuditEvent, AuditKind
from services.user.domain.keeping import AuditTrail
from services.user.domain.networks import network_of

_ADMIN: Final = "admin"


class Audit:
    """Notes what the current call does. What it notes is on disk when it returns."""

    def __init__(self, *, trail: AuditTrail, clock: Clock) -> None:
        self._trail = trail
        self._clock = clock

    async def place(self) -> str:
        """The network of the current call's client, for what is noted after the call."""
        return network_of(await client_address())

    async def note(self, kind: AuditKind, user_id: str, *, client: str = "", network: str | None = None) -> None:
        """Notes that this happened to the account, now, by a client in the caller's place if no other is given."""
        await self._trail.add(
            AuditEvent(
                event_id=new_id("aud"),
                time_us=int(self._clock.wall().timestamp() * 1_000_000),
                kind=kind,
                user_id=user_id,
                network=await self.place() if network is None else network,
                client=client,
            )
        )

    async def knows_place(self, user_id: str, network: str) -> bool:
        """Whether the person logged in from there before."""
        return bool(network) and await self._trail.knows(user_id, network)

    async def events(self, asker: Caller, user_id: str, before: Place | None, limit: int) -> list[AuditEvent]:
        """What happened to an account, latest first; `user_id` empty for the asker's own.

        Raises:
            NotAllowedError: it is another's, and the asker is no admin.
        """
        if user_id not in ("", asker.user_id) and _ADMIN not in asker.scopes:
            raise NotAllowedError("Only admins may see what happened to another's account; leave user_id empty.")
        return await self._trail.events(user_id or asker.user_id, before, limit)
