"""A mesh of processes as `viva serve` makes them, each of which can be killed and started again."""

import asyncio
import multiprocessing
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Final

from cli.addresses import SERVICES
from cli.bench.server import INSTANT
from cli.ports import free_port, listens
from cli.serve import serve
from tests.faults.proxy import FaultProxy

#: Processes are forked from one that has imported everything: a start takes a fraction of a second, not four.
_FORKS: Final = multiprocessing.get_context("forkserver")
#: What is imported only when it is used, and is by every start.
_LATE: Final = ("alembic.command", "mako.template", "rich.console")
_HOST: Final = "127.0.0.1"
_UP_S: Final = 30.0
#: What is promised.
_STOPS_S: Final = 10.0
#: Everybody talks for hours, and comes back dozens of times.
_GENEROUS: Final = {
    "VIVAVOCE_USER_ACCESS_LIFETIME_S": "3600",
    "VIVAVOCE_USER_BUDGET_AUDIO_SECONDS": "-1",
    "VIVAVOCE_CONVERSATION_MESSAGES_PER_S": "1000000",
}


@dataclass(slots=True)
class House:
    """One process: a service, and where it listens."""

    service: str
    address: str
    process: ForkServerProcess | None = None


@dataclass(slots=True)
class Town:
    """The processes, by name: those of a service may be several, and are numbered."""

    folder: Path
    houses: dict[str, House]
    variables: Mapping[str, str] = field(default_factory=dict)
    #: What stands before a service, for people.
    doors: dict[str, FaultProxy] = field(default_factory=dict)

    def entrances(self, service: str) -> list[str]:
        """Where people find a service."""
        return [self.doors[service].address] if service in self.doors else self.addresses(service)

    def addresses(self, service: str) -> list[str]:
        """Where a service is found."""
        return [house.address for house in self.houses.values() if house.service == service]

    def start(self, name: str) -> None:
        """Starts one, which answers some moments later."""
        house = self.houses[name]
        place = (house.service, house.address, self.folder, self.folder / f"{name}.log", dict(self.variables))
        house.process = _FORKS.Process(target=_live, args=place, daemon=True)
        house.process.start()

    def kill(self, name: str) -> None:
        """Kills one, as the kernel does when memory runs out."""
        process = self.houses[name].process
        assert process is not None, "it was started"
        process.kill()
        process.join()

    async def stop(self, name: str) -> int:
        """Ends one in order, by SIGTERM; its exit code. Fails where it takes longer than is promised."""
        process = self.houses[name].process
        assert process is not None, "it was started"
        process.terminate()
        await asyncio.to_thread(process.join, _STOPS_S)
        assert process.exitcode is not None, f"{name} still runs {_STOPS_S} s after SIGTERM"
        return process.exitcode

    def dead(self) -> list[str]:
        """Those that ended by themselves."""
        return [name for name, house in self.houses.items() if house.process is None or not house.process.is_alive()]

    def faults(self) -> list[str]:
        """What they logged as a fault of their own."""
        lines = (line for name in self.houses for line in (self.folder / f"{name}.log").read_text().splitlines())
        return [line for line in lines if '"level": "ERROR"' in line or "Traceback" in line]

    async def up(self, name: str) -> None:
        """Returns when one takes connections."""
        host, _, port = self.houses[name].address.rpartition(":")
        async with asyncio.timeout(_UP_S):
            while not listens(host, int(port)):  # noqa: ASYNC110 (another process listens)
                await asyncio.sleep(0.01)


@contextmanager
def town(folder: Path, variables: Mapping[str, str] | None = None, **replicas: int) -> Iterator[Town]:
    """All services and the edge, with engines that take no time; what each says is in the folder. Killed at the end.

    `replicas` of a service, where it is more than one, are called by its name and a number.
    """
    folder.mkdir(exist_ok=True)
    houses = {
        f"{service} {number}": House(service, f"{_HOST}:{free_port(_HOST)}")
        for service in (*SERVICES, "edge")
        for number in range(1, replicas.get(service, 1) + 1)
    }
    found = Town(folder, houses)
    # All of them by one address: gRPC balances, and goes around those that are gone.
    peers = {f"VIVAVOCE_PEERS_{each.upper()}": f"ipv4:{','.join(found.addresses(each))}" for each in SERVICES}
    peers["VIVAVOCE_PEERS_KEY"] = str(folder / "services.pem")
    found.variables = INSTANT | _GENEROUS | peers | dict(variables or {})
    _FORKS.set_forkserver_preload([__name__, *_LATE, *(f"services.{name}.app" for name in SERVICES)])
    try:
        for name in houses:
            found.start(name)
        yield found
    finally:
        for name in houses:
            found.kill(name)


def _live(service: str, address: str, folder: Path, log: Path, variables: Mapping[str, str]) -> None:
    os.environ.update(variables)
    with log.open("a") as said:
        os.dup2(said.fileno(), sys.stderr.fileno())
    serve(service, address, folder)
