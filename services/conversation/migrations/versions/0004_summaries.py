"""What the older lines of a conversation were about."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("conversations", sa.Column("summary", sa.Text, nullable=False, server_default=""))
    op.add_column("conversations", sa.Column("summary_lines", sa.BigInteger, nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("conversations", "summary_lines")
    op.drop_column("conversations", "summary")
