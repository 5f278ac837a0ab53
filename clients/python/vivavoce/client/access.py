"""Who is talking: proves it to the server, and goes on doing so however long it lasts."""

import asyncio
from typing import Final

import grpc

from vivavoce.client.errors import ClientError, of_call
from vivavoce.user.v1 import user_pb2 as people_pb
from vivavoce.user.v1 import user_service_pb2 as user_pb
from vivavoce.user.v1.user_service_pb2_grpc import UserServiceStub

#: What personal access tokens begin with; each time one is shown it is exchanged anew.
_LASTING: Final = "vvk_"
_CALL_S: Final = 10.0


class Access:
    """A token for as long as it is needed: a given one, or one that renews itself."""

    def __init__(self, channel: grpc.aio.Channel, token: str, refresh_token: str = "") -> None:
        self._user = UserServiceStub(channel)
        self._refresh_token = refresh_token
        # A refresh token works once: who finds another renewing waits for what comes of it.
        self._renewing = asyncio.Lock()
        self.token = token

    @classmethod
    async def of_guest(cls, channel: grpc.aio.Channel, client: str) -> "Access":
        """That of a new guest.

        Raises:
            ClientError: no guest was made.
        """
        request = user_pb.CreateGuestRequest(client=client)
        try:
            return cls._of(channel, (await UserServiceStub(channel).CreateGuest(request, timeout=_CALL_S)).tokens)
        except grpc.aio.AioRpcError as error:
            raise of_call(error) from error

    @classmethod
    async def of_login(cls, channel: grpc.aio.Channel, email: str, password: str, client: str) -> "Access":
        """That of a person with an account.

        Raises:
            ClientError: BAD_CREDENTIALS, or why else not.
        """
        request = user_pb.LogInRequest(email=email, password=password, client=client)
        try:
            return cls._of(channel, (await UserServiceStub(channel).LogIn(request, timeout=_CALL_S)).tokens)
        except grpc.aio.AioRpcError as error:
            raise of_call(error) from error

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """Metadata of a call in this person's name."""
        return (("authorization", f"Bearer {self.token}"),)

    async def renew(self) -> str:
        """A token that holds for a while again, for the one that has expired or does soon.

        Raises:
            ClientError: TOKEN_INVALID, there is nothing to renew it by; or the user service refuses.
        """
        stale = self.token
        async with self._renewing:
            if self.token == stale and not stale.startswith(_LASTING):
                await self._refresh()
            return self.token

    async def _refresh(self) -> None:
        if not self._refresh_token:
            raise ClientError(
                "The access token expires, and the talk ends then; give a personal access token to talk longer.",
                reason="TOKEN_INVALID",
            )
        request = user_pb.RefreshTokensRequest(refresh_token=self._refresh_token)
        try:
            tokens = (await self._user.RefreshTokens(request, timeout=_CALL_S)).tokens
        except grpc.aio.AioRpcError as error:
            raise of_call(error) from error
        self.token, self._refresh_token = tokens.access_token, tokens.refresh_token

    @classmethod
    def _of(cls, channel: grpc.aio.Channel, tokens: people_pb.Tokens) -> "Access":
        return cls(channel, tokens.access_token, tokens.refresh_token)
