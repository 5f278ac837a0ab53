"""What happened to accounts, and how often passwords were guessed."""

import sqlalchemy as sa
from alembic import op

revision = "0003_audit"
down_revision = "0002_budgets"


def upgrade() -> None:
    op.create_table(
        "audit_events",
        sa.Column("event_id", sa.String(64), primary_key=True),
        sa.Column("time_us", sa.BigInteger, nullable=False, index=True),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("network", sa.String(64), nullable=False),
        sa.Column("client", sa.String(100), nullable=False),
    )
    op.create_index("ix_audit_events_user_id_time_us", "audit_events", ["user_id", "time_us"])
    op.create_table(
        "guesses",
        sa.Column("guess_key", sa.LargeBinary(32), primary_key=True),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("last_time_us", sa.BigInteger, nullable=False, index=True),
    )


def downgrade() -> None:
    op.drop_table("guesses")
    op.drop_table("audit_events")
