"""Accounts that were deleted."""

import sqlalchemy as sa
from alembic import op

revision = "0005_deletions"
down_revision = "0004_links"


def upgrade() -> None:
    op.create_table(
        "deletions",
        sa.Column("deletion_id", sa.String(64), primary_key=True),
        sa.Column("user_id", sa.String(64), nullable=False, unique=True),
        sa.Column("begin_time_us", sa.BigInteger, nullable=False),
        sa.Column("removed", sa.JSON, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("next_time_us", sa.BigInteger, nullable=False, index=True),
        sa.Column("finish_time_us", sa.BigInteger),
    )


def downgrade() -> None:
    op.drop_table("deletions")
