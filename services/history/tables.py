"""The tables of the history service; `schema.md` explains each column."""

from typing import Final

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from mesh.database import metadata

VERSION_TABLE: Final = "alembic_version_history"
#: Before every time there is.
NOTHING_PACKED: Final = -(2**62)
#: No progress was asked for yet.
NO_TIME_ZONE: Final = ""


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
    language: Mapped[str] = mapped_column(String(35))
    settings: Mapped[bytes] = mapped_column(LargeBinary)
    begin_time_us: Mapped[int] = mapped_column(BigInteger)
    last_time_us: Mapped[int] = mapped_column(BigInteger)
    last_sequence: Mapped[int] = mapped_column(BigInteger)
    turn_count: Mapped[int]
    ended: Mapped[bool]
    heard_until_us: Mapped[int] = mapped_column(BigInteger)
    counted: Mapped[bool]
    studied_sequence: Mapped[int] = mapped_column(BigInteger)


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
    payload: Mapped[bytes] = mapped_column(LargeBinary)


class LearnerRow(Base):
    """A person of whom something was kept; locked while anything of theirs changes."""

    __tablename__ = "history_learners"

    user_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    word_count: Mapped[int]
    #: Read only where words are new, or progress is asked for.
    levels: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    packed_until_us: Mapped[int] = mapped_column(BigInteger)
    time_zone: Mapped[str] = mapped_column(String(64), server_default=NO_TIME_ZONE)
    forget_time_us: Mapped[int | None] = mapped_column(BigInteger)
    forgotten_events: Mapped[int] = mapped_column(BigInteger)


class LineRow(Base):
    """What somebody said, to be searched. The index of its words is each database's own: see `searching.py`."""

    __tablename__ = "history_lines"
    __table_args__ = (UniqueConstraint("conversation_id", "sequence"),)

    line_id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    conversation_id: Mapped[str] = mapped_column(
        ForeignKey("history_conversations.conversation_id", ondelete="CASCADE")
    )
    sequence: Mapped[int] = mapped_column(BigInteger)
    user_id: Mapped[str] = mapped_column(String(64), index=True)
    time_us: Mapped[int] = mapped_column(BigInteger)
    words: Mapped[str] = mapped_column(Text)


class WordRow(Base):
    """A word of a learner's vocabulary."""

    __tablename__ = "history_words"

    user_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    word: Mapped[str] = mapped_column(String(64), primary_key=True)
    number: Mapped[int]
    level: Mapped[int]


class QuarterRow(Base):
    """What is counted of a quarter of an hour of a conversation."""

    __tablename__ = "history_quarters"
    __table_args__ = (Index(None, "user_id", "start_us", "conversation_id"),)

    conversation_id: Mapped[str] = mapped_column(
        ForeignKey("history_conversations.conversation_id", ondelete="CASCADE"), primary_key=True
    )
    start_us: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    user_id: Mapped[str] = mapped_column(String(64))
    counts: Mapped[bytes] = mapped_column(LargeBinary)
    vocabulary: Mapped[bytes] = mapped_column(LargeBinary)
    named: Mapped[str] = mapped_column(Text)


class SeasonRow(Base):
    """What is counted of four weeks that are over."""

    __tablename__ = "history_seasons"

    user_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    start_us: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    packed: Mapped[bytes] = mapped_column(LargeBinary)
    time_zone: Mapped[str] = mapped_column(String(64), server_default=NO_TIME_ZONE)
    days: Mapped[bytes] = mapped_column(LargeBinary, server_default="")


class DeletionRow(Base):
    """A conversation that was deleted; nothing of it is kept again."""

    __tablename__ = "history_deletions"

    conversation_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(String(64), index=True)
    receipt_id: Mapped[str] = mapped_column(String(64))
    delete_time_us: Mapped[int] = mapped_column(BigInteger)


class ReviewItemRow(Base):
    """An item of a learner's notebook."""

    __tablename__ = "history_review_items"
    __table_args__ = (
        UniqueConstraint("user_id", "request_id"),
        Index(None, "user_id", "due_time_us", "review_item_id"),
    )

    review_item_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(String(64))
    conversation_id: Mapped[str | None] = mapped_column(
        ForeignKey("history_conversations.conversation_id", ondelete="CASCADE"), index=True
    )
    turn_id: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(16))
    front: Mapped[str] = mapped_column(Text)
    back: Mapped[str] = mapped_column(Text)
    card: Mapped[str] = mapped_column(Text)
    due_time_us: Mapped[int] = mapped_column(BigInteger)
    digest: Mapped[str] = mapped_column(String(64))
    deleted: Mapped[bool]
    request_id: Mapped[str | None] = mapped_column(String(64))


class FactRow(Base):
    """Something about a learner, proposed or agreed to."""

    __tablename__ = "history_facts"
    __table_args__ = (UniqueConstraint("user_id", "digest"),)

    fact_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(String(64))
    conversation_id: Mapped[str | None] = mapped_column(
        ForeignKey("history_conversations.conversation_id", ondelete="CASCADE"), index=True
    )
    text: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64))
    accepted: Mapped[bool]
    deleted: Mapped[bool]


class ReportRow(Base):
    """A report on a conversation, each version."""

    __tablename__ = "history_reports"

    conversation_id: Mapped[str] = mapped_column(
        ForeignKey("history_conversations.conversation_id", ondelete="CASCADE"), primary_key=True
    )
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    user_id: Mapped[str] = mapped_column(String(64))
    last_sequence: Mapped[int] = mapped_column(BigInteger)
    payload: Mapped[bytes] = mapped_column(LargeBinary)
