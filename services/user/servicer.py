"""The RPCs of the user service: proto in, proto out."""

from collections.abc import Mapping
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from vivavoce.type.v1 import learner_pb2 as learner_pb
from vivavoce.user.v1 import user_pb2 as user_pb
from vivavoce.user.v1 import user_service_pb2 as service_pb
from vivavoce.user.v1 import user_service_pb2_grpc as service_grpc

from mesh.clock import Clock
from mesh.errors import InvalidFieldError
from mesh.identity import caller
from mesh.interceptors.wire import Context
from services.user.accounts import Accounts, Issued
from services.user.domain.people import Profile, Role, User
from services.user.keys import SigningKeys

_ROLES: Final[Mapping[Role, user_pb.Role.ValueType]] = {
    Role.LEARNER: user_pb.ROLE_LEARNER,
    Role.ADMIN: user_pb.ROLE_ADMIN,
}


class UserServicer(service_grpc.UserServiceServicer):
    """Translates; the rules are the domain's. RPCs that are only specified so far answer NOT_BUILT by themselves."""

    def __init__(self, *, accounts: Accounts, keys: SigningKeys, access_lifetime_s: int, clock: Clock) -> None:
        self._accounts = accounts
        self._keys = keys
        self._access_lifetime_s = access_lifetime_s
        self._clock = clock

    async def RegisterUser(
        self, request: service_pb.RegisterUserRequest, context: Context
    ) -> service_pb.RegisterUserResponse:
        """Creates an account and logs in."""
        user, issued = await self._accounts.register(
            request.email,
            request.password,
            _profile(request.profile),
            client=request.client,
            request_id=request.request_id,
        )
        return service_pb.RegisterUserResponse(user=_user_pb(user), tokens=_tokens_pb(issued))

    async def CreateGuest(
        self, request: service_pb.CreateGuestRequest, context: Context
    ) -> service_pb.CreateGuestResponse:
        """Creates a guest and logs in."""
        user, issued = await self._accounts.create_guest(_profile(request.profile), client=request.client)
        return service_pb.CreateGuestResponse(user=_user_pb(user), tokens=_tokens_pb(issued))

    async def LogIn(self, request: service_pb.LogInRequest, context: Context) -> service_pb.LogInResponse:
        """Logs in with address and password."""
        user, issued = await self._accounts.log_in(request.email, request.password, client=request.client)
        return service_pb.LogInResponse(user=_user_pb(user), tokens=_tokens_pb(issued))

    async def RefreshTokens(
        self, request: service_pb.RefreshTokensRequest, context: Context
    ) -> service_pb.RefreshTokensResponse:
        """Renews the tokens of a login session."""
        return service_pb.RefreshTokensResponse(tokens=_tokens_pb(await self._accounts.refresh(request.refresh_token)))

    async def LogOut(self, request: service_pb.LogOutRequest, context: Context) -> service_pb.LogOutResponse:
        """Ends the caller's login session."""
        await self._accounts.log_out(caller().login_session_id)
        return service_pb.LogOutResponse()

    async def ListSigningKeys(
        self, request: service_pb.ListSigningKeysRequest, context: Context
    ) -> service_pb.ListSigningKeysResponse:
        """Lists the public keys that living access tokens are signed with."""
        keys = self._keys.public(self._clock.wall().timestamp(), self._access_lifetime_s)
        return service_pb.ListSigningKeysResponse(keys=[user_pb.SigningKey(**jwk) for jwk in keys])

    async def GetUser(self, request: service_pb.GetUserRequest, context: Context) -> service_pb.GetUserResponse:
        """Returns the caller."""
        return service_pb.GetUserResponse(user=_user_pb(await self._accounts.user(caller().user_id)))

    async def UpdateUser(
        self, request: service_pb.UpdateUserRequest, context: Context
    ) -> service_pb.UpdateUserResponse:
        """Changes the fields of the caller's profile that the mask names."""
        user = await self._accounts.update(caller().user_id, _profile(request.profile), list(request.update_mask.paths))
        return service_pb.UpdateUserResponse(user=_user_pb(user))


def _profile(profile: user_pb.Profile) -> Profile:
    return Profile(
        display_name=profile.display_name,
        native_language=profile.native_language,
        target_language=profile.target_language,
        level=profile.level,
        goals=tuple(profile.goals),
        interests=tuple(profile.interests),
        correction_style=profile.correction_style,
        patience=profile.patience,
        time_zone=_time_zone(profile.time_zone),
        recording_consent=profile.recording_consent,
    )


def _time_zone(name: str) -> str:
    """The name, if the machine knows the zone: the list of zones changes with the world, not with our rules."""
    try:
        return ZoneInfo(name).key if name else ""
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidFieldError(
            'profile.time_zone is not known; use an IANA name such as "Europe/Paris".', field="profile.time_zone"
        ) from None


def _user_pb(user: User) -> user_pb.User:
    return user_pb.User(
        user_id=user.user_id,
        email=user.email,
        email_verified=user.email_verified,
        guest=user.guest,
        role=_ROLES[user.role],
        profile=_profile_pb(user.profile),
        create_time=_timestamp(user.create_time_us),
    )


def _profile_pb(profile: Profile) -> user_pb.Profile:
    return user_pb.Profile(
        display_name=profile.display_name,
        native_language=profile.native_language,
        target_language=profile.target_language,
        level=learner_pb.CefrLevel.ValueType(profile.level),
        goals=profile.goals,
        interests=profile.interests,
        correction_style=learner_pb.CorrectionStyle.ValueType(profile.correction_style),
        patience=learner_pb.Patience.ValueType(profile.patience),
        time_zone=profile.time_zone,
        recording_consent=profile.recording_consent,
    )


def _tokens_pb(issued: Issued) -> user_pb.Tokens:
    return user_pb.Tokens(
        access_token=issued.access_token,
        access_lifetime=Duration(seconds=issued.access_lifetime_s),
        refresh_token=issued.refresh_token,
        login_session_id=issued.login_session_id,
    )


def _timestamp(time_us: int) -> Timestamp:
    timestamp = Timestamp()
    timestamp.FromMicroseconds(time_us)
    return timestamp
