"""`Consent` over the user service."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import grpc
from vivavoce.user.v1 import user_service_pb2 as service_pb

from mesh.streams import Metadata
from mesh.wire_errors import from_rpc_error

if TYPE_CHECKING:
    from vivavoce.user.v1.user_service_pb2_grpc import UserServiceAsyncStub

_ANSWERED_WITHIN_S: Final = 2.0


class UserConsent:
    """`Consent` over gRPC."""

    def __init__(self, stub: "UserServiceAsyncStub", metadata: Callable[[], Metadata]) -> None:
        self._stub = stub
        self._metadata = metadata

    async def to_recording(self, user_id: str) -> bool:
        """See `Consent`."""
        request = service_pb.GetConsentRequest(user_id=user_id)
        try:
            answer = await self._stub.GetConsent(request, metadata=self._metadata(), timeout=_ANSWERED_WITHIN_S)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from error
        return answer.recording
