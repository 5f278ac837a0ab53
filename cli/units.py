"""Opens a service by name, with its settings from the environment and what the command line overrides."""

import dataclasses
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast

from cli.addresses import DATA_DIR
from mesh.clock import Clock
from mesh.peers import Peers
from mesh.server import Service
from mesh.settings import load
from services.user.settings import Settings as UserSettings


class ServiceApp(Protocol):
    """What the app.py of every service offers."""

    def open_service(self, settings: object, peers: Peers, clock: Clock) -> AbstractAsyncContextManager[Service]:
        """Runs the service for the length of the block; yields what registers with a server."""
        ...


def open_unit(
    name: str, peers: Peers, clock: Clock, *, data_dir: Path | None, overrides: Mapping[str, object]
) -> AbstractAsyncContextManager[Service]:
    """Opens the service called `name`. Imports it only now: some take a second.

    Raises:
        VivavoceError: a setting can't be read, or something the service needs is missing.
    """
    app = cast(ServiceApp, import_module(f"services.{name}.app"))  # Every service folder has one, tested for each.
    return app.open_service(settings_of(name, data_dir, overrides), peers, clock)


def settings_of(name: str, data_dir: Path | None, overrides: Mapping[str, object]) -> object:
    """The settings of a service, where `data_dir`, if given, takes the place of its own."""
    settings: type[Any] = import_module(f"services.{name}.settings").Settings
    has_data = any(field.name == "data_dir" for field in dataclasses.fields(settings))
    placed: dict[str, object] = {"data_dir": data_dir} if data_dir is not None and has_data else {}
    return load(settings, None, **(placed | dict(overrides)))


def user_settings(data_dir: Path | None) -> UserSettings:
    """The settings of the user service as it runs here: those of `viva serve` where the environment has them.

    Raises:
        VivavoceError: a setting can't be read.
    """
    settings = load(UserSettings) if data_dir is None else load(UserSettings, data_dir=data_dir)
    if data_dir is None and settings.data_dir == UserSettings().data_dir:
        return load(UserSettings, data_dir=DATA_DIR)
    return settings
