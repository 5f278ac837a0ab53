"""What is counted as events come in, and what can be searched."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

COUNTS = [
    "turns", "spoken_turns", "words", "spoken_words", "pauses", "fillers", "repairs", "replies", "interruptions",
    "gaps", "grammar_slips", "vocabulary_slips", "pronunciation_slips", "other_slips",
]  # fmt: skip
DURATIONS = ["spoken_ms", "pause_ms", "heard_ms", "gap_ms"]


def upgrade() -> None:
    conversations = "history_conversations"
    op.add_column(conversations, sa.Column("language", sa.String(35), nullable=False, server_default=""))
    op.add_column(conversations, sa.Column("heard_until_us", sa.BigInteger, nullable=False, server_default="0"))
    # Conversations that are there already are counted when the service starts.
    op.add_column(conversations, sa.Column("counted", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("history_learners", sa.Column("word_count", sa.Integer, nullable=False, server_default="0"))
    op.drop_column("history_events", "text")
    op.create_table(
        "history_lines",
        sa.Column("line_id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        _conversation(),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("user_id", sa.String(64), nullable=False, index=True),
        sa.Column("time_us", sa.BigInteger, nullable=False),
        sa.Column("words", sa.Text, nullable=False),
        sa.UniqueConstraint("conversation_id", "sequence"),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE INDEX history_search ON history_lines USING gin (to_tsvector('simple', words))")
    else:
        _index_sqlite()
    op.create_table(
        "history_words",
        sa.Column("user_id", sa.String(64), primary_key=True),
        sa.Column("word", sa.String(64), primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("level", sa.Integer, nullable=False),
    )
    op.create_table(
        "history_quarters",
        _conversation(primary_key=True),
        sa.Column("start_us", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("user_id", sa.String(64), nullable=False),
        *(sa.Column(name, sa.Integer, nullable=False) for name in COUNTS),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in DURATIONS),
        sa.Column("waits", sa.LargeBinary, nullable=False),
        sa.Column("vocabulary", sa.LargeBinary, nullable=False),
    )
    op.create_index(None, "history_quarters", ["user_id", "start_us", "conversation_id"])


def downgrade() -> None:
    op.drop_table("history_quarters")
    op.drop_table("history_words")
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE history_search")
    op.drop_table("history_lines")
    op.add_column("history_events", sa.Column("text", sa.Text, nullable=False, server_default=""))
    op.drop_column("history_learners", "word_count")
    for name in ("counted", "heard_until_us", "language"):
        op.drop_column("history_conversations", name)


def _conversation(*, primary_key: bool = False) -> sa.Column:
    owner = sa.ForeignKey("history_conversations.conversation_id", ondelete="CASCADE")
    return sa.Column("conversation_id", sa.String(64), owner, primary_key=primary_key, nullable=False)


def _index_sqlite() -> None:
    """The words lie in the table; the index follows it by triggers, which the removal of a conversation fires, too."""
    op.execute(
        "CREATE VIRTUAL TABLE history_search USING fts5(user_id, words, content='history_lines', "
        "content_rowid='line_id', tokenize=\"unicode61 remove_diacritics 0 tokenchars '_'\")"
    )
    op.execute(
        "CREATE TRIGGER history_lines_added AFTER INSERT ON history_lines BEGIN "
        "INSERT INTO history_search(rowid, user_id, words) VALUES (new.line_id, new.user_id, new.words); END"
    )
    op.execute(
        "CREATE TRIGGER history_lines_removed AFTER DELETE ON history_lines BEGIN "
        "INSERT INTO history_search(history_search, rowid, user_id, words) "
        "VALUES ('delete', old.line_id, old.user_id, old.words); END"
    )
