"""The notebook, what the tutor remembers, reports, and conversations that were deleted."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column(
        "history_conversations", sa.Column("studied_sequence", sa.BigInteger, nullable=False, server_default="0")
    )
    op.create_table(
        "history_deletions",
        sa.Column("conversation_id", sa.String(64), primary_key=True),
        sa.Column("user_id", sa.String(64), nullable=False, index=True),
        sa.Column("receipt_id", sa.String(64), nullable=False),
        sa.Column("delete_time_us", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "history_review_items",
        sa.Column("review_item_id", sa.String(64), primary_key=True),
        sa.Column("user_id", sa.String(64), nullable=False),
        _conversation(),
        sa.Column("turn_id", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("front", sa.Text, nullable=False),
        sa.Column("back", sa.Text, nullable=False),
        sa.Column("card", sa.Text, nullable=False),
        sa.Column("due_time_us", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("deleted", sa.Boolean, nullable=False),
        sa.Column("request_id", sa.String(64), nullable=True),
        sa.UniqueConstraint("user_id", "request_id"),
    )
    op.create_index(None, "history_review_items", ["user_id", "due_time_us", "review_item_id"])
    op.create_table(
        "history_facts",
        sa.Column("fact_id", sa.String(64), primary_key=True),
        sa.Column("user_id", sa.String(64), nullable=False),
        _conversation(),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("accepted", sa.Boolean, nullable=False),
        sa.Column("deleted", sa.Boolean, nullable=False),
        sa.UniqueConstraint("user_id", "digest"),
    )
    op.create_table(
        "history_reports",
        sa.Column(
            "conversation_id",
            sa.String(64),
            sa.ForeignKey("history_conversations.conversation_id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("user_id", sa.String(64), nullable=False),
        sa.Column("last_sequence", sa.BigInteger, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
    )


def downgrade() -> None:
    for table in ("history_reports", "history_facts", "history_review_items", "history_deletions"):
        op.drop_table(table)
    op.drop_column("history_conversations", "studied_sequence")


def _conversation() -> sa.Column:
    owner = sa.ForeignKey("history_conversations.conversation_id", ondelete="CASCADE")
    return sa.Column("conversation_id", sa.String(64), owner, nullable=True, index=True)
