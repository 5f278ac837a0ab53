"""Tells operators whether the edge is up, whether the mesh behind it is ready, and its metrics."""

import asyncio
from typing import Final

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from mesh.errors import PreconditionError
from mesh.peers import SERVICE_NAMES, Peers
from mesh.telemetry import prometheus_text

_ASK_FOR_S: Final = 0.8
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
        """Each service's state, within a second; 503 unless all serve and the edge is not draining."""
        names = list(SERVICE_NAMES)
        states = dict(zip(names, await asyncio.gather(*map(self._state, names)), strict=True))
        ready = not self.draining and all(state == "SERVING" for state in states.values())
        return JSONResponse({"ready": ready, "services": states}, status_code=200 if ready else 503)

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
        return str(health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status))
