"""The RPCs about login sessions: where a person is logged in, and the tokens that prove it."""

from vivavoce.user.v1 import user_pb2 as user_pb
from vivavoce.user.v1 import user_service_pb2 as service_pb

from mesh.clock import Clock
from mesh.identity import caller
from mesh.interceptors.wire import Context
from services.user.keys import SigningKeys
from services.user.login_sessions import LoginSessions
from services.user.servicer.wire import tokens_to_pb


class LoginSessionRpcs:
    """Translates; the rules are the domain's."""

    def __init__(self, *, logins: LoginSessions, keys: SigningKeys, access_lifetime_s: int, clock: Clock) -> None:
        self._logins = logins
        self._keys = keys
        self._access_lifetime_s = access_lifetime_s
        self._clock = clock

    async def RefreshTokens(
        self, request: service_pb.RefreshTokensRequest, context: Context
    ) -> service_pb.RefreshTokensResponse:
        """Renews the tokens of a login session."""
        return service_pb.RefreshTokensResponse(tokens=tokens_to_pb(await self._logins.refresh(request.refresh_token)))

    async def LogOut(self, request: service_pb.LogOutRequest, context: Context) -> service_pb.LogOutResponse:
        """Ends the caller's login session."""
        await self._logins.log_out(caller().login_session_id)
        return service_pb.LogOutResponse()

    async def ListSigningKeys(
        self, request: service_pb.ListSigningKeysRequest, context: Context
    ) -> service_pb.ListSigningKeysResponse:
        """Lists the public keys that living access tokens are signed with."""
        keys = self._keys.public(self._clock.wall().timestamp(), self._access_lifetime_s)
        return service_pb.ListSigningKeysResponse(keys=[user_pb.SigningKey(**jwk) for jwk in keys])
