"""Keeps the manifests of recordings in the media service's own tables."""

from collections.abc import Sequence

from sqlalchemy import delete, func, insert, select, tuple_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from mesh.database import Database
from mesh.errors import AlreadyExistsError, ConflictError, NotFoundError
from services.media.domain.recordings import Kept, KeptRecording, Recording, Segment
from services.media.domain.tracks import BYTES_PER_SAMPLE, Track
from services.media.tables import VERSION_TABLE, Base, ForgottenUserRow, RecordingRow, SegmentRow

__all__ = ["VERSION_TABLE", "Base", "RecordingStore"]


class RecordingStore:
    """`Recordings` over a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def start(self, recording: Recording) -> KeptRecording:
        """See `Recordings`."""
        return await self._database.commit(lambda session: _start(session, recording))

    async def keep(self, recording_id: str, segment: Segment, now_us: int) -> None:
        """See `Recordings`."""
        await self._database.commit(lambda session: _keep(session, recording_id, segment, now_us))

    async def finish(self, recording_id: str) -> KeptRecording | None:
        """See `Recordings`."""

        def unit(session: Session) -> KeptRecording | None:
            row = session.get(RecordingRow, recording_id, with_for_update=True)
            if row is None:
                return None
            row.finished = True
            return _with_kept(session, [row])[0]

        return await self._database.commit(unit)

    async def find(self, user_id: str, recording_id: str) -> KeptRecording | None:
        """See `Recordings`."""

        def unit(session: Session) -> KeptRecording | None:
            # PostgreSQL refuses to look for text that text can't hold.
            row = None if "\0" in recording_id else session.get(RecordingRow, recording_id)
            return _with_kept(session, [row])[0] if row and row.user_id == user_id else None

        return await self._database.read(unit)

    async def page(
        self, user_id: str, conversation_id: str, after: tuple[int, str] | None, limit: int
    ) -> list[KeptRecording]:
        """See `Recordings`."""
        wanted = select(RecordingRow).where(RecordingRow.user_id == user_id)
        if conversation_id:
            wanted = wanted.where(RecordingRow.conversation_id == conversation_id)
        if after is not None:
            wanted = wanted.where(tuple_(RecordingRow.begin_time_us, RecordingRow.recording_id) < after)
        latest_first = wanted.order_by(RecordingRow.begin_time_us.desc(), RecordingRow.recording_id.desc()).limit(limit)
        return await self._database.read(
            lambda session: (
                _with_kept(session, session.scalars(latest_first).all()) if "\0" not in conversation_id else []
            )
        )

    async def segments(self, recording_id: str, track: Track) -> list[Segment]:
        """See `Recordings`."""
        wanted = (
            select(SegmentRow)
            .where(SegmentRow.recording_id == recording_id, SegmentRow.track == track.value)
            .order_by(SegmentRow.first_sample)
        )
        return await self._database.read(lambda session: [_segment(row) for row in session.scalars(wanted)])

    async def forsaken(self, before_us: int) -> list[str]:
        """See `Recordings`."""
        wanted = select(RecordingRow.recording_id).where(
            RecordingRow.finished.is_(False), RecordingRow.update_time_us <= before_us
        )
        return await self._database.read(lambda session: list(session.scalars(wanted)))

    async def delete(self, recording_id: str) -> None:
        """See `Recordings`."""

        def unit(session: Session) -> None:
            session.execute(delete(RecordingRow).where(RecordingRow.recording_id == recording_id))

        await self._database.commit(unit)

    async def forget(self, user_id: str, request_id: str, now_us: int) -> int:
        """See `Recordings`."""
        return await self._database.commit(lambda session: _forget(session, user_id, request_id, now_us))

    async def of_forgotten(self) -> list[str]:
        """See `Recordings`."""
        wanted = select(RecordingRow.recording_id).join(
            ForgottenUserRow, ForgottenUserRow.user_id == RecordingRow.user_id
        )
        return await self._database.read(lambda session: list(session.scalars(wanted)))


def _start(session: Session, recording: Recording) -> KeptRecording:
    if session.get(ForgottenUserRow, recording.user_id) is not None:
        raise NotFoundError("This learner was deleted; nothing is recorded.", field="start_recording.user_id")
    row = session.get(RecordingRow, recording.recording_id)
    if row is None:
        row = _row(recording)
        session.add(row)
        try:
            session.flush()
        except IntegrityError:
            raise ConflictError("Another stream starts this recording; start again in a moment.") from None
    known = _recording(row)
    if (known.user_id, known.conversation_id, known.session_id, known.rates_hz) != (
        recording.user_id,
        recording.conversation_id,
        recording.session_id,
        recording.rates_hz,
    ):
        raise AlreadyExistsError(
            "recording_id names another recording; choose a new id.", field="start_recording.recording_id"
        )
    return _with_kept(session, [row])[0]


def _keep(session: Session, recording_id: str, segment: Segment, now_us: int) -> None:
    touched = (
        update(RecordingRow)
        .where(RecordingRow.recording_id == recording_id, RecordingRow.finished.is_(False))
        .values(update_time_us=now_us)
        .returning(RecordingRow.recording_id)
    )
    if session.scalar(touched) is None:
        raise NotFoundError("The recording was deleted or is finished; begin another one.")
    columns = {
        "recording_id": recording_id,
        "track": segment.track.value,
        "first_sample": segment.first_sample,
        "samples": segment.samples,
        "sha256": segment.sha256,
    }
    session.execute(insert(SegmentRow), [columns])


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
    return count


def _with_kept(session: Session, rows: Sequence[RecordingRow]) -> list[KeptRecording]:
    ids = [row.recording_id for row in rows]
    sums = session.execute(
        select(
            SegmentRow.recording_id,
            SegmentRow.track,
            func.max(SegmentRow.first_sample + SegmentRow.samples),
            func.sum(SegmentRow.samples),
        )
        .where(SegmentRow.recording_id.in_(ids))
        .group_by(SegmentRow.recording_id, SegmentRow.track)
    )
    kept = {
        (recording_id, Track(track)): Kept(end, int(samples) * BYTES_PER_SAMPLE)
        for recording_id, track, end, samples in sums
    }
    return [
        KeptRecording(_recording(row), {track: kept.get((row.recording_id, track), Kept()) for track in Track})
        for row in rows
    ]


def _row(recording: Recording) -> RecordingRow:
    return RecordingRow(
        recording_id=recording.recording_id,
        user_id=recording.user_id,
        conversation_id=recording.conversation_id,
        session_id=recording.session_id,
        learner_rate_hz=recording.rates_hz[Track.LEARNER],
        tutor_rate_hz=recording.rates_hz[Track.TUTOR],
        begin_time_us=recording.begin_time_us,
        update_time_us=recording.begin_time_us,
        finished=False,
    )


def _recording(row: RecordingRow) -> Recording:
    return Recording(
        recording_id=row.recording_id,
        user_id=row.user_id,
        conversation_id=row.conversation_id,
        session_id=row.session_id,
        rates_hz={Track.LEARNER: row.learner_rate_hz, Track.TUTOR: row.tutor_rate_hz},
        begin_time_us=row.begin_time_us,
        finished=row.finished,
    )


def _segment(row: SegmentRow) -> Segment:
    return Segment(Track(row.track), row.first_sample, row.samples, row.sha256)
