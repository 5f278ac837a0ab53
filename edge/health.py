"""Tells operators whether the edge is up, whether the mesh behind it is ready, and its metrics."""

import asyncio
import itertools
from typing import Final

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from mesh.errors import PreconditionError
from mesh.peers import SERVICE_NAMES, Peers
from mesh.telemetry import prometheus_text

_ASK_FOR_S: Final = 0.8
_NEEDED: Final = ("user", "conversation", "ai_engine")
_PROMETHEUS: Final = "text/plain; version=0.0.4; charset=utf-8"


class Health:
    """Answers `/healthz`, `/readyz` and `/metrics`."""

    def __init__(self, peers: Peers) -> None:
        self._peers = peers
        self.draining = False

    async def healthz(self, _: Request) -> Response:
        """The process is up."""
        return JSONResponse({"status": "up"})

    async def readyz(self, _: Request) -> Response:
        """The states of services and of their stores, within a second.

        503 while the edge drains, or one does not serve that nobody can talk without. What talks go on without takes no
        edge out: it would be missing from every one of them, and nobody could talk.
        """
        names = list(SERVICE_NAMES)
        states, stores = await asyncio.gather(
            asyncio.gather(*map(self._state, names)), asyncio.gather(*map(self._stores, names))
        )
        services = dict(zip(names, states, strict=True))
        ready = not self.draining and all(services[name] == "SERVING" for name in _NEEDED)
        told = {"ready": ready, "services": services, "stores": dict(itertools.chain(*stores))}
        return JSONResponse(told, status_code=200 if ready else 503)

    async def metrics(self, _: Request) -> Response:
        """All metrics of the process."""
        return Response(await asyncio.to_thread(prometheus_text), media_type=_PROMETHEUS)

    async def _state(self, service: str) -> str:
        try:
            stub = health_pb2_grpc.HealthStub(self._peers.channel(service))
            question = health_pb2.HealthCheckRequest(service=SERVICE_NAMES[service])
            answer = await stub.Check(question, timeout=_ASK_FOR_S)
        except PreconditionError:
            return "NOT_CONFIGURED"
        except grpc.aio.AioRpcError as error:
            return error.code().name
        return _name(answer.status)

    async def _stores(self, service: str) -> list[tuple[str, str]]:
        """Each store of a service, as one of its replicas sees it; none where that can't be asked."""
        try:
            stub = health_pb2_grpc.HealthStub(self._peers.channel(service))
            answer = await stub.List(health_pb2.HealthListRequest(), timeout=_ASK_FOR_S)
        except (PreconditionError, grpc.aio.AioRpcError):
            return []
        above = f"{SERVICE_NAMES[service]}/"
        found = sorted((name, state.status) for name, state in answer.statuses.items() if name.startswith(above))
        return [(f"{service}/{name.removeprefix(above)}", _name(status)) for name, status in found]


def _name(status: int) -> str:
    return str(health_pb2.HealthCheckResponse.ServingStatus.Name(status))
