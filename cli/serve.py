"""`viva serve`: one service as a process of its own, which finds the others by their addresses."""

import asyncio
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from cli.addresses import PeerSettings
from cli.certs import tls_of
from cli.identity import open_service_key, open_verifier
from cli.memory import hand_over_often, settle_memory
from cli.output import console
from cli.ports import WantedPort, check_free, is_loopback, split_address
from cli.signals import until_signal
from cli.units import open_unit
from edge.app import open_edge
from edge.settings import Settings as EdgeSettings
from mesh import logs
from mesh.clock import SystemClock
from mesh.errors import InvalidFieldError
from mesh.peers import Peers
from mesh.precedence import give_way
from mesh.server import MeshServer, run
from mesh.settings import load
from mesh.telemetry import Telemetry, TelemetrySettings
from mesh.tls import Tls
from mesh.tokens import ServiceTokens, TokenSigner, TokenVerifier
from mesh.user_service import UserService

#: With what comes after it a process is gone ten seconds after SIGTERM.
_DRAIN_S: Final = 5.0
#: Models take a processor for tens of milliseconds at a time: who carries sound need not wait for that.
_COMPUTES: Final = "ai_engine"
_NICENESS: Final = 5


def serve(name: str, address: str, data_dir: Path | None) -> None:
    """Runs the service `name`, or the edge, until a signal; drains at the first, stops at the second.

    Raises:
        VivavoceError: a setting can't be read, the address is taken, or something the service needs is missing.
    """
    logs.configure("json")
    telemetry = Telemetry(load(TelemetrySettings), service=name)
    try:
        run(_serve_edge(address) if name == "edge" else _serve_unit(name, address, data_dir))
    finally:
        telemetry.close()


async def _serve_unit(name: str, address: str, data_dir: Path | None) -> None:
    peer_settings = load(PeerSettings)
    listen = address or peer_settings.addresses()[name]
    host, port = split_address(listen)
    check_free(WantedPort(host, port, f"the {name} service", "--address"))
    _check_private(peer_settings, host)
    identity = await asyncio.to_thread(_identity, peer_settings, name)
    if name == _COMPUTES:
        give_way(_NICENESS)
    async with AsyncExitStack() as stack:
        peers = await stack.enter_async_context(Peers(peer_settings.addresses(), identity.tokens, tls=identity.tls))
        unit = open_unit(name, peers, SystemClock(), data_dir=data_dir, overrides={})
        service = await stack.enter_async_context(unit)
        verifier = await stack.enter_async_context(_verifier(identity, peers))
        server = MeshServer([service], verifier, address=listen, tls=identity.tls, drain_s=_DRAIN_S)
        await stack.enter_async_context(server)
        _settle(f"{name} serves on {server.address}")
        await server.run_until_signal()


async def _serve_edge(address: str) -> None:
    peer_settings = load(PeerSettings)
    placed: dict[str, Any] = {}
    if address:
        placed["host"], placed["port"] = split_address(address)
    settings = load(EdgeSettings, **placed)
    check_free(WantedPort(settings.host, settings.port, "the web", "--address"))
    identity = await asyncio.to_thread(_identity, peer_settings, "edge")
    stop = asyncio.Event()
    with until_signal(stop) as ready:
        async with (
            Peers(peer_settings.addresses(), identity.tokens, tls=identity.tls) as peers,
            _verifier(identity, peers) as verifier,
            open_edge(settings, peers, verifier, SystemClock()) as edge,
        ):
            ready.set()
            _settle(f"edge serves on {edge.url}")
            await stop.wait()


@dataclass(frozen=True, slots=True)
class _Identity:
    """What a process proves itself by: its certificate, or tokens signed with the key all services share."""

    tls: Tls | None = None
    signer: TokenSigner | None = None
    tokens: ServiceTokens | None = None


def _identity(settings: PeerSettings, name: str) -> _Identity:
    """Reads it from the disk. Blocks."""
    if settings.certificates:
        return _Identity(tls=tls_of(Path(settings.certificates).expanduser(), name))
    signer = open_service_key(settings.key)
    return _Identity(signer=signer, tokens=ServiceTokens(signer, name))


def _verifier(identity: _Identity, peers: Peers) -> AbstractAsyncContextManager[TokenVerifier]:
    user_service = UserService(partial(peers.channel, "user"), peers.metadata)
    return open_verifier(identity.signer, user_service, SystemClock())


def _check_private(settings: PeerSettings, host: str) -> None:
    """Without certificates nobody else may reach the service: who reads the wire could call as any service.

    Raises:
        InvalidFieldError: somebody could.
    """
    if settings.certificates or settings.plaintext or is_loopback(host):
        return
    raise InvalidFieldError(
        f"Without certificates a service listens on this machine only, not on {host}. Make some with "
        "`viva certs init` and set VIVAVOCE_PEERS_CERTIFICATES, or set VIVAVOCE_PEERS_PLAINTEXT=true where "
        "something else encrypts and checks who calls.",
        field="address",
    )


def _settle(line: str) -> None:
    settle_memory()
    hand_over_often()
    console(stderr=True).print(line)
