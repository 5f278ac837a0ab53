"""What a server refused, or that it can't be reached, with the reasons of the contract."""

from typing import Final

import grpc
from google.rpc import error_details_pb2, status_pb2

from vivavoce.type.v1 import error_pb2 as error_pb
from vivavoce.type.v1 import failure_pb2 as failure_pb

_DETAILS_KEY: Final = "grpc-status-details-bin"
_PREFIX: Final = "ERROR_REASON_"
#: What a cut wire looks like, where the server gave no reason of its own.
_CUT: Final = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.INTERNAL,
    }
)


class ClientError(Exception):
    """The server refused. `reason` is a name of `ErrorReason` without its prefix, `field` the one at fault, if any."""

    def __init__(self, message: str, *, reason: str = "INTERNAL", field: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason
        self.field = field


class UnreachableError(ClientError):
    """The server is away, or the wire was cut; the same may succeed after a while."""

    def __init__(self, message: str, *, reason: str = "SERVICE_UNAVAILABLE", field: str = "") -> None:
        super().__init__(message, reason=reason, field=field)


def of_call(error: grpc.aio.AioRpcError) -> ClientError:
    """The error behind a call that failed."""
    message, reason, field = error.details() or f"The call failed with {error.code().name}.", "", ""
    for key, value in error.trailing_metadata() or ():
        if key == _DETAILS_KEY:
            status = status_pb2.Status.FromString(value if isinstance(value, bytes) else value.encode())
            message, reason, field = status.message, *_details(status)
    if error.code() is grpc.StatusCode.UNAVAILABLE if reason else error.code() in _CUT:
        return UnreachableError(message, reason=reason or "SERVICE_UNAVAILABLE")
    return ClientError(message, reason=reason or "INTERNAL", field=field)


def of_failure(failure: failure_pb.Failure) -> ClientError:
    """The error that a failure inside a stream stands for."""
    known = failure.reason in error_pb.ErrorReason.values()
    reason = error_pb.ErrorReason.Name(failure.reason).removeprefix(_PREFIX) if known else "INTERNAL"
    return ClientError(failure.message, reason=reason, field=failure.field)


def _details(status: status_pb2.Status) -> tuple[str, str]:
    reason = field = ""
    info, request = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for detail in status.details:
        if detail.Unpack(info):
            reason = info.reason
        elif detail.Unpack(request) and request.field_violations:
            field = request.field_violations[0].field
    return reason, field
