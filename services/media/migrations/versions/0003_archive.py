"""Lasting files, lines, and how long recordings are kept."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

NO = sa.text("false")


def upgrade() -> None:
    with op.batch_alter_table("recordings") as recordings:
        recordings.add_column(sa.Column("node", sa.String(64), nullable=False, server_default=""))
        recordings.add_column(sa.Column("archived", sa.Boolean, nullable=False, server_default=NO))
        recordings.add_column(sa.Column("condemned", sa.Boolean, nullable=False, server_default=NO))
        recordings.add_column(sa.Column("learner_samples", sa.BigInteger, nullable=False, server_default="0"))
        recordings.add_column(sa.Column("tutor_samples", sa.BigInteger, nullable=False, server_default="0"))
    op.create_table(
        "recording_lines",
        _recording_id(),
        sa.Column("line_id", sa.String(64), primary_key=True),
        sa.Column("track", sa.String(16), nullable=False),
        sa.Column("first_sample", sa.BigInteger, nullable=False),
        sa.Column("end_sample", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "recording_files",
        _recording_id(),
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
    )
    op.create_table(
        "retention_wishes",
        sa.Column("user_id", sa.String(64), primary_key=True),
        sa.Column("keep_days", sa.Integer, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("retention_wishes")
    op.drop_table("recording_files")
    op.drop_table("recording_lines")
    with op.batch_alter_table("recordings") as recordings:
        for name in ("tutor_samples", "learner_samples", "condemned", "archived", "node"):
            recordings.drop_column(name)


def _recording_id() -> sa.Column[str]:
    return sa.Column(
        "recording_id",
        sa.String(64),
        sa.ForeignKey("recordings.recording_id", ondelete="CASCADE"),
        primary_key=True,
    )
