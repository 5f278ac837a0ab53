"""The tables of the media service; `schema.md` explains each column."""

from typing import Final

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from mesh.database import metadata

VERSION_TABLE: Final = "alembic_version_media"


class Base(DeclarativeBase):
    """The tables."""

    metadata = metadata()


class RecordingRow(Base):
    """A recording of one session."""

    __tablename__ = "recordings"
    __table_args__ = (Index(None, "user_id", "begin_time_us", "recording_id"),)

    recording_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(String(64))
    conversation_id: Mapped[str] = mapped_column(String(64))
    session_id: Mapped[str] = mapped_column(String(64))
    learner_rate_hz: Mapped[int]
    tutor_rate_hz: Mapped[int]
    begin_time_us: Mapped[int] = mapped_column(BigInteger)
    update_time_us: Mapped[int] = mapped_column(BigInteger)
    finished: Mapped[bool]
    node: Mapped[str] = mapped_column(String(64))
    archived: Mapped[bool]
    condemned: Mapped[bool]
    learner_samples: Mapped[int] = mapped_column(BigInteger)
    tutor_samples: Mapped[int] = mapped_column(BigInteger)


class SegmentRow(Base):
    """A stretch of a track."""

    __tablename__ = "recording_segments"

    recording_id: Mapped[str] = mapped_column(
        ForeignKey("recordings.recording_id", ondelete="CASCADE"), primary_key=True
    )
    track: Mapped[str] = mapped_column(String(16), primary_key=True)
    first_sample: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    samples: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))


class LineRow(Base):
    """Where a line was spoken."""

    __tablename__ = "recording_lines"

    recording_id: Mapped[str] = mapped_column(
        ForeignKey("recordings.recording_id", ondelete="CASCADE"), primary_key=True
    )
    line_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    track: Mapped[str] = mapped_column(String(16))
    first_sample: Mapped[int] = mapped_column(BigInteger)
    end_sample: Mapped[int] = mapped_column(BigInteger)


class FileRow(Base):
    """A lasting file of a recording."""

    __tablename__ = "recording_files"

    recording_id: Mapped[str] = mapped_column(
        ForeignKey("recordings.recording_id", ondelete="CASCADE"), primary_key=True
    )
    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))


class RetentionRow(Base):
    """How long a person wishes recordings to be kept."""

    __tablename__ = "retention_wishes"

    user_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    keep_days: Mapped[int]


class ForgottenUserRow(Base):
    """A person whose recordings were removed, and from whom none is taken any more."""

    __tablename__ = "forgotten_users"

    user_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    request_id: Mapped[str] = mapped_column(String(64))
    recording_count: Mapped[int]
    forget_time_us: Mapped[int] = mapped_column(BigInteger)
