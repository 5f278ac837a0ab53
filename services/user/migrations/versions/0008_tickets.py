"""Tickets, each of which opens one WebSocket."""

import sqlalchemy as sa
from alembic import op

revision = "0008_tickets"
down_revision = "0007_purposes"


def upgrade() -> None:
    op.create_table(
        "tickets",
        sa.Column("token_hash", sa.LargeBinary(32), primary_key=True),
        sa.Column(
            "user_id", sa.String(64), sa.ForeignKey("users.user_id", ondelete="CASCADE"), nullable=False, index=True
        ),
        sa.Column("session_id", sa.String(64), nullable=False),
        sa.Column("scopes", sa.String(64), nullable=False),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("expire_time_us", sa.BigInteger, nullable=False, index=True),
    )


def downgrade() -> None:
    op.drop_table("tickets")
