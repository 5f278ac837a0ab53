"""What a reservation is for, so that the next for the same takes its place."""

import sqlalchemy as sa
from alembic import op

revision = "0007_purposes"
down_revision = "0006_access_keys"


def upgrade() -> None:
    op.add_column("budget_reservations", sa.Column("purpose", sa.String(64), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("budget_reservations", "purpose")
