"""Standard health checking, which also lists the stores that services stand on."""

from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias

import grpc
from grpc_health.v1 import health_pb2
from grpc_health.v1._async import HealthServicer

_Context: TypeAlias = grpc.aio.ServicerContext[health_pb2.HealthListRequest, health_pb2.HealthListResponse]

_SERVING: Final = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING: Final = health_pb2.HealthCheckResponse.NOT_SERVING


class Health(HealthServicer):  # type: ignore[misc]  # The package has no types.
    """Of the services of one server. `List` tells their stores, too, which no service's own health follows.

    A service without its store still carries talks on, and says what it can't do: taking it out would end them.
    """

    def __init__(self) -> None:
        super().__init__()
        self._stores: dict[str, Mapping[str, bool]] = {}

    def add(self, service: str, stores: Mapping[str, bool]) -> None:
        """A service that serves from now on, and whether each of its stores answers, looked up when it is asked for."""
        self._server_status[service] = _SERVING
        self._stores[service] = stores

    async def List(self, request: health_pb2.HealthListRequest, context: _Context) -> health_pb2.HealthListResponse:
        """The health of services by their names, and of stores by such as `vivavoce.user.v1.UserService/database`."""
        states = self._server_status | dict(self._of_stores())
        return health_pb2.HealthListResponse(
            statuses={name: health_pb2.HealthCheckResponse(status=state) for name, state in states.items()}
        )

    def _of_stores(self) -> Iterator[tuple[str, int]]:
        for service, answering in self._stores.items():
            for store, answers in answering.items():
                yield f"{service}/{store}", _SERVING if answers else _NOT_SERVING
