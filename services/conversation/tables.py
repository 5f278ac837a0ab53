"""The tables of the conversation service; `schema.md` explains each column."""

from typing import Final

from sqlalchemy import BigInteger, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from mesh.database import metadata

VERSION_TABLE: Final = "alembic_version_conversation"


class Base(DeclarativeBase):
    """The tables."""

    metadata = metadata()


class ConversationRow(Base):
    """A conversation."""

    __tablename__ = "conversations"
    __table_args__ = (UniqueConstraint("user_id", "request_id"),)

    conversation_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(String(64), index=True)
    title: Mapped[str] = mapped_column(Text)
    ended: Mapped[bool]
    choices: Mapped[str] = mapped_column(Text)
    tutor_state: Mapped[str] = mapped_column(Text)
    last_sequence: Mapped[int] = mapped_column(BigInteger)
    create_time_us: Mapped[int] = mapped_column(BigInteger)
    update_time_us: Mapped[int] = mapped_column(BigInteger)
    request_id: Mapped[str | None] = mapped_column(String(64))
    summary: Mapped[str] = mapped_column(Text)
    summary_lines: Mapped[int] = mapped_column(BigInteger)
    tools: Mapped[str] = mapped_column(Text)


class EventRow(Base):
    """Something that happened in a conversation."""

    __tablename__ = "conversation_events"

    conversation_id: Mapped[str] = mapped_column(
        ForeignKey("conversations.conversation_id", ondelete="CASCADE"), primary_key=True
    )
    sequence: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    time_us: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(String(32))
    payload: Mapped[str] = mapped_column(Text)


class OutboxRow(Base):
    """An event that history has not acknowledged."""

    __tablename__ = "conversation_outbox"

    conversation_id: Mapped[str] = mapped_column(
        ForeignKey("conversations.conversation_id", ondelete="CASCADE"), primary_key=True
    )
    sequence: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    part: Mapped[int] = mapped_column(index=True)


class SetAsideRow(Base):
    """A conversation that is passed over, because history refuses its next event for good."""

    __tablename__ = "conversation_set_aside"

    conversation_id: Mapped[str] = mapped_column(
        ForeignKey("conversations.conversation_id", ondelete="CASCADE"), primary_key=True
    )
    sequence: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(String(64))
    message: Mapped[str] = mapped_column(Text)
    time_us: Mapped[int] = mapped_column(BigInteger)


class PartRow(Base):
    """Who carries a part of the outbox."""

    __tablename__ = "conversation_outbox_parts"

    part: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    relay_id: Mapped[str] = mapped_column(String(64))
    until_us: Mapped[int] = mapped_column(BigInteger)


class RelayRow(Base):
    """A relay that is at work."""

    __tablename__ = "conversation_relays"

    relay_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    until_us: Mapped[int] = mapped_column(BigInteger)


class HabitRow(Base):
    """How long a person pauses in the middle of a turn."""

    __tablename__ = "conversation_habits"

    user_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    usual_pause_ms: Mapped[int] = mapped_column(BigInteger)
    update_time_us: Mapped[int] = mapped_column(BigInteger)


class ForgottenRow(Base):
    """A person whose data was removed; nothing of theirs is kept again."""

    __tablename__ = "conversation_forgotten"

    user_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    request_id: Mapped[str] = mapped_column(String(64))
    conversation_count: Mapped[int] = mapped_column(BigInteger)
    forget_time_us: Mapped[int] = mapped_column(BigInteger)
