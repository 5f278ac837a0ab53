"""Says what went wrong in the words of each door: Connect error JSON with an HTTP status, or a WebSocket close code."""

import base64
import math
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from google.protobuf import json_format
from google.rpc import error_details_pb2
from starlette.responses import JSONResponse
from vivavoce.conversation.v1 import conversation_service_pb2 as service_pb
from vivavoce.conversation.v1 import converse_pb2 as converse_pb
from vivavoce.type.v1 import error_pb2 as error_pb
from vivavoce.type.v1 import failure_pb2 as failure_pb

from edge.refusals import RefusalError, WrongMethodError
from mesh.errors import Code, VivavoceError
from mesh.wire_errors import to_status

_HTTP: Final[Mapping[Code, int]] = {
    Code.INVALID_ARGUMENT: 400,
    Code.UNAUTHENTICATED: 401,
    Code.PERMISSION_DENIED: 403,
    Code.NOT_FOUND: 404,
    Code.ALREADY_EXISTS: 409,
    Code.FAILED_PRECONDITION: 400,
    Code.ABORTED: 409,
    Code.RESOURCE_EXHAUSTED: 429,
    Code.DEADLINE_EXCEEDED: 504,
    Code.UNAVAILABLE: 503,
    Code.UNIMPLEMENTED: 501,
    Code.INTERNAL: 500,
}

NORMAL: Final = 1000
RESTARTING: Final = 1012
INTERNAL: Final = 1011
TRY_LATER: Final = 1013
BAD_MESSAGE: Final = 4400
UNAUTHENTICATED: Final = 4401
NOT_ALLOWED: Final = 4403
NOT_FOUND: Final = 4404
TOO_LATE: Final = 4408
CONFLICT: Final = 4409
OVERLOADED: Final = 4429

#: How a socket closes, by why; docs/websocket.md explains the codes to client writers.
CLOSE_CODES: Final[Mapping[str, int]] = {
    "UNSPECIFIED": INTERNAL,
    "INVALID_FIELD": BAD_MESSAGE,
    "TOKEN_MISSING": UNAUTHENTICATED,
    "TOKEN_INVALID": UNAUTHENTICATED,
    "NOT_ALLOWED": NOT_ALLOWED,
    "NOT_FOUND": NOT_FOUND,
    "ALREADY_EXISTS": CONFLICT,
    "BAD_CREDENTIALS": UNAUTHENTICATED,
    "STREAM_NOT_CONFIGURED": BAD_MESSAGE,
    "STREAM_ALREADY_CONFIGURED": BAD_MESSAGE,
    "BAD_AUDIO": BAD_MESSAGE,
    "AUDIO_TOO_FAST": OVERLOADED,
    "TOO_SLOW": TOO_LATE,
    "OVERLOADED": OVERLOADED,
    "RATE_LIMITED": OVERLOADED,
    "BUDGET_EXHAUSTED": OVERLOADED,
    "DEADLINE": TOO_LATE,
    "PROVIDER_FAILED": TRY_LATER,
    "PROVIDER_MISSING": BAD_MESSAGE,
    "SERVICE_UNAVAILABLE": TRY_LATER,
    "DRAINING": RESTARTING,
    "NOT_RESUMABLE": BAD_MESSAGE,
    "CONFLICT": CONFLICT,
    "NOT_BUILT": BAD_MESSAGE,
    "INTERNAL": INTERNAL,
    "CONVERSATION_CLOSED": CONFLICT,
    "IDLE": TOO_LATE,
    "CONSENT_MISSING": NOT_ALLOWED,
}


def error_response(error: VivavoceError) -> JSONResponse:
    """`error` as Connect error JSON, with the headers that say when and how to try again."""
    body: dict[str, object] = {"code": error.code.value.lower(), "message": error.message}
    status = to_status(error)
    body["details"] = [
        {
            "type": detail.TypeName(),
            "value": base64.b64encode(detail.value).rstrip(b"=").decode(),
            "debug": _readable(detail.TypeName(), detail.value),
        }
        for detail in status.details
    ]
    return JSONResponse(body, status_code=http_status(error), headers=_headers(error))


def http_status(error: VivavoceError) -> int:
    """The HTTP status of `error`: its code's, where HTTP has none that says it better."""
    return error.http_status if isinstance(error, RefusalError) else _HTTP[error.code]


def plain_response(http_status: int, message: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """What HTTP itself refuses (no such path, wrong method), as Connect error JSON."""
    code = {404: Code.NOT_FOUND, 405: Code.UNIMPLEMENTED}.get(http_status, Code.FAILED_PRECONDITION)
    return JSONResponse({"code": code.value.lower(), "message": message}, http_status, headers=headers)


def error_event(error: VivavoceError) -> service_pb.ConverseResponse:
    """`error` as the last message of a socket. Its sequence is 0: it is the door's, not the session's."""
    failure = failure_pb.Failure(
        reason=reason_value(error.reason), message=error.message, field=error.field, retryable=error.retryable
    )
    return service_pb.ConverseResponse(error_raised=converse_pb.ErrorRaised(failure=failure))


def close_code(reason: str) -> int:
    """The WebSocket close code for an `ErrorReason` without its prefix; unknown ones count as the server's fault."""
    return CLOSE_CODES.get(reason, INTERNAL)


def reason_name(value: error_pb.ErrorReason.ValueType) -> str:
    """The name of a reason without its prefix. A reason newer than this build counts as INTERNAL."""
    if value not in error_pb.ErrorReason.values():
        return "INTERNAL"
    return error_pb.ErrorReason.Name(value).removeprefix("ERROR_REASON_")


def reason_value(name: str) -> error_pb.ErrorReason.ValueType:
    """The reason of this name."""
    full = f"ERROR_REASON_{name}"
    known = full in error_pb.ErrorReason.keys()  # noqa: SIM118 (an enum wrapper has keys and no `in`)
    return error_pb.ErrorReason.Value(full) if known else error_pb.ERROR_REASON_INTERNAL


def _headers(error: VivavoceError) -> dict[str, str]:
    headers = {"cache-control": "no-store"}
    with suppress(KeyError, ValueError):
        headers["retry-after"] = str(math.ceil(float(error.metadata["retry_after_s"])))
    if isinstance(error, WrongMethodError):
        headers["allow"] = error.metadata["allow"]
    return headers


def _readable(type_name: str, value: bytes) -> dict[str, object]:
    for known in (error_details_pb2.ErrorInfo, error_details_pb2.BadRequest):
        if known.DESCRIPTOR.full_name == type_name:
            return json_format.MessageToDict(known.FromString(value))
    return {}
