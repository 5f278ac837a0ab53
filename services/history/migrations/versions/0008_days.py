"""Seasons by day, too, in the time zone in which progress was last asked for."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

NOTHING_PACKED = -(2**62)


def upgrade() -> None:
    _unpack()
    op.add_column("history_learners", sa.Column("time_zone", sa.String(64), nullable=False, server_default=""))
    op.add_column("history_seasons", sa.Column("time_zone", sa.String(64), nullable=False, server_default=""))
    op.add_column("history_seasons", sa.Column("days", sa.LargeBinary, nullable=False, server_default=""))
    if op.get_bind().dialect.name == "postgresql":
        # As it is, like the other column: pressed together, it would be taken apart whenever it is read.
        op.execute("ALTER TABLE history_seasons ALTER COLUMN days SET STORAGE EXTERNAL")


def downgrade() -> None:
    op.drop_column("history_seasons", "days")
    op.drop_column("history_seasons", "time_zone")
    op.drop_column("history_learners", "time_zone")


def _unpack() -> None:
    """Who asks next for progress packs the seasons again."""
    op.execute("DELETE FROM history_seasons")
    op.execute(sa.text("UPDATE history_learners SET packed_until_us = :none").bindparams(none=NOTHING_PACKED))
