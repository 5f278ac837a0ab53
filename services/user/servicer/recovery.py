"""The RPCs about what an account proves itself by: password and address."""

from vivavoce.user.v1 import user_service_pb2 as service_pb

from mesh.identity import caller
from mesh.interceptors.wire import Context
from services.user.addresses import Addresses
from services.user.recovery import Recovery
from services.user.servicer.wire import user_to_pb


class RecoveryRpcs:
    """Translates; the rules are the domain's."""

    def __init__(self, *, recovery: Recovery, addresses: Addresses) -> None:
        self._recovery = recovery
        self._addresses = addresses

    async def ChangePassword(
        self, request: service_pb.ChangePasswordRequest, context: Context
    ) -> service_pb.ChangePasswordResponse:
        """Changes the caller's password."""
        who = caller()
        await self._recovery.change(who.user_id, who.login_session_id, request.current_password, request.new_password)
        return service_pb.ChangePasswordResponse()

    async def ChangeEmail(
        self, request: service_pb.ChangeEmailRequest, context: Context
    ) -> service_pb.ChangeEmailResponse:
        """Begins to change the caller's address."""
        who = caller()
        await self._addresses.change(who.user_id, who.login_session_id, request.current_password, request.email)
        return service_pb.ChangeEmailResponse()

    async def RequestPasswordReset(
        self, request: service_pb.RequestPasswordResetRequest, context: Context
    ) -> service_pb.RequestPasswordResetResponse:
        """Sends a link that sets a new password, if the address has an account."""
        await self._recovery.request_reset(request.email)
        return service_pb.RequestPasswordResetResponse()

    async def ResetPassword(
        self, request: service_pb.ResetPasswordRequest, context: Context
    ) -> service_pb.ResetPasswordResponse:
        """Sets a new password by the link's token."""
        await self._recovery.reset(request.token, request.new_password)
        return service_pb.ResetPasswordResponse()

    async def SendEmailVerification(
        self, request: service_pb.SendEmailVerificationRequest, context: Context
    ) -> service_pb.SendEmailVerificationResponse:
        """Sends the link that verifies the caller's address again."""
        await self._addresses.send_again(caller().user_id)
        return service_pb.SendEmailVerificationResponse()

    async def VerifyEmail(
        self, request: service_pb.VerifyEmailRequest, context: Context
    ) -> service_pb.VerifyEmailResponse:
        """Verifies an address by the link's token."""
        return service_pb.VerifyEmailResponse(user=user_to_pb(await self._addresses.verify(request.token)))
