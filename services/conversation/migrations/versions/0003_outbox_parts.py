"""Parts of the outbox, so that several relays can share it."""

import zlib

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

PARTS = 16


def upgrade() -> None:
    op.add_column("conversation_outbox", sa.Column("part", sa.Integer, nullable=False, server_default="0"))
    op.create_index(None, "conversation_outbox", ["part"])
    connection = op.get_bind()
    for (name,) in connection.execute(sa.text("SELECT DISTINCT conversation_id FROM conversation_outbox")).all():
        known = {"part": zlib.crc32(name.encode()) % PARTS, "name": name}
        connection.execute(sa.text("UPDATE conversation_outbox SET part = :part WHERE conversation_id = :name"), known)
    parts = op.create_table(
        "conversation_outbox_parts",
        sa.Column("part", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("relay_id", sa.String(64), nullable=False),
        sa.Column("until_us", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(parts, [{"part": part, "relay_id": "", "until_us": 0} for part in range(PARTS)])
    op.create_table(
        "conversation_relays",
        sa.Column("relay_id", sa.String(64), primary_key=True),
        sa.Column("until_us", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("conversation_relays")
    op.drop_table("conversation_outbox_parts")
    op.drop_index("ix_conversation_outbox_part", "conversation_outbox")
    op.drop_column("conversation_outbox", "part")
