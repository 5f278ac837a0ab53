"""The RPCs about login sessions: where a person is logged in, and the tokens that prove it."""

from vivavoce.user.v1 import user_pb2 as user_pb
from vivavoce.user.v1 import user_service_pb2 as service_pb

from mesh.identity import caller
from mesh.interceptors.wire import Context
from mesh.pages import Page
from services.user.domain.logins import LoginSession
from services.user.keys import SigningKeys
from services.user.login_sessions import LoginSessions
from services.user.servicer.wire import timestamp, tokens_to_pb


class LoginSessionRpcs:
    """Translates; the rules are the domain's."""

    def __init__(self, *, logins: LoginSessions, keys: SigningKeys) -> None:
        self._logins = logins
        self._keys = keys

    async def RefreshTokens(
        self, request: service_pb.RefreshTokensRequest, context: Context
    ) -> service_pb.RefreshTokensResponse:
        """Renews the tokens of a login session."""
        return service_pb.RefreshTokensResponse(tokens=tokens_to_pb(await self._logins.refresh(request.refresh_token)))

    async def LogOut(self, request: service_pb.LogOutRequest, context: Context) -> service_pb.LogOutResponse:
        """Ends the caller's login session."""
        await self._logins.log_out(caller().user_id, caller().login_session_id)
        return service_pb.LogOutResponse()

    async def ListLoginSessions(
        self, request: service_pb.ListLoginSessionsRequest, context: Context
    ) -> service_pb.ListLoginSessionsResponse:
        """Lists where the caller is logged in, latest first."""
        page = Page("ListLoginSessions", request.page_size, request.page_token, caller().user_id)
        found = await self._logins.list(caller().user_id, page.after, page.limit)
        shown, more = page.cut(found, lambda login: (login.create_time_us, login.login_session_id))
        return service_pb.ListLoginSessionsResponse(login_sessions=map(_login_pb, shown), next_page_token=more)

    async def RevokeLoginSession(
        self, request: service_pb.RevokeLoginSessionRequest, context: Context
    ) -> service_pb.RevokeLoginSessionResponse:
        """Ends one of the caller's login sessions, or all but this one."""
        who = caller()
        but = "" if request.login_session_id else who.login_session_id
        ended = await self._logins.revoke(who.user_id, only=request.login_session_id, but=but)
        return service_pb.RevokeLoginSessionResponse(revoked_count=ended)

    async def ListSigningKeys(
        self, request: service_pb.ListSigningKeysRequest, context: Context
    ) -> service_pb.ListSigningKeysResponse:
        """Lists the public keys that living access tokens are signed with."""
        return service_pb.ListSigningKeysResponse(keys=[user_pb.SigningKey(**jwk) for jwk in self._keys.public()])


def _login_pb(login: LoginSession) -> user_pb.LoginSession:
    return user_pb.LoginSession(
        login_session_id=login.login_session_id,
        client=login.client,
        create_time=timestamp(login.create_time_us),
        last_used_time=timestamp(login.last_used_time_us),
        current=login.login_session_id == caller().login_session_id,
    )
