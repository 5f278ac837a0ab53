"""The tables of the history service; `schema.md` explains each column."""

from typing import Final

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from mesh.database import metadata

VERSION_TABLE: Final = "alembic_version_history"


class Base(DeclarativeBase):
    """The tables."""

    metadata = metadata()


class ConversationRow(Base):
    """A conversation, as far as its events tell."""

    __tablename__ = "history_conversations"
    __table_args__ = (Index(None, "user_id", "begin_time_us", "conversation_id"),)

    conversation_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(String(64))
    scenario_id: Mapped[str] = mapped_column(String(64))
    settings: Mapped[bytes] = mapped_column(LargeBinary)
    begin_time_us: Mapped[int] = mapped_column(BigInteger)
    last_time_us: Mapped[int] = mapped_column(BigInteger)
    last_sequence: Mapped[int] = mapped_column(BigInteger)
    turn_count: Mapped[int]
    ended: Mapped[bool]


class EventRow(Base):
    """Something that happened."""

    __tablename__ = "history_events"

    conversation_id: Mapped[str] = mapped_column(
        ForeignKey("history_conversations.conversation_id", ondelete="CASCADE"), primary_key=True
    )
    sequence: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    user_id: Mapped[str] = mapped_column(String(64), index=True)
    time_us: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(String(32))
    turn_id: Mapped[str] = mapped_column(String(64))
    reply_id: Mapped[str] = mapped_column(String(64))
    text: Mapped[str] = mapped_column(Text)
    payload: Mapped[bytes] = mapped_column(LargeBinary)


class LearnerRow(Base):
    """A person of whom something was kept; locked while anything of theirs changes."""

    __tablename__ = "history_learners"

    user_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    forget_time_us: Mapped[int | None] = mapped_column(BigInteger)
    forgotten_events: Mapped[int] = mapped_column(BigInteger)
