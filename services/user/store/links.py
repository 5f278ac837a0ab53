"""Keeps links that were sent by mail."""

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, Select, String, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from mesh.database import Database
from services.user.domain.keeping import Verified
from services.user.domain.links import Link, LinkPurpose
from services.user.domain.logins import EndReason
from services.user.domain.people import User, email_key
from services.user.store.access_keys import end_key_rows
from services.user.store.base import Base, rows_changed
from services.user.store.login_rows import end_login_rows
from services.user.store.people_rows import UserRow, flush_address, user_of


class LinkRow(Base):
    """A link, by the hash of its token."""

    __tablename__ = "links"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id", ondelete="CASCADE"), index=True)
    purpose: Mapped[str] = mapped_column(String(16))
    email: Mapped[str] = mapped_column(String(254))
    expire_time_us: Mapped[int] = mapped_column(BigInteger, index=True)


class LinkStore:
    """`Links` over a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, link: Link) -> None:
        """See `Links`."""
        row = LinkRow(
            token_hash=link.token_hash,
            user_id=link.user_id,
            purpose=link.purpose.value,
            email=link.email,
            expire_time_us=link.expire_time_us,
        )
        await self._database.run(lambda session: session.add(row))

    async def owner(self, token_hash: bytes, purpose: LinkPurpose, now_us: int) -> User | None:
        """See `Links`."""

        def unit(session: Session) -> User | None:
            link = session.scalar(_living(token_hash, purpose, now_us))
            return user_of(session.get_one(UserRow, link.user_id)) if link else None

        return await self._database.read(unit)

    async def verify_email(self, token_hash: bytes, now_us: int) -> Verified | None:
        """See `Links`."""

        def unit(session: Session) -> Verified | None:
            used = _used_up(session, token_hash, LinkPurpose.VERIFY_EMAIL, now_us)
            if used is None:
                return None
            row, email = used
            is_new = row.email != email
            row.email, row.email_key, row.email_verified = email, email_key(email), True
            flush_address(session)
            return Verified(user_of(row), is_new)

        return await self._database.run(unit)

    async def reset_password(self, token_hash: bytes, password_hash: str, now_us: int) -> User | None:
        """See `Links`."""

        def unit(session: Session) -> User | None:
            used = _used_up(session, token_hash, LinkPurpose.RESET_PASSWORD, now_us)
            if used is None or used[0].email != used[1]:
                return None
            row, _ = used
            # Who reads the mail sent there has shown that the address is theirs.
            row.password_hash, row.email_verified = password_hash, True
            remove_links(session, row.user_id)
            end_login_rows(session, row.user_id, now_us, EndReason.PASSWORD_CHANGED)
            # Whoever had taken the account over may have made some.
            end_key_rows(session, row.user_id, now_us)
            return user_of(row)

        return await self._database.run(unit)

    async def prune(self, before_us: int) -> int:
        """See `Links`."""
        due = delete(LinkRow).where(LinkRow.expire_time_us < before_us)
        return await self._database.run(lambda session: rows_changed(session, due))


def remove_links(session: Session, user_id: str) -> None:
    """Removes all of a person's: whoever knew the password before may have asked for one."""
    session.execute(delete(LinkRow).where(LinkRow.user_id == user_id))


def _living(token_hash: bytes, purpose: LinkPurpose, now_us: int) -> Select[LinkRow]:
    return select(LinkRow).where(
        LinkRow.token_hash == token_hash, LinkRow.purpose == purpose.value, LinkRow.expire_time_us > now_us
    )


def _used_up(session: Session, token_hash: bytes, purpose: LinkPurpose, now_us: int) -> tuple[UserRow, str] | None:
    """Its owner's row, held, and where it was sent; of several who use it at once one gets them.

    The link is removed with all of its kind.
    """
    link = session.scalar(_living(token_hash, purpose, now_us))
    if link is None:
        return None
    user_id, email = link.user_id, link.email
    # Held first: whoever came in between has removed the link by the time the row is ours.
    row = session.get_one(UserRow, user_id, with_for_update=True)
    if not rows_changed(session, delete(LinkRow).where(LinkRow.token_hash == token_hash)):
        return None
    session.execute(delete(LinkRow).where(LinkRow.user_id == user_id, LinkRow.purpose == purpose.value))
    return row, email
