"""The RPCs about accounts: who a person is, and how they come in."""

from vivavoce.user.v1 import user_service_pb2 as service_pb

from mesh.identity import caller
from mesh.interceptors.wire import Context
from services.user.accounts import Accounts
from services.user.servicer.wire import profile_of, tokens_to_pb, user_to_pb


class AccountRpcs:
    """Translates; the rules are the domain's."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    async def RegisterUser(
        self, request: service_pb.RegisterUserRequest, context: Context
    ) -> service_pb.RegisterUserResponse:
        """Creates an account and logs in."""
        user, issued = await self._accounts.register(
            request.email,
            request.password,
            profile_of(request.profile),
            client=request.client,
            request_id=request.request_id,
        )
        return service_pb.RegisterUserResponse(user=user_to_pb(user), tokens=tokens_to_pb(issued))

    async def CreateGuest(
        self, request: service_pb.CreateGuestRequest, context: Context
    ) -> service_pb.CreateGuestResponse:
        """Creates a guest and logs in."""
        user, issued = await self._accounts.create_guest(profile_of(request.profile), client=request.client)
        return service_pb.CreateGuestResponse(user=user_to_pb(user), tokens=tokens_to_pb(issued))

    async def LogIn(self, request: service_pb.LogInRequest, context: Context) -> service_pb.LogInResponse:
        """Logs in with address and password."""
        user, issued = await self._accounts.log_in(request.email, request.password, client=request.client)
        return service_pb.LogInResponse(user=user_to_pb(user), tokens=tokens_to_pb(issued))

    async def UpgradeGuest(
        self, request: service_pb.UpgradeGuestRequest, context: Context
    ) -> service_pb.UpgradeGuestResponse:
        """Turns the calling guest into an account."""
        user = await self._accounts.upgrade(caller().user_id, request.email, request.password)
        return service_pb.UpgradeGuestResponse(user=user_to_pb(user))

    async def GetUser(self, request: service_pb.GetUserRequest, context: Context) -> service_pb.GetUserResponse:
        """Returns the caller."""
        return service_pb.GetUserResponse(user=user_to_pb(await self._accounts.user(caller().user_id)))

    async def GetConsent(
        self, request: service_pb.GetConsentRequest, context: Context
    ) -> service_pb.GetConsentResponse:
        """Returns what a person has agreed to."""
        user = await self._accounts.user(request.user_id)
        return service_pb.GetConsentResponse(recording=user.profile.recording_consent)

    async def GetLearner(
        self, request: service_pb.GetLearnerRequest, context: Context
    ) -> service_pb.GetLearnerResponse:
        """Returns what the tutor should know about a person."""
        user = await self._accounts.user(request.user_id)
        return service_pb.GetLearnerResponse(profile=user_to_pb(user).profile)

    async def UpdateUser(
        self, request: service_pb.UpdateUserRequest, context: Context
    ) -> service_pb.UpdateUserResponse:
        """Changes the fields of the caller's profile that the mask names."""
        paths = list(request.update_mask.paths)
        user = await self._accounts.update(caller().user_id, profile_of(request.profile), paths)
        return service_pb.UpdateUserResponse(user=user_to_pb(user))
