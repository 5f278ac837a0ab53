"""Keeps personal access tokens."""

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, Select, String, func, select, tuple_, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from mesh.database import Database
from mesh.errors import ExhaustedError
from mesh.pages import Place
from services.user.domain.access_keys import MOST, NOTED_EVERY_US, AccessKey
from services.user.domain.keeping import UsedKey
from services.user.store.base import Base, rows_changed, storable
from services.user.store.people_rows import UserRow, held, user_of


class AccessKeyRow(Base):
    """A personal access token, by its hash."""

    __tablename__ = "access_keys"

    access_key_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    prefix: Mapped[str] = mapped_column(String(16))
    scopes: Mapped[str] = mapped_column(String(64))
    create_time_us: Mapped[int] = mapped_column(BigInteger)
    expire_time_us: Mapped[int] = mapped_column(BigInteger)
    last_used_time_us: Mapped[int | None] = mapped_column(BigInteger)
    revoke_time_us: Mapped[int | None] = mapped_column(BigInteger, index=True)


class AccessKeyStore:
    """`AccessKeyring` over a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, key: AccessKey, token_hash: bytes) -> None:
        """See `AccessKeyring`."""

        def unit(session: Session) -> None:
            # Held, so that of several at once none overlooks another.
            held(session, key.user_id)
            if session.scalar(_count(key.user_id, key.create_time_us)) == MOST:
                raise ExhaustedError(
                    f"You have {MOST} personal access tokens; revoke one first.", reason="RATE_LIMITED"
                )
            session.add(_row(key, token_hash))

        await self._database.run(unit)

    async def of(self, user_id: str, before: Place | None, limit: int) -> list[AccessKey]:
        """See `AccessKeyring`."""
        wanted = select(AccessKeyRow).where(AccessKeyRow.user_id == user_id, AccessKeyRow.revoke_time_us.is_(None))
        if before is not None:
            wanted = wanted.where(tuple_(AccessKeyRow.create_time_us, AccessKeyRow.access_key_id) < before)
        latest_first = wanted.order_by(AccessKeyRow.create_time_us.desc(), AccessKeyRow.access_key_id.desc())
        return await self._database.read(
            lambda session: [_key(row) for row in session.scalars(latest_first.limit(limit))]
        )

    async def revoke(self, user_id: str, access_key_id: str, now_us: int) -> bool | None:
        """See `AccessKeyring`."""

        def unit(session: Session) -> bool | None:
            row = session.get(AccessKeyRow, storable(access_key_id))
            if row is None or row.user_id != user_id:
                return None
            living = (AccessKeyRow.access_key_id == row.access_key_id, AccessKeyRow.revoke_time_us.is_(None))
            return rows_changed(session, update(AccessKeyRow).where(*living).values(revoke_time_us=now_us)) == 1

        return await self._database.run(unit)

    async def use(self, token_hash: bytes, now_us: int) -> UsedKey | None:
        """See `AccessKeyring`."""

        def unit(session: Session) -> UsedKey | None:
            row = session.scalar(select(AccessKeyRow).where(AccessKeyRow.token_hash == token_hash))
            if row is None or row.revoke_time_us is not None or row.expire_time_us <= now_us:
                return None
            return UsedKey(_key(row), user_of(session.get_one(UserRow, row.user_id)))

        used = await self._database.read(unit)
        if used is not None and now_us - (used.key.last_used_time_us or 0) >= NOTED_EVERY_US:
            noted = update(AccessKeyRow).where(AccessKeyRow.token_hash == token_hash)
            await self._database.run(lambda session: rows_changed(session, noted.values(last_used_time_us=now_us)))
        return used


def end_key_rows(session: Session, user_id: str, now_us: int) -> None:
    """Revokes all that the person has."""
    living = (AccessKeyRow.user_id == user_id, AccessKeyRow.revoke_time_us.is_(None))
    session.execute(update(AccessKeyRow).where(*living).values(revoke_time_us=now_us))


def _count(user_id: str, now_us: int) -> Select[int]:
    return (
        select(func.count())
        .select_from(AccessKeyRow)
        .where(
            AccessKeyRow.user_id == user_id,
            AccessKeyRow.revoke_time_us.is_(None),
            AccessKeyRow.expire_time_us > now_us,
        )
    )


def _row(key: AccessKey, token_hash: bytes) -> AccessKeyRow:
    return AccessKeyRow(
        access_key_id=key.access_key_id,
        user_id=key.user_id,
        token_hash=token_hash,
        name=storable(key.name),
        prefix=key.prefix,
        scopes=" ".join(sorted(key.scopes)),
        create_time_us=key.create_time_us,
        expire_time_us=key.expire_time_us,
    )


def _key(row: AccessKeyRow) -> AccessKey:
    return AccessKey(
        access_key_id=row.access_key_id,
        user_id=row.user_id,
        name=row.name,
        prefix=row.prefix,
        scopes=frozenset(row.scopes.split()),
        create_time_us=row.create_time_us,
        expire_time_us=row.expire_time_us,
        last_used_time_us=row.last_used_time_us,
    )
