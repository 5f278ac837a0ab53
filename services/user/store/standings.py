"""Finds out which login sessions and personal access tokens still stand, and which were ended when."""

from sqlalchemy import BigInteger, String, delete, insert, literal, select, union_all
from sqlalchemy.orm import Mapped, Session, mapped_column

from mesh.database import Database
from services.user.domain.keeping import Revocation
from services.user.store.access_keys import AccessKeyRow
from services.user.store.base import Base, rows_changed
from services.user.store.login_rows import LoginSessionRow


class RevocationRow(Base):
    """A login session or personal access token of a person whose rows are gone."""

    __tablename__ = "revocations"

    session_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    revoke_time_us: Mapped[int] = mapped_column(BigInteger, index=True)


class StandingStore:
    """`Standings` over a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def stands(self, session_id: str, now_us: int) -> bool:
        """See `Standings`."""

        def unit(session: Session) -> bool:
            if (login := session.get(LoginSessionRow, session_id)) is not None:
                return login.revoke_time_us is None
            key = session.get(AccessKeyRow, session_id)
            return key is not None and key.revoke_time_us is None and now_us < key.expire_time_us

        return await self._database.read(unit)

    async def ended_since(self, start_us: int, limit: int) -> list[Revocation]:
        """See `Standings`."""
        ended = union_all(
            *(
                select(session_id.label("session_id"), revoked.label("revoke_time_us")).where(revoked >= start_us)
                for session_id, revoked in (
                    (LoginSessionRow.login_session_id, LoginSessionRow.revoke_time_us),
                    (AccessKeyRow.access_key_id, AccessKeyRow.revoke_time_us),
                    (RevocationRow.session_id, RevocationRow.revoke_time_us),
                )
            )
        ).subquery()
        oldest_first = select(ended).order_by(ended.c.revoke_time_us, ended.c.session_id).limit(limit)
        return await self._database.read(
            lambda session: [Revocation(session_id, time_us) for session_id, time_us in session.execute(oldest_first)]
        )

    async def prune(self, before_us: int) -> int:
        """See `Standings`."""
        due = delete(RevocationRow).where(RevocationRow.revoke_time_us < before_us)
        return await self._database.run(lambda session: rows_changed(session, due))


def remember_revocations(session: Session, user_id: str, now_us: int) -> None:
    """Lets all the person's access tokens be refused when their rows are gone; for whoever removes these."""
    for session_id, owner in (
        (LoginSessionRow.login_session_id, LoginSessionRow.user_id),
        (AccessKeyRow.access_key_id, AccessKeyRow.user_id),
    ):
        ended = select(session_id, literal(now_us)).where(owner == user_id)
        session.execute(insert(RevocationRow).from_select(["session_id", "revoke_time_us"], ended))
