"""Runs the migrations of the media service; started by `mesh.migrations.migrate`."""

from mesh.migrations import run_migrations
from services.media.tables import Base

run_migrations(Base.metadata)
