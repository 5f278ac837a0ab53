"""Runs the migrations of the conversation service; started by `mesh.migrations.migrate`."""

from mesh.migrations import run_migrations
from services.conversation.tables import Base

run_migrations(Base.metadata)
