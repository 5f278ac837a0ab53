"""Runs the migrations of the history service; started by `mesh.migrations.migrate`."""

from mesh.migrations import run_migrations
from services.history.store import Base

run_migrations(Base.metadata)
