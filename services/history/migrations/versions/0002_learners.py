"""People, and that one is to be forgotten."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "history_learners",
        sa.Column("user_id", sa.String(64), primary_key=True),
        sa.Column("forget_time_us", sa.BigInteger, nullable=True),
        sa.Column("forgotten_events", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("history_learners")
