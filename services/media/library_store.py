"""Looks recordings up in the media service's own tables, and notes which are to be removed."""

from typing import Final

from sqlalchemy import Exists, case, delete, func, or_, select, tuple_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from mesh.database import Database
from mesh.errors import ConflictError
from services.media.domain.recordings import KeptFile, KeptRecording, Line
from services.media.domain.tracks import Track
from services.media.rows import with_kept
from services.media.tables import FileRow, ForgottenUserRow, LineRow, RecordingRow, RetentionRow

_DAY_US: Final = 86_400_000_000


class LibraryStore:
    """`Library` over a database; `node` is this machine's name among those that share it."""

    def __init__(self, database: Database, node: str) -> None:
        self._database = database
        self._node = node

    async def find(self, user_id: str, recording_id: str) -> KeptRecording | None:
        """See `Library`."""

        def unit(session: Session) -> KeptRecording | None:
            # PostgreSQL refuses to look for text that text can't hold.
            row = None if "\0" in recording_id else session.get(RecordingRow, recording_id)
            mine = row is not None and row.user_id == user_id and not row.condemned
            return with_kept(session, [row])[0] if row is not None and mine else None

        return await self._database.read(unit)

    async def page(
        self, user_id: str, conversation_id: str, after: tuple[int, str] | None, limit: int
    ) -> list[KeptRecording]:
        """See `Library`."""
        wanted = select(RecordingRow).where(RecordingRow.user_id == user_id, RecordingRow.condemned.is_(False))
        if conversation_id:
            wanted = wanted.where(RecordingRow.conversation_id == conversation_id)
        if after is not None:
            wanted = wanted.where(tuple_(RecordingRow.begin_time_us, RecordingRow.recording_id) < after)
        latest_first = wanted.order_by(RecordingRow.begin_time_us.desc(), RecordingRow.recording_id.desc()).limit(limit)
        return await self._database.read(
            lambda session: (
                with_kept(session, session.scalars(latest_first).all()) if "\0" not in conversation_id else []
            )
        )

    async def lines(self, recording_id: str) -> list[Line]:
        """See `Library`."""
        wanted = select(LineRow).where(LineRow.recording_id == recording_id)

        return await self._database.read(
            lambda session: [
                Line(row.line_id, Track(row.track), row.first_sample, row.end_sample) for row in session.scalars(wanted)
            ]
        )

    async def files(self, recording_id: str) -> dict[str, KeptFile]:
        """See `Library`."""
        wanted = select(FileRow).where(FileRow.recording_id == recording_id)
        return await self._database.read(
            lambda session: {
                row.name: KeptFile(row.name, row.size_bytes, row.sha256) for row in session.scalars(wanted)
            }
        )

    async def condemn(self, recording_id: str) -> None:
        """See `Library`."""

        def unit(session: Session) -> None:
            session.execute(
                update(RecordingRow).where(RecordingRow.recording_id == recording_id).values(condemned=True)
            )

        await self._database.commit(unit)

    async def condemn_expired(self, now_us: int, longest_keep_days: int) -> int:
        """See `Library`."""
        return await self._database.commit(lambda session: _condemn_expired(session, now_us, longest_keep_days))

    async def condemned(self) -> list[str]:
        """See `Library`."""
        wanted = select(RecordingRow.recording_id).where(
            or_(RecordingRow.condemned.is_(True), _forgotten()),
            or_(RecordingRow.archived.is_(True), RecordingRow.node == self._node),
        )
        return await self._database.read(lambda session: list(session.scalars(wanted)))

    async def delete(self, recording_id: str) -> None:
        """See `Library`."""

        def unit(session: Session) -> None:
            session.execute(delete(RecordingRow).where(RecordingRow.recording_id == recording_id))

        await self._database.commit(unit)

    async def forget(self, user_id: str, request_id: str, now_us: int) -> int:
        """See `Library`."""
        return await self._database.commit(lambda session: _forget(session, user_id, request_id, now_us))

    async def left_of(self, user_id: str) -> list[str]:
        """See `Library`."""
        wanted = select(RecordingRow.recording_id).where(RecordingRow.user_id == user_id)
        return await self._database.read(lambda session: list(session.scalars(wanted)))

    async def keep_days(self, user_id: str) -> int:
        """See `Library`."""
        wanted = select(RetentionRow.keep_days).where(RetentionRow.user_id == user_id)
        return await self._database.read(lambda session: session.scalar(wanted) or 0)

    async def set_keep_days(self, user_id: str, days: int) -> None:
        """See `Library`."""

        def unit(session: Session) -> None:
            session.merge(RetentionRow(user_id=user_id, keep_days=days))

        await self._database.commit(unit)


def _forgotten() -> Exists:
    """Of a person who was forgotten: one that began just then."""
    return select(ForgottenUserRow.user_id).where(ForgottenUserRow.user_id == RecordingRow.user_id).exists()


def _condemn_expired(session: Session, now_us: int, longest_keep_days: int) -> int:
    wish = select(RetentionRow.keep_days).where(RetentionRow.user_id == RecordingRow.user_id).scalar_subquery()
    wished = func.coalesce(wish, 0)
    # The shorter of the two, where 0 is no limit.
    days = (
        case((wished == 0, longest_keep_days), (wished < longest_keep_days, wished), else_=longest_keep_days)
        if longest_keep_days
        else wished
    )
    over = (
        update(RecordingRow)
        .where(
            RecordingRow.condemned.is_(False),
            RecordingRow.finished.is_(True),
            days > 0,
            RecordingRow.begin_time_us < now_us - days * _DAY_US,
        )
        .values(condemned=True)
        .returning(RecordingRow.recording_id)
        .execution_options(synchronize_session=False)
    )
    return len(session.scalars(over).all())


def _forget(session: Session, user_id: str, request_id: str, now_us: int) -> int:
    known = session.get(ForgottenUserRow, user_id, with_for_update=True)
    if known is not None and known.request_id == request_id:
        return known.recording_count
    mine = select(func.count()).select_from(RecordingRow).where(RecordingRow.user_id == user_id)
    count = session.scalar(mine) or 0
    row = known or ForgottenUserRow(user_id=user_id)
    row.request_id, row.recording_count, row.forget_time_us = request_id, count, now_us
    session.add(row)
    try:
        session.flush()
    except IntegrityError:
        raise ConflictError("This learner is being forgotten by another call; repeat it in a moment.") from None
    session.execute(update(RecordingRow).where(RecordingRow.user_id == user_id).values(condemned=True))
    session.execute(delete(RetentionRow).where(RetentionRow.user_id == user_id))
    return count
