"""Budgets: what is said about them, what is used, what is set aside."""

import sqlalchemy as sa
from alembic import op

revision = "0002_budgets"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "budget_overrides",
        sa.Column("subject", sa.String(64), primary_key=True),
        sa.Column("concurrent_sessions", sa.BigInteger),
        sa.Column("audio_seconds", sa.BigInteger),
        sa.Column("model_tokens", sa.BigInteger),
        sa.Column("spoken_characters", sa.BigInteger),
        sa.Column("money_micros_day", sa.BigInteger),
        sa.Column("money_micros_month", sa.BigInteger),
    )
    op.create_table(
        "budget_usage",
        sa.Column("user_id", sa.String(64), sa.ForeignKey("users.user_id", ondelete="CASCADE"), primary_key=True),
        sa.Column("period", sa.String(16), primary_key=True),
        sa.Column("audio_seconds", sa.BigInteger, nullable=False),
        sa.Column("model_tokens", sa.BigInteger, nullable=False),
        sa.Column("spoken_characters", sa.BigInteger, nullable=False),
        sa.Column("money_micros", sa.BigInteger, nullable=False),
        sa.Column("last_time_us", sa.BigInteger, nullable=False, index=True),
    )
    op.create_table(
        "budget_reservations",
        sa.Column("reservation_id", sa.String(64), primary_key=True),
        sa.Column(
            "user_id", sa.String(64), sa.ForeignKey("users.user_id", ondelete="CASCADE"), nullable=False, index=True
        ),
        sa.Column("amounts", sa.JSON, nullable=False),
        sa.Column("booked", sa.JSON, nullable=False),
        sa.Column("lifetime_s", sa.BigInteger, nullable=False),
        sa.Column("expire_time_us", sa.BigInteger, nullable=False, index=True),
        sa.Column("settled", sa.Boolean, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("budget_reservations")
    op.drop_table("budget_usage")
    op.drop_table("budget_overrides")
