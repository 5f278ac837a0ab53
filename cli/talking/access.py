"""How a talk proves who is talking, and goes on doing so however long it lasts."""

from typing import Final

import grpc
from vivavoce.user.v1 import user_service_pb2 as user_pb
from vivavoce.user.v1.user_service_pb2_grpc import UserServiceStub

from mesh.access_keys import PREFIX
from mesh.errors import UnauthenticatedError
from mesh.wire_errors import from_rpc_error

_CALL_S: Final = 10.0


class Access:
    """A token for the length of a talk: a given one, or a new guest's."""

    def __init__(self, channel: grpc.aio.Channel, token: str, refresh_token: str = "") -> None:
        self._user = UserServiceStub(channel)
        self._refresh_token = refresh_token
        self.token = token

    @classmethod
    async def of_guest(cls, channel: grpc.aio.Channel, client: str) -> "Access":
        """That of a new guest.

        Raises:
            grpc.aio.AioRpcError: no guest was made.
        """
        request = user_pb.CreateGuestRequest(client=client)
        tokens = (await UserServiceStub(channel).CreateGuest(request, timeout=_CALL_S)).tokens
        return cls(channel, tokens.access_token, tokens.refresh_token)

    async def renew(self) -> str:
        """A token that holds for a while again, for the one that expires soon.

        Raises:
            UnauthenticatedError: there is nothing to renew it by.
            VivavoceError: the user service refuses, or can't be reached.
        """
        if self.token.startswith(PREFIX):
            return self.token  # Each time it is shown it is exchanged anew.
        if not self._refresh_token:
            raise UnauthenticatedError(
                "The access token expires soon, and the talk ends then; give a personal access token to talk longer."
            )
        request = user_pb.RefreshTokensRequest(refresh_token=self._refresh_token)
        try:
            tokens = (await self._user.RefreshTokens(request, timeout=_CALL_S)).tokens
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None
        self.token, self._refresh_token = tokens.access_token, tokens.refresh_token
        return self.token
