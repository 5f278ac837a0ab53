"""The functions that a client offered, for another process that goes on with its session."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("conversations", sa.Column("tools", sa.Text, nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("conversations", "tools")
