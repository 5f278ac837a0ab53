"""Recordings and their segments."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "recordings",
        sa.Column("recording_id", sa.String(64), primary_key=True),
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("conversation_id", sa.String(64), nullable=False),
        sa.Column("session_id", sa.String(64), nullable=False),
        sa.Column("learner_rate_hz", sa.Integer, nullable=False),
        sa.Column("tutor_rate_hz", sa.Integer, nullable=False),
        sa.Column("begin_time_us", sa.BigInteger, nullable=False),
        sa.Column("update_time_us", sa.BigInteger, nullable=False),
        sa.Column("finished", sa.Boolean, nullable=False),
    )
    op.create_index(None, "recordings", ["user_id", "begin_time_us", "recording_id"])
    op.create_table(
        "recording_segments",
        sa.Column(
            "recording_id",
            sa.String(64),
            sa.ForeignKey("recordings.recording_id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("track", sa.String(16), primary_key=True),
        sa.Column("first_sample", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("samples", sa.Integer, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("recording_segments")
    op.drop_table("recordings")
