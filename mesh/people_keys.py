"""Fetches the public keys that people's access tokens are signed with."""

from typing import Final

import grpc
from vivavoce.user.v1 import user_service_pb2 as user_pb
from vivavoce.user.v1.user_service_pb2_grpc import UserServiceStub

from mesh.deadlines import deadline_s
from mesh.tokens import Jwk
from mesh.wire_errors import from_rpc_error

_FIELDS: Final = ("kid", "kty", "crv", "x", "alg", "use")


async def people_keys(channel: grpc.aio.Channel, *, patient: bool = False) -> list[Jwk]:
    """Asks the user service, the newest key first; if `patient`, waits some seconds for one that is only starting.

    Raises:
        VivavoceError: the user service can't be reached, or did not answer in time.
    """
    try:
        answer = await UserServiceStub(channel).ListSigningKeys(
            user_pb.ListSigningKeysRequest(), timeout=deadline_s(), wait_for_ready=patient
        )
    except grpc.aio.AioRpcError as error:
        raise from_rpc_error(error) from error
    return [{field: getattr(key, field) for field in _FIELDS} for key in answer.keys]
