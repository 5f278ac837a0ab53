"""Seasons that are over in a row each, the levels of a learner's words in one column, and what is counted by name."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

NOTHING_PACKED = -(2**62)


def upgrade() -> None:
    # The service counts them anew when it starts.
    _recount()
    op.drop_column("history_quarters", "waits")
    op.add_column("history_quarters", sa.Column("named", sa.Text, nullable=False, server_default="{}"))
    op.add_column(
        "history_learners",
        sa.Column("packed_until_us", sa.BigInteger, nullable=False, server_default=str(NOTHING_PACKED)),
    )
    op.add_column("history_learners", sa.Column("levels", sa.LargeBinary, nullable=False, server_default=""))
    op.create_table(
        "history_seasons",
        sa.Column("user_id", sa.String(64), primary_key=True),
        sa.Column("start_us", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("packed", sa.LargeBinary, nullable=False),
    )
    _gather_levels()


def downgrade() -> None:
    _recount()
    op.drop_table("history_seasons")
    op.drop_column("history_learners", "levels")
    op.drop_column("history_learners", "packed_until_us")
    op.drop_column("history_quarters", "named")
    op.add_column("history_quarters", sa.Column("waits", sa.LargeBinary, nullable=False, server_default=""))


def _gather_levels() -> None:
    """A byte for each word, at the place of its number; 0 for those that went with their conversations."""
    connection = op.get_bind()
    learners = sa.table("history_learners", sa.column("user_id"), sa.column("word_count"), sa.column("levels"))
    words = sa.table("history_words", sa.column("user_id"), sa.column("number"), sa.column("level"))
    for user_id, word_count in connection.execute(sa.select(learners.c.user_id, learners.c.word_count)).all():
        levels = bytearray(word_count)
        for number, level in connection.execute(
            sa.select(words.c.number, words.c.level).where(words.c.user_id == user_id)
        ):
            levels[number] = level
        connection.execute(sa.update(learners).where(learners.c.user_id == user_id).values(levels=bytes(levels)))


def _recount() -> None:
    op.execute("DELETE FROM history_quarters")
    op.execute(sa.text("UPDATE history_conversations SET counted = :no").bindparams(no=False))
