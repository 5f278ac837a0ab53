"""Reads recordings from their rows."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from services.media.domain.recordings import Kept, KeptRecording, Recording
from services.media.domain.tracks import BYTES_PER_SAMPLE, Track
from services.media.tables import FileRow, RecordingRow, SegmentRow


def with_kept(session: Session, rows: Sequence[RecordingRow]) -> list[KeptRecording]:
    """The recordings and what is kept of each: in segments, or in files once it is archived."""
    archived = [row.recording_id for row in rows if row.archived]
    kept = _in_segments(session, [row.recording_id for row in rows if not row.archived])
    if archived:
        sizes = _of_files(session, archived)
        for row in rows:
            samples = {Track.LEARNER: row.learner_samples, Track.TUTOR: row.tutor_samples}
            if row.archived:
                kept |= {
                    (row.recording_id, track): Kept(samples[track], sizes.get((row.recording_id, track), 0))
                    for track in Track
                }
    return [
        KeptRecording(recording_of(row), {track: kept.get((row.recording_id, track), Kept()) for track in Track})
        for row in rows
    ]


def recording_of(row: RecordingRow) -> Recording:
    """The recording."""
    return Recording(
        recording_id=row.recording_id,
        user_id=row.user_id,
        conversation_id=row.conversation_id,
        session_id=row.session_id,
        rates_hz={Track.LEARNER: row.learner_rate_hz, Track.TUTOR: row.tutor_rate_hz},
        begin_time_us=row.begin_time_us,
        finished=row.finished,
        archived=row.archived,
    )


def _in_segments(session: Session, ids: Sequence[str]) -> dict[tuple[str, Track], Kept]:
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
    return {
        (recording_id, Track(track)): Kept(end, int(samples) * BYTES_PER_SAMPLE)
        for recording_id, track, end, samples in sums
    }


def _of_files(session: Session, ids: Sequence[str]) -> dict[tuple[str, Track], int]:
    names = {f"{track.value}.flac": track for track in Track}
    found = session.execute(
        select(FileRow.recording_id, FileRow.name, FileRow.size_bytes).where(
            FileRow.recording_id.in_(ids), FileRow.name.in_(names)
        )
    )
    return {(recording_id, names[name]): size for recording_id, name, size in found}
