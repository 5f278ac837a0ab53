"""How long people pause, so that their next session knows."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "conversation_habits",
        sa.Column("user_id", sa.String(64), primary_key=True),
        sa.Column("usual_pause_ms", sa.BigInteger, nullable=False),
        sa.Column("update_time_us", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("conversation_habits")
