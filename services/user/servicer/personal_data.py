"""The RPCs about all that is kept about a person: to have it, and to have it removed."""

from collections.abc import AsyncIterator
from contextlib import aclosing

from vivavoce.user.v1 import user_service_pb2 as service_pb

from mesh.identity import caller
from mesh.interceptors.wire import Context
from services.user.accounts import Accounts
from services.user.deletions import Deletions
from services.user.domain.deletions import Deletion
from services.user.exports import Exports
from services.user.servicer.wire import timestamp


class PersonalDataRpcs:
    """Translates; the rules are the domain's. `public_url` is what links begin with; empty for the path alone."""

    def __init__(self, *, accounts: Accounts, exports: Exports, deletions: Deletions, public_url: str) -> None:
        self._accounts = accounts
        self._exports = exports
        self._deletions = deletions
        self._public_url = public_url.rstrip("/")

    async def ExportUser(
        self, request: service_pb.ExportUserRequest, context: Context
    ) -> service_pb.ExportUserResponse:
        """Gathers all that is kept about the caller."""
        user = await self._accounts.user(caller().user_id)
        export_id = await self._exports.make(user.user_id)
        return service_pb.ExportUserResponse(download_url=f"{self._public_url}/v1/exports/{export_id}")

    async def DownloadExport(
        self, request: service_pb.DownloadExportRequest, context: Context
    ) -> AsyncIterator[service_pb.DownloadExportResponse]:
        """Returns an archive of the caller's in pieces."""
        async with aclosing(self._exports.pieces(caller().user_id, request.export_id)) as pieces:
            async for piece in pieces:
                yield service_pb.DownloadExportResponse(data=piece)

    async def DeleteUser(
        self, request: service_pb.DeleteUserRequest, context: Context
    ) -> service_pb.DeleteUserResponse:
        """Removes the caller and all that is kept about them."""
        deletion = await self._deletions.delete(caller().user_id, request.current_password)
        return service_pb.DeleteUserResponse(receipt=_receipt(deletion))

    async def GetDeletionReceipt(
        self, request: service_pb.GetDeletionReceiptRequest, context: Context
    ) -> service_pb.GetDeletionReceiptResponse:
        """Returns how far a deletion is."""
        deletion = await self._deletions.receipt(request.receipt_id)
        return service_pb.GetDeletionReceiptResponse(receipt=_receipt(deletion))


def _receipt(deletion: Deletion) -> service_pb.DeletionReceipt:
    receipt = service_pb.DeletionReceipt(
        receipt_id=deletion.deletion_id, removed=deletion.removed, pending_services=deletion.pending()
    )
    if deletion.finish_time_us is not None:
        receipt.finish_time.CopyFrom(timestamp(deletion.finish_time_us))
    return receipt
