"""Runs the migrations of the user service; started by `mesh.migrations.migrate`."""

from mesh.migrations import run_migrations
from services.user.store import Base

run_migrations(Base.metadata)
