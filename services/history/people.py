"""Asks other services about the caller, in the caller's own name: with the token that came with the call."""

from collections.abc import Callable
from datetime import UTC, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import grpc
from vivavoce.user.v1 import user_service_pb2 as user_pb
from vivavoce.user.v1.user_service_pb2_grpc import UserServiceStub

from mesh.channel import call_metadata
from mesh.errors import InvalidFieldError
from mesh.wire_errors import from_rpc_error

_WITHIN_S: Final = 2.0


class People:
    """What the user service tells about the caller. The channel is asked for when it is needed first."""

    def __init__(self, channel: Callable[[], grpc.aio.Channel]) -> None:
        self._channel = channel

    async def zone(self, token: str) -> tzinfo:
        """The time zone of the caller's profile; UTC where it has none.

        Raises:
            VivavoceError: the profile can't be had.
        """
        request = user_pb.GetUserRequest()
        try:
            answer = await UserServiceStub(self._channel()).GetUser(
                request, metadata=call_metadata(token), timeout=_WITHIN_S
            )
        except grpc.aio.AioRpcError as failed:
            raise from_rpc_error(failed) from None
        return zone_of(answer.user.profile.time_zone)


def zone_of(name: str) -> tzinfo:
    """The time zone of that name; UTC for none.

    Raises:
        InvalidFieldError: the machine knows none of that name.
    """
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidFieldError(
            'time_zone is not known; use an IANA name such as "Europe/Paris".', field="time_zone"
        ) from None
