"""People, login sessions, refresh tokens."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "users",
        sa.Column("user_id", sa.String(64), primary_key=True),
        sa.Column("email", sa.String(254)),
        sa.Column("email_key", sa.String(320), unique=True),
        sa.Column("email_verified", sa.Boolean, nullable=False),
        sa.Column("guest", sa.Boolean, nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("password_hash", sa.String(255)),
        sa.Column("registration_id", sa.String(64)),
        sa.Column("registration_login_session_id", sa.String(64)),
        sa.Column("profile", sa.JSON, nullable=False),
        sa.Column("create_time_us", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "login_sessions",
        sa.Column("login_session_id", sa.String(64), primary_key=True),
        sa.Column(
            "user_id", sa.String(64), sa.ForeignKey("users.user_id", ondelete="CASCADE"), nullable=False, index=True
        ),
        sa.Column("client", sa.String(100), nullable=False),
        sa.Column("create_time_us", sa.BigInteger, nullable=False),
        sa.Column("last_used_time_us", sa.BigInteger, nullable=False),
        sa.Column("end_time_us", sa.BigInteger),
        sa.Column("revoke_time_us", sa.BigInteger),
        sa.Column("revoke_reason", sa.String(32)),
    )
    op.create_table(
        "refresh_tokens",
        sa.Column("token_hash", sa.LargeBinary(32), primary_key=True),
        sa.Column(
            "login_session_id",
            sa.String(64),
            sa.ForeignKey("login_sessions.login_session_id", ondelete="CASCADE"),
            nullable=False,
            index=True,
        ),
        sa.Column("create_time_us", sa.BigInteger, nullable=False),
        sa.Column("expire_time_us", sa.BigInteger, nullable=False),
        sa.Column("used_time_us", sa.BigInteger),
    )


def downgrade() -> None:
    op.drop_table("refresh_tokens")
    op.drop_table("login_sessions")
    op.drop_table("users")
