"""Keeps the manifests of recordings that are made, in the media service's own tables."""

from collections.abc import Sequence

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from mesh.database import Database
from mesh.errors import AlreadyExistsError, ConflictError, NotFoundError
from services.media.domain.recordings import Archived, KeptRecording, Line, Recording, Segment
from services.media.domain.tracks import Track
from services.media.rows import recording_of, with_kept
from services.media.tables import VERSION_TABLE, Base, FileRow, ForgottenUserRow, LineRow, RecordingRow, SegmentRow

__all__ = ["VERSION_TABLE", "Base", "RecordingStore"]


class RecordingStore:
    """`Recordings` over a database; `node` is this machine's name among those that share it."""

    def __init__(self, database: Database, node: str) -> None:
        self._database = database
        self._node = node

    async def start(self, recording: Recording) -> KeptRecording:
        """See `Recordings`."""
        return await self._database.commit(lambda session: _start(session, recording, self._node))

    async def keep(self, recording_id: str, segment: Segment, now_us: int) -> None:
        """See `Recordings`."""
        await self._database.commit(lambda session: _keep(session, recording_id, segment, now_us))

    async def mark(self, recording_id: str, line: Line) -> None:
        """See `Recordings`."""

        def unit(session: Session) -> None:
            if session.get(RecordingRow, recording_id) is not None:
                session.merge(_line_row(recording_id, line))

        await self._database.commit(unit)

    async def finish(self, recording_id: str) -> KeptRecording | None:
        """See `Recordings`."""

        def unit(session: Session) -> KeptRecording | None:
            row = session.get(RecordingRow, recording_id, with_for_update=True)
            if row is None or row.condemned:
                return None
            row.finished = True
            return with_kept(session, [row])[0]

        return await self._database.commit(unit)

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
            RecordingRow.finished.is_(False),
            RecordingRow.condemned.is_(False),
            RecordingRow.node == self._node,
            RecordingRow.update_time_us <= before_us,
        )
        return await self._database.read(lambda session: list(session.scalars(wanted)))

    async def unarchived(self) -> list[Recording]:
        """See `Recordings`."""
        wanted = (
            select(RecordingRow)
            .where(
                RecordingRow.finished.is_(True),
                RecordingRow.archived.is_(False),
                RecordingRow.condemned.is_(False),
                RecordingRow.node == self._node,
            )
            .order_by(RecordingRow.update_time_us)
        )
        return await self._database.read(lambda session: [recording_of(row) for row in session.scalars(wanted)])

    async def archive(self, recording_id: str, archived: Archived) -> None:
        """See `Recordings`."""
        await self._database.commit(lambda session: _archive(session, recording_id, archived))

    async def known(self, recording_ids: Sequence[str]) -> set[str]:
        """See `Recordings`."""
        wanted = select(RecordingRow.recording_id).where(RecordingRow.recording_id.in_(recording_ids))
        return await self._database.read(lambda session: set(session.scalars(wanted)))

    async def is_empty(self) -> bool:
        """See `Recordings`."""
        first = select(RecordingRow.recording_id).limit(1)
        return await self._database.read(lambda session: session.scalar(first) is None)


def _start(session: Session, recording: Recording, node: str) -> KeptRecording:
    if session.get(ForgottenUserRow, recording.user_id) is not None:
        raise NotFoundError("This learner was deleted; nothing is recorded.", field="start_recording.user_id")
    row = session.get(RecordingRow, recording.recording_id)
    if row is None:
        row = _row(recording, node)
        session.add(row)
        try:
            session.flush()
        except IntegrityError:
            raise ConflictError("Another stream starts this recording; start again in a moment.") from None
    _check_same(recording_of(row), recording)
    if row.condemned:
        raise NotFoundError("This recording was deleted; begin another one.", field="start_recording.recording_id")
    if row.node != node and not row.finished:
        raise ConflictError("Another machine makes this recording; begin another one.")
    return with_kept(session, [row])[0]


def _check_same(known: Recording, wanted: Recording) -> None:
    if (known.user_id, known.conversation_id, known.session_id, known.rates_hz) != (
        wanted.user_id,
        wanted.conversation_id,
        wanted.session_id,
        wanted.rates_hz,
    ):
        raise AlreadyExistsError(
            "recording_id names another recording; choose a new id.", field="start_recording.recording_id"
        )


def _keep(session: Session, recording_id: str, segment: Segment, now_us: int) -> None:
    touched = (
        update(RecordingRow)
        .where(
            RecordingRow.recording_id == recording_id,
            RecordingRow.finished.is_(False),
            RecordingRow.condemned.is_(False),
        )
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


def _archive(session: Session, recording_id: str, archived: Archived) -> None:
    row = session.get(RecordingRow, recording_id, with_for_update=True)
    if row is None or row.condemned:
        raise NotFoundError("The recording was deleted while it was archived.")
    row.archived = True
    row.learner_samples = archived.samples.get(Track.LEARNER, 0)
    row.tutor_samples = archived.samples.get(Track.TUTOR, 0)
    for file in archived.files:
        session.merge(
            FileRow(recording_id=recording_id, name=file.name, size_bytes=file.size_bytes, sha256=file.sha256)
        )
    session.execute(delete(SegmentRow).where(SegmentRow.recording_id == recording_id))


def _row(recording: Recording, node: str) -> RecordingRow:
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
        node=node,
        archived=False,
        condemned=False,
        learner_samples=0,
        tutor_samples=0,
    )


def _segment(row: SegmentRow) -> Segment:
    return Segment(Track(row.track), row.first_sample, row.samples, row.sha256)


def _line_row(recording_id: str, line: Line) -> LineRow:
    return LineRow(
        recording_id=recording_id,
        line_id=line.line_id,
        track=line.track.value,
        first_sample=line.first_sample,
        end_sample=line.end_sample,
    )
