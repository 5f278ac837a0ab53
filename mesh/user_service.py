"""What every process asks the user service about those who call."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import grpc
from vivavoce.user.v1 import user_service_pb2 as user_pb
from vivavoce.user.v1.user_service_pb2_grpc import UserServiceStub

from mesh.deadlines import deadline_s
from mesh.revocations import News
from mesh.streams import Metadata
from mesh.tokens import Jwk
from mesh.wire_errors import from_rpc_error

_FIELDS: Final = ("kid", "kty", "crv", "x", "alg", "use")
#: Asked again soon, so that one answer is not waited for long.
_REVOCATIONS_S: Final = 1.5


class UserService:
    """The user service as those who verify tokens know it; `metadata` is that of calls in their own name.

    Every call raises VivavoceError where it can't be reached, or does not answer in time.
    """

    def __init__(self, channel: Callable[[], grpc.aio.Channel], metadata: Callable[[], Metadata]) -> None:
        self._channel = channel
        self._metadata = metadata

    async def signing_keys(self, *, patient: bool = False) -> list[Jwk]:
        """The keys of people's access tokens, newest first; if `patient`, waits for a service that only starts."""
        try:
            answer = await UserServiceStub(self._channel()).ListSigningKeys(
                user_pb.ListSigningKeysRequest(), timeout=deadline_s(), wait_for_ready=patient
            )
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from error
        return [{field: getattr(key, field) for field in _FIELDS} for key in answer.keys]

    async def exchange(self, access_key: str) -> str:
        """The access token for a personal access token.

        Raises:
            UnauthenticatedError: it is not valid.
        """
        request = user_pb.ExchangeAccessKeyRequest(token=access_key)
        try:
            answer = await UserServiceStub(self._channel()).ExchangeAccessKey(
                request, metadata=self._metadata(), timeout=deadline_s()
            )
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from error
        return answer.tokens.access_token

    async def ended_since(self, start: datetime | None) -> News:
        """What was ended from `start` on; None is the last hour."""
        request = user_pb.ListRevocationsRequest()
        if start is not None:
            request.start_time.FromDatetime(start)
        try:
            answer = await UserServiceStub(self._channel()).ListRevocations(
                request, metadata=self._metadata(), timeout=_REVOCATIONS_S
            )
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from error
        ended = [revocation.session_id for revocation in answer.revocations]
        return News(ended, answer.next_start_time.ToDatetime(UTC))
