"""Counts side by side in one column: a year of them is read five times as fast."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

COUNTS = [
    "turns", "spoken_turns", "words", "spoken_words", "pauses", "fillers", "repairs", "replies", "interruptions",
    "gaps", "grammar_slips", "vocabulary_slips", "pronunciation_slips", "other_slips",
]  # fmt: skip
DURATIONS = ["spoken_ms", "pause_ms", "heard_ms", "gap_ms"]


def upgrade() -> None:
    # The service counts them anew when it starts.
    _recount()
    for name in [*COUNTS, *DURATIONS]:
        op.drop_column("history_quarters", name)
    op.add_column("history_quarters", sa.Column("counts", sa.LargeBinary, nullable=False, server_default=""))


def downgrade() -> None:
    _recount()
    op.drop_column("history_quarters", "counts")
    for names, kind in ((COUNTS, sa.Integer), (DURATIONS, sa.BigInteger)):
        for name in names:
            op.add_column("history_quarters", sa.Column(name, kind, nullable=False, server_default="0"))


def _recount() -> None:
    op.execute("DELETE FROM history_quarters")
    op.execute(sa.text("UPDATE history_conversations SET counted = :no").bindparams(no=False))
