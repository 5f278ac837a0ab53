"""Personal access tokens, and what was ended of people who are gone."""

import sqlalchemy as sa
from alembic import op

revision = "0006_access_keys"
down_revision = "0005_deletions"


def upgrade() -> None:
    op.create_table(
        "access_keys",
        sa.Column("access_key_id", sa.String(64), primary_key=True),
        sa.Column(
            "user_id", sa.String(64), sa.ForeignKey("users.user_id", ondelete="CASCADE"), nullable=False, index=True
        ),
        sa.Column("token_hash", sa.LargeBinary(32), nullable=False, unique=True),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("prefix", sa.String(16), nullable=False),
        sa.Column("scopes", sa.String(64), nullable=False),
        sa.Column("create_time_us", sa.BigInteger, nullable=False),
        sa.Column("expire_time_us", sa.BigInteger, nullable=False),
        sa.Column("last_used_time_us", sa.BigInteger),
        sa.Column("revoke_time_us", sa.BigInteger, index=True),
    )
    op.create_table(
        "revocations",
        sa.Column("session_id", sa.String(64), primary_key=True),
        sa.Column("revoke_time_us", sa.BigInteger, nullable=False, index=True),
    )
    op.create_index("ix_login_sessions_revoke_time_us", "login_sessions", ["revoke_time_us"])


def downgrade() -> None:
    op.drop_index("ix_login_sessions_revoke_time_us", "login_sessions")
    op.drop_table("revocations")
    op.drop_table("access_keys")
