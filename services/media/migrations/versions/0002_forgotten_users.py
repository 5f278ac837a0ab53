"""People whose recordings were removed."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "forgotten_users",
        sa.Column("user_id", sa.String(64), primary_key=True),
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("recording_count", sa.Integer, nullable=False),
        sa.Column("forget_time_us", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("forgotten_users")
