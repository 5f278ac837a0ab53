"""Which part of the outbox this relay carries, agreed on with the others by leases in the database they share."""

from collections.abc import Set
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from mesh.clock import Clock
from mesh.database import Database
from mesh.ids import new_id
from services.conversation.domain.sharing import Lease, Share, share
from services.conversation.tables import PartRow, RelayRow
from services.conversation.times import from_us, to_us

_NOBODY: Final = ""


class Shares:
    """The share of one relay. Only who does what hangs on it: order and once-only are history's, by sequence."""

    def __init__(self, database: Database, clock: Clock, lease_s: float) -> None:
        self._database = database
        self._clock = clock
        self._lease = timedelta(seconds=lease_s)
        self._relay_id = new_id("rly")
        self._renew_at = clock.wall()
        self._held = Share(frozenset(), alone=True)

    async def held(self) -> Share:
        """What to carry now; renewed in time, so that nobody else takes it."""
        now = self._clock.wall()
        if now >= self._renew_at:
            self._held = await self._database.run(lambda session: self._renew(session, now))
            self._renew_at = now + self._lease / 3
        return self._held

    async def release(self) -> None:
        """Lets go of all, so that others need not wait."""

        def unit(session: Session) -> None:
            self._let_go(session)
            session.execute(delete(RelayRow).where(RelayRow.relay_id == self._relay_id))

        await self._database.run(unit)

    def _renew(self, session: Session, now: datetime) -> Share:
        # Locked in one order by all: two relays never take the same part.
        rows = session.scalars(select(PartRow).order_by(PartRow.part).with_for_update()).all()
        session.execute(delete(RelayRow).where(RelayRow.until_us <= to_us(now)))
        session.merge(RelayRow(relay_id=self._relay_id, until_us=to_us(now + self._lease)))
        session.flush()
        relays = session.scalars(select(func.count()).select_from(RelayRow)).one()
        leases = [Lease(row.part, row.relay_id, from_us(row.until_us)) for row in rows]
        mine = share(self._relay_id, leases, relays, now)
        self._let_go(session, mine.parts)
        kept = update(PartRow).where(PartRow.part.in_(mine.parts))
        session.execute(kept.values(relay_id=self._relay_id, until_us=to_us(now + self._lease)))
        return mine

    def _let_go(self, session: Session, kept: Set[int] = frozenset()) -> None:
        """Of all parts but those that are kept."""
        own = update(PartRow).where(PartRow.relay_id == self._relay_id, PartRow.part.not_in(kept))
        session.execute(own.values(relay_id=_NOBODY, until_us=0))
