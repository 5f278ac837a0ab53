"""An edge of its own before the whole mesh, which a test may stop and start again on the same port."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from cli.addresses import SERVICES
from cli.identity import open_service_key, open_verifier
from edge.app import Edge, open_edge
from edge.settings import Settings
from mesh.channel import call_metadata
from mesh.clock import SystemClock
from mesh.peers import Peers
from mesh.tokens import ServiceTokens
from mesh.user_service import UserService


@asynccontextmanager
async def another_edge(mesh_grpc: str, data_folder: Path, **settings: object) -> AsyncIterator[Edge]:
    """An edge that reaches the services of a running mesh over gRPC."""
    signer = await asyncio.to_thread(open_service_key, data_folder / "keys" / "services.pem")
    clock = SystemClock()
    tokens = ServiceTokens(signer, "edge", clock)
    async with Peers(dict.fromkeys(SERVICES, mesh_grpc), tokens) as peers:
        users = UserService(lambda: peers.channel("user"), lambda: call_metadata(tokens.current()))
        chosen = Settings(**{"port": 0, **settings})  # type: ignore[arg-type]  # A test's own.
        async with open_verifier(signer, users, clock) as verifier, open_edge(chosen, peers, verifier, clock) as edge:
            yield edge
