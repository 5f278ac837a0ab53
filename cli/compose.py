"""Puts all services and the edge together in one process."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from vivavoce.ai_engine.v1 import ai_engine_service_pb2 as engine_pb
from vivavoce.ai_engine.v1 import catalog_pb2 as catalog_pb
from vivavoce.ai_engine.v1.ai_engine_service_pb2_grpc import AiEngineServiceStub
from vivavoce.user.v1 import user_service_pb2 as user_pb
from vivavoce.user.v1.user_service_pb2_grpc import UserServiceStub

from cli.addresses import SERVICES
from cli.identity import open_service_key, open_verifier
from cli.memory import hand_over_often
from cli.ports import free_port
from cli.units import open_unit
from edge.app import open_edge
from edge.settings import Settings as EdgeSettings
from mesh.channel import call_metadata, open_channel
from mesh.clock import SystemClock
from mesh.local import LocalChannel
from mesh.peers import Peers
from mesh.server import MeshServer, Service
from mesh.settings import load
from mesh.tokens import ServiceTokens
from mesh.user_service import UserService

_CALL_S: Final = 10.0
_DRAIN_S: Final = 5.0
_LOADS_LONG: Final = "ai_engine"

#: Told what is being started, for whoever watches.
Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class MeshOptions:
    """What the command line decides; the rest comes from each unit's own settings."""

    data_dir: Path
    host: str = "127.0.0.1"
    #: 0 takes any free one.
    web_port: int = 0
    grpc_port: int = 0
    #: Settings by unit ("conversation", "edge" …) that win over the environment.
    overrides: Mapping[str, Mapping[str, object]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunningMesh:
    """A mesh that answers: the URL of its web, and its gRPC address."""

    web: str
    grpc: str

    async def guest_token(self) -> str:
        """Creates a guest and returns its access token."""
        async with open_channel(reachable(self.grpc)) as channel:
            answer = await UserServiceStub(channel).CreateGuest(
                user_pb.CreateGuestRequest(client="viva"), timeout=_CALL_S
            )
        return answer.tokens.access_token

    async def providers(self, token: str) -> list[catalog_pb.Provider]:
        """The providers that are ready."""
        async with open_channel(reachable(self.grpc)) as channel:
            answer = await AiEngineServiceStub(channel).ListProviders(
                engine_pb.ListProvidersRequest(), metadata=call_metadata(token), timeout=_CALL_S
            )
        return list(answer.providers)


@asynccontextmanager
async def run_mesh(options: MeshOptions, report: Report = lambda _: None) -> AsyncIterator[RunningMesh]:
    """Runs the whole mesh for the length of the block; on a normal exit it drains first, for a few seconds at most.

    Raises:
        VivavoceError: something it needs is missing, or a port is taken; nothing is left running.
    """
    port = options.grpc_port or free_port(options.host)
    signer = await asyncio.to_thread(open_service_key, options.data_dir / "keys" / "services.pem")
    clock = SystemClock()

    own = ServiceTokens(signer, "user", clock)
    user_service = UserService(lambda: local, lambda: call_metadata(own.current()))
    async with AsyncExitStack() as stack:
        verifier = await stack.enter_async_context(open_verifier(signer, user_service, clock))
        # Within the process calls take the short way: the same handlers and interceptors, and no socket.
        local = await stack.enter_async_context(LocalChannel([], verifier))

        async def peers(name: str) -> Peers:
            tokens = ServiceTokens(signer, name, clock)
            return await stack.enter_async_context(Peers({}, tokens, channels=dict.fromkeys(SERVICES, local)))

        async def opened(name: str) -> Service:
            overrides = options.overrides.get(name, {})
            unit = open_unit(name, await peers(name), clock, data_dir=options.data_dir, overrides=overrides)
            return await stack.enter_async_context(unit)

        services: list[Service] = []
        # Models load beside the others, which are opened in their order: each may call those before it.
        engine = asyncio.create_task(opened(_LOADS_LONG), name=f"opening {_LOADS_LONG}")
        stack.push_async_callback(_ended, engine)
        for name in SERVICES:
            report(name)
            services.append(await engine if name == _LOADS_LONG else await opened(name))
            local.add(services[-1:])
        report("edge")
        server = MeshServer(services, verifier, address=_address(options.host, port), drain_s=_DRAIN_S)
        await stack.enter_async_context(server)
        placed = {"host": options.host, "port": options.web_port, **options.overrides.get("edge", {})}
        settings = load(EdgeSettings, None, **placed)
        edge = await stack.enter_async_context(open_edge(settings, await peers("edge"), verifier, clock))
        hand_over_often()
        scheme, _, placed_at = edge.url.partition("://")
        yield RunningMesh(f"{scheme}://{reachable(placed_at)}", server.address)
        # Says goodbye on open sessions, and lets them finish their sentence.
        await server.drain()


async def _ended(opening: "asyncio.Task[Service]") -> None:
    """Where another service did not open, this one need not either."""
    opening.cancel()
    await asyncio.wait([opening])


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def reachable(address: str) -> str:
    """Where this machine reaches a server that listens on `address`, host:port."""
    host, _, port = address.rpartition(":")
    return f"127.0.0.1:{port}" if host in ("0.0.0.0", "[::]", "::") else address
