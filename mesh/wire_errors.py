"""Maps the error tree to `google.rpc.Status` and back."""

from collections.abc import Iterator
from typing import Final

import grpc
from google.rpc import error_details_pb2, status_pb2
from grpc.aio import AioRpcError

from mesh import errors
from mesh.errors import Code, VivavoceError

DOMAIN: Final = "vivavoce"
_DETAILS_KEY: Final = "grpc-status-details-bin"
#: Metadata key under which several field violations travel inside the error, one `field: description` a line.
VIOLATIONS: Final = "violations"


def to_status(error: VivavoceError) -> status_pb2.Status:
    """The status of `error`, with `ErrorInfo`, and `BadRequest` where it names a field."""
    status = status_pb2.Status(code=grpc_code(error).value[0], message=error.message)
    metadata = {key: value for key, value in error.metadata.items() if key != VIOLATIONS}
    status.details.add().Pack(error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=metadata))
    if violations := list(_violations(error)):
        status.details.add().Pack(error_details_pb2.BadRequest(field_violations=violations))
    return status


def grpc_code(error: VivavoceError) -> grpc.StatusCode:
    """The gRPC status code of `error`."""
    return grpc.StatusCode[error.code.value]


def from_status(status: status_pb2.Status) -> VivavoceError:
    """The error `status` stands for; where it carries no `ErrorInfo` of ours, the nearest one by its code."""
    info = error_details_pb2.ErrorInfo()
    request = error_details_pb2.BadRequest()
    for detail in status.details:
        if detail.Is(info.DESCRIPTOR):
            detail.Unpack(info)
        elif detail.Is(request.DESCRIPTOR):
            detail.Unpack(request)
    code = _CODES.get(status.code, grpc.StatusCode.INTERNAL)
    if info.domain != DOMAIN:
        return _foreign(code, status.message)
    metadata = dict(info.metadata)
    if len(request.field_violations) > 1:
        metadata[VIOLATIONS] = "\n".join(f"{each.field}: {each.description}" for each in request.field_violations)
    field = request.field_violations[0].field if request.field_violations else ""
    return _class_of(code, info.reason)(status.message, reason=info.reason, field=field, metadata=metadata)


def from_rpc_error(error: AioRpcError) -> VivavoceError:
    """The typed error behind a failed call, so that what a service raised is raised again at its client."""
    for key, value in error.trailing_metadata() or ():
        if key == _DETAILS_KEY:
            return from_status(status_pb2.Status.FromString(value if isinstance(value, bytes) else value.encode()))
    return _foreign(error.code(), error.details() or "")


def _violations(error: VivavoceError) -> Iterator[error_details_pb2.BadRequest.FieldViolation]:
    if several := error.metadata.get(VIOLATIONS):
        for line in several.splitlines():
            field, _, description = line.partition(": ")
            yield error_details_pb2.BadRequest.FieldViolation(field=field, description=description)
    elif error.field:
        yield error_details_pb2.BadRequest.FieldViolation(field=error.field, description=error.message)


def _class_of(code: grpc.StatusCode, reason: str) -> type[VivavoceError]:
    """The most special class of the tree with this reason, else the one of the code."""
    return _BY_REASON.get((code.name, reason)) or _BY_CODE.get(code.name) or VivavoceError


def _foreign(code: grpc.StatusCode, details: str) -> VivavoceError:
    match code:
        case grpc.StatusCode.CANCELLED | grpc.StatusCode.UNKNOWN:
            return errors.UnavailableError("The other side ended the call; send it again.")
        case grpc.StatusCode.OUT_OF_RANGE:
            return errors.InvalidFieldError(details or "A value is out of range.")
        case grpc.StatusCode.DATA_LOSS:
            return VivavoceError(details or "Data was lost.")
        case _:
            return _class_of(code, "")(details or f"The call failed with {code.name}.")


def _tree(cls: type[VivavoceError]) -> Iterator[type[VivavoceError]]:
    yield cls
    for child in cls.__subclasses__():
        yield from _tree(child)


_CODES: Final = {code.value[0]: code for code in grpc.StatusCode}
_BY_CODE: Final[dict[str, type[VivavoceError]]] = {}
_BY_REASON: Final[dict[tuple[str, str], type[VivavoceError]]] = {}
for _cls in _tree(VivavoceError):
    _BY_CODE.setdefault(_cls.code.value, _cls)
    _BY_REASON.setdefault((_cls.code.value, _cls.default_reason), _cls)
assert {code.value for code in Code} == set(_BY_CODE), "each status code in use has an error of its own"
